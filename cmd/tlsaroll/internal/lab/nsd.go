package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// No rate limit: to NSD all the lab's resolvers are one prefix.
const nsdConf = `
server:
	ip-address: %[1]s
	port: 53
	do-ip6: no
	server-count: 1
	username: ""
	chroot: ""
	zonesdir: "%[2]s"
	database: ""
	zonelistfile: "%[2]s/zone.list"
	xfrdfile: "%[2]s/xfrd.state"
	xfrdir: "%[2]s"
	pidfile: ""
	logfile: "%[3]s"
	verbosity: 1
	xfrd-reload-timeout: 0
	zonefiles-write: 1
	rrl-ratelimit: 0
	rrl-whitelist-ratelimit: 0
remote-control:
	control-enable: yes
	control-interface: "%[2]s/control"
key:
	name: "%[4]s"
	algorithm: %[5]s
	secret: "%[6]s"
`

const nsdZone = `
zone:
	name: "%[1]s"
	zonefile: "%[1]szone"
	request-xfr: %[2]s %[3]s
	allow-notify: 127.0.0.0/8 NOKEY
	min-refresh-time: 86400
	min-retry-time: 1
	max-retry-time: 1
`

// startSecondary starts an NSD, which begins with a transfer of each zone and then
// moves only when it is notified.
func (l *Lab) startSecondary(s *Secondary) error {
	dir, err := l.mkdir(s.Name)
	if err != nil {
		return err
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, nsdConf, s.Addr.Addr(), dir, l.logPath(s.Name),
		l.transfer.Name, l.transfer.Algorithm, l.transfer.secret)
	for _, z := range l.zones {
		fmt.Fprintf(&conf, nsdZone, z.name, l.Primary.Addr(), l.transfer.Name)
	}
	if err := os.WriteFile(dir+"/nsd.conf", []byte(conf.String()), 0o600); err != nil {
		return err
	}
	return l.serve(s.Name, l.programs["nsd"], "-d", "-c", dir+"/nsd.conf")
}

// written waits until the secondary's files have what it serves; it writes them
// once a second, and not when it ends.
func (s *Secondary) written(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for _, zone := range s.lab.zoneNames() {
		err := await(ctx, func(ctx context.Context) error {
			served, err := s.lab.serial(ctx, s.Addr, zone)
			if err != nil {
				return err
			}
			rrs, err := readZone(s.lab.path(s.Name + "/" + zone + "zone"))
			if err != nil {
				return err
			}
			if soa := soaOf(rrs); soa == nil || soa.Serial != served {
				return fmt.Errorf("%s: %s: serial %d is not on disk yet", s.Name, zone, served)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
