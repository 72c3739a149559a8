package lab

import (
	"fmt"
	"os"
	"path/filepath"
)

// challengeScript adds or deletes the record of a dns-01 challenge. One that is added is
// there when all name servers have it.
const challengeScript = `#!/bin/sh
set -eu
verb=$1 name=_acme-challenge.$2. value=$3
nsupdate -k %[1]s <<END
server %[2]s
update $verb $name 60 IN TXT "$value"
send
END
[ "$verb" = add ] || exit 0
for server in %[2]s %[3]s; do
	until dig +short "@$server" "$name" TXT | grep -qF -e "$value"; do
		sleep 0.2
	done
done
`

// writeChallenge writes the script that clients call which do not speak RFC 2136.
func (c *Client) writeChallenge() (script string, err error) {
	key, script := filepath.Join(c.Dir, "acme.key"), filepath.Join(c.Dir, "challenge")
	if err := os.WriteFile(key, []byte(c.lab.ACMEKey().clause()), 0o600); err != nil {
		return "", err
	}
	return script, WriteExecutable(script, fmt.Appendf(nil, challengeScript, key, c.lab.Primary.Addr(), c.lab.Secondary.Addr()), 0o700)
}
