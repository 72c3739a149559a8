package lab

import (
	"fmt"
	"os"
	"strings"
)

// The databases are as small as they may be: Knot maps them whole into memory.
const knotConf = `
server:
    rundir: %[1]q
    listen: %[2]s@53
    udp-workers: 1
    tcp-workers: 2
    background-workers: 2
database:
    storage: %[1]q
    journal-db-max-size: 16M
    kasp-db-max-size: 16M
    timer-db-max-size: 1M
log:
  - target: stderr
    any: info
policy:
  - id: lab
    algorithm: ecdsap256sha256
    single-type-signing: on
    ksk-lifetime: 0
    dnskey-ttl: 60
    rrsig-lifetime: 14d
    rrsig-refresh: 5d
`

const knotRights = `acl:
  - id: transfer
    key: %s
    action: transfer
  - id: hand
    key: %s
    action: update
`

const knotRight = `  - id: %[1]q
    key: %[1]s
    action: update
    update-type: TLSA
`

const knotZone = `  - domain: %[1]s
    storage: %[2]q
    file: %[1]szone
    acl: [transfer, hand, %[3]s]
`

const knotSigning = `    dnssec-signing: on
    dnssec-policy: lab
`

// startKnot starts Knot DNS as the primary. It writes the signed zone into its file at
// each change, and what changed into its journal.
func (l *Lab) startKnot(dir string) error {
	var keys, rights, zones strings.Builder
	for _, k := range append([]Key{l.hand, l.transfer}, l.keys()...) {
		fmt.Fprintf(&keys, "  - id: %q\n    algorithm: %s\n    secret: %q\n", k.Name, k.Algorithm, k.secret)
	}
	fmt.Fprintf(&rights, knotRights, l.transfer.Name, l.hand.Name)
	for _, z := range l.zones {
		fmt.Fprintf(&rights, knotRight, z.key.Name)
		fmt.Fprintf(&zones, knotZone, z.name, dir, z.key.Name)
		if z.security != insecure {
			zones.WriteString(knotSigning)
		}
		if err := z.write(dir); err != nil {
			return err
		}
	}
	conf := fmt.Sprintf(knotConf, dir, l.Primary.Addr()) + "key:\n" + keys.String() + rights.String() + "zone:\n" + zones.String()
	if err := os.WriteFile(dir+"/knot.conf", []byte(conf), 0o600); err != nil {
		return err
	}
	return l.serve("primary", l.programs["knotd"], "-c", dir+"/knot.conf")
}
