package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
)

// A PowerDNSAPI is the HTTP API of a PowerDNS primary
// (https://doc.powerdns.com/authoritative/http-api/index.html).
type PowerDNSAPI struct {
	URL     string
	KeyFile string // the API key, mode 0600
	key     string
}

// powerDNSPort is the one that PowerDNS' documentation has for its web server.
const powerDNSPort = 8081

// powerDNSSchema comes with Debian's package of the backend.
const powerDNSSchema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

// What is not set here is as PowerDNS has it, the caches among it. A zone that is signed
// while it is served needs serials that rise when its signatures are made anew, each
// Thursday (https://doc.powerdns.com/authoritative/dnssec/operational.html). Transfers
// need a key, whatever the address.
const powerDNSConf = `
launch=gsqlite3
gsqlite3-database=%[1]s/pdns.sqlite3
gsqlite3-dnssec=yes
gsqlite3-pragma-synchronous=1
socket-dir=%[1]s
local-address=%[2]s
local-port=53
receiver-threads=1
distributor-threads=2
max-tcp-connections-per-client=0
guardian=no
daemon=no
disable-syslog=yes
loglevel=4
primary=no
allow-axfr-ips=
default-soa-edit-signed=INCEPTION-INCREMENT
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
webserver=yes
webserver-address=%[2]s
webserver-port=%[3]d
webserver-allow-from=127.0.0.0/8
webserver-loglevel=none
api=yes
api-key=%[4]s
`

// preparePowerDNS makes what is known of the API before the server runs.
func (l *Lab) preparePowerDNS() error {
	if l.opts.Primary != PowerDNS {
		return nil
	}
	key := rand.Text()
	l.PowerDNS = &PowerDNSAPI{
		URL:     "http://" + netip.AddrPortFrom(l.Primary.Addr(), powerDNSPort).String(),
		KeyFile: l.path("keys/powerdns-api.secret"), key: key,
	}
	l.ca.secrets.PlantText("the API key of PowerDNS", key)
	return os.WriteFile(l.PowerDNS.KeyFile, []byte(key+"\n"), 0o600)
}

// startPowerDNS starts PowerDNS as the primary, with its content in SQLite.
func (l *Lab) startPowerDNS(ctx context.Context, dir string) error {
	conf := fmt.Sprintf(powerDNSConf, dir, l.Primary.Addr(), powerDNSPort, l.PowerDNS.key)
	if err := os.WriteFile(dir+"/pdns.conf", []byte(conf), 0o600); err != nil {
		return err
	}
	schema, err := os.ReadFile(powerDNSSchema)
	if err != nil {
		return err
	}
	var sql bytes.Buffer
	sql.Write(schema)
	l.powerDNSRights(&sql)
	fill := exec.CommandContext(ctx, l.programs["sqlite3"], "-bail", dir+"/pdns.sqlite3")
	fill.Stdin = &sql // where no list of processes has it
	if out, err := fill.CombinedOutput(); err != nil {
		return fmt.Errorf("sqlite3: %w: %s", err, bytes.TrimSpace(out))
	}
	secured := []string{"--config-dir=" + dir, "secure-zone"}
	for _, z := range l.zones {
		if err := z.write(dir); err != nil {
			return err
		}
		if err := l.runToEnd(ctx, "pdnsutil", "--config-dir="+dir, "load-zone", z.name, dir+"/"+z.name+"zone"); err != nil {
			return err
		}
		if z.security != insecure {
			secured = append(secured, z.name)
		}
	}
	if err := l.runToEnd(ctx, "pdnsutil", secured...); err != nil {
		return err
	}
	return l.serve("primary", l.programs["pdns_server"], "--config-dir="+dir)
}

// powerDNSRights writes the keys and what they may do, zone by zone.
func (l *Lab) powerDNSRights(sql *bytes.Buffer) {
	for _, k := range append([]Key{l.hand, l.transfer}, l.keys()...) {
		fmt.Fprintf(sql, "INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('%s', '%s', '%s');\n", powerDNSName(k.Name), k.Algorithm, k.secret)
	}
	for i, z := range l.zones {
		fmt.Fprintf(sql, "INSERT INTO domains (id, name, type) VALUES (%d, '%s', 'NATIVE');\n", i+1, powerDNSName(z.name))
		for _, meta := range [][2]string{
			{"TSIG-ALLOW-DNSUPDATE", powerDNSName(z.key.Name)}, {"TSIG-ALLOW-DNSUPDATE", powerDNSName(l.hand.Name)},
			{"TSIG-ALLOW-AXFR", powerDNSName(l.transfer.Name)},
			{"SOA-EDIT-DNSUPDATE", "DEFAULT"}, {"SOA-EDIT-API", "DEFAULT"},
		} {
			fmt.Fprintf(sql, "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (%d, '%s', '%s');\n", i+1, meta[0], meta[1])
		}
	}
}

// powerDNSName is a name as the database has it.
func powerDNSName(name string) string { return strings.TrimSuffix(name, ".") }
