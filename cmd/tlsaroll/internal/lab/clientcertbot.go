package lab

import (
	"path/filepath"
	"slices"
	"strings"
)

func (c *Client) prepareCertbot(hook []string) error {
	live := filepath.Join(c.Dir, "config", "live", Host)
	c.Cert, c.Key = filepath.Join(live, "fullchain.pem"), filepath.Join(live, "privkey.pem")
	c.env = []string{"REQUESTS_CA_BUNDLE=" + c.lab.Pebble.CAFile}
	script, err := c.writeChallenge()
	if err != nil {
		return err
	}
	dirs := []string{"--config-dir", filepath.Join(c.Dir, "config"), "--work-dir", filepath.Join(c.Dir, "work"), "--logs-dir", filepath.Join(c.Dir, "logs"), "--non-interactive"}
	c.first = [][]string{slices.Concat([]string{c.program, "certonly"}, dirs, []string{
		"--server", c.lab.Pebble.Directory, "--agree-tos", "--email", "postmaster@example.org", "--domain", Host,
		"--manual", "--preferred-challenges", "dns",
		"--manual-auth-hook", script + " add $CERTBOT_DOMAIN $CERTBOT_VALIDATION",
		"--manual-cleanup-hook", script + " delete $CERTBOT_DOMAIN $CERTBOT_VALIDATION",
		"--deploy-hook", strings.Join(hook, " "),
	})}
	// It has kept the rest.
	c.again = [][]string{slices.Concat([]string{c.program, "renew"}, dirs, []string{"--force-renewal", "--no-random-sleep-on-renew"})}
	return nil
}
