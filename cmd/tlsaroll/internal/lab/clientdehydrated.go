package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const dehydratedConf = `CA="%s"
BASEDIR="%s"
CHALLENGETYPE="dns-01"
HOOK="%s"
CONTACT_EMAIL="postmaster@example.org"
KEY_ALGO="prime256v1"
`

// dehydratedHook has tlsaroll do all that is not the challenge.
const dehydratedHook = `#!/bin/sh
case $1 in
deploy_challenge) exec %[1]s add "$2" "$4" ;;
clean_challenge) exec %[1]s delete "$2" "$4" ;;
*) exec %[2]s "$@" ;;
esac
`

func (c *Client) prepareDehydrated(hook []string) error {
	certs := filepath.Join(c.Dir, "certs", Host)
	c.Cert, c.Key = filepath.Join(certs, "fullchain.pem"), filepath.Join(certs, "privkey.pem")
	c.env = []string{"CURL_CA_BUNDLE=" + c.lab.Pebble.CAFile}
	challenge, err := c.writeChallenge()
	if err != nil {
		return err
	}
	conf, script := filepath.Join(c.Dir, "config"), filepath.Join(c.Dir, "hook")
	if err := os.WriteFile(conf, fmt.Appendf(nil, dehydratedConf, c.lab.Pebble.Directory, c.Dir, script), 0o600); err != nil {
		return err
	}
	if err := WriteExecutable(script, fmt.Appendf(nil, dehydratedHook, challenge, strings.Join(hook, " ")), 0o700); err != nil {
		return err
	}
	order := []string{c.program, "--config", conf, "--cron", "--force", "--domain", Host}
	c.first = [][]string{{c.program, "--config", conf, "--register", "--accept-terms"}, order}
	c.again = [][]string{order}
	return nil
}
