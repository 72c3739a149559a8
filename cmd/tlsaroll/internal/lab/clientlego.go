package lab

import (
	"path/filepath"
	"slices"
	"strings"
)

// legoFiles are where lego leaves what it got, and what it asks of its environment.
func (c *Client) legoFiles(variables string) {
	c.Cert = filepath.Join(c.Dir, "certificates", Host+".crt")
	c.Key = filepath.Join(c.Dir, "certificates", Host+".key")
	key := c.lab.ACMEKey()
	c.env = []string{
		"LEGO_CA_CERTIFICATES=" + c.lab.Pebble.CAFile,
		variables + "NAMESERVER=" + c.lab.Primary.String(),
		variables + "TSIG_KEY=" + key.Name,
		variables + "TSIG_ALGORITHM=" + key.Algorithm + ".",
		variables + "TSIG_SECRET_FILE=" + key.SecretFile,
		variables + "POLLING_INTERVAL=1",
		variables + "TTL=1", // version 5 waits until resolvers have forgotten the last challenge
	}
}

func (c *Client) legoOptions() []string {
	return []string{
		"--path", c.Dir, "--server", c.lab.Pebble.Directory, "--email", "postmaster@example.org", "--accept-tos",
		"--domains", Host, "--dns", "rfc2136",
	}
}

// prepareLego4 is for all of version 4, whose renewals take a command of their own.
func (c *Client) prepareLego4(hook []string) error {
	c.legoFiles("RFC2136_")
	call := append([]string{c.program}, c.legoOptions()...)
	text := strings.Join(hook, " ")
	c.first = [][]string{slices.Concat(call, []string{"run", "--run-hook", text})}
	c.again = [][]string{slices.Concat(call, []string{"renew", "--days", "1000", "--no-random-sleep", "--renew-hook", text})}
	return nil
}

// prepareLego5 is for version 5, which has one command for all.
func (c *Client) prepareLego5(hook []string) error {
	c.legoFiles("DNSUPDATE_")
	call := slices.Concat([]string{c.program, "run"}, c.legoOptions(), []string{"--profile", Classic, "--deploy-hook", strings.Join(hook, " ")})
	c.first = [][]string{call}
	c.again = [][]string{append(slices.Clone(call), "--renew-force", "--no-random-sleep")}
	return nil
}
