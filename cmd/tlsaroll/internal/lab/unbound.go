package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Caching is left as Unbound does it by default: it is what the lab is about.
const unboundConf = `
server:
	directory: "%[1]s"
	username: ""
	chroot: ""
	pidfile: ""
	use-syslog: no
	logfile: "%[2]s"
	verbosity: 1
	interface: %[3]s
	port: 53
	access-control: 127.0.0.0/8 allow
	outgoing-interface: %[3]s
	do-ip6: no
	do-not-query-localhost: no
	num-threads: 1
	outgoing-range: 64
	num-queries-per-thread: 64
	msg-cache-size: 1m
	rrset-cache-size: 2m
	module-config: "%[7]s"
	root-hints: "%[4]s"
	trust-anchor-file: "%[5]s"
	cache-min-ttl: 0
	prefetch: no
	serve-expired: no
%[6]s
remote-control:
	control-enable: no
`

// startResolvers starts the senders' resolvers and the one that is no sender's.
func (l *Lab) startResolvers() error {
	dir, err := l.mkdir("resolvers")
	if err != nil {
		return err
	}
	hints := fmt.Sprintf(". %d IN NS %s\n%s %d IN A %s\n", staticTTL, rootServer, rootServer, staticTTL, l.Root.Addr())
	if err := os.WriteFile(dir+"/root.hints", []byte(hints), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(dir+"/root.key", []byte(l.root.ds().String()+"\n"), 0o644); err != nil {
		return err
	}
	for _, at := range append([]netip.AddrPort{l.Resolver}, l.Resolvers...) {
		if err := l.startUnbound(at, "validator iterator", dir+"/root.key"); err != nil {
			return err
		}
	}
	return nil
}

// startUnbound starts a resolver with some modules, a trust anchor and further lines for
// its server clause.
func (l *Lab) startUnbound(at netip.AddrPort, modules, anchor string, lines ...string) error {
	var extra strings.Builder
	for _, line := range slices.Concat(l.opts.Unbound, lines) {
		fmt.Fprintf(&extra, "\t%s\n", line)
	}
	dir, name := l.path("resolvers"), resolverName(at)
	conf := fmt.Sprintf(unboundConf, dir, l.logPath(name), at.Addr(), dir+"/root.hints", anchor, extra.String(), modules)
	file := dir + "/" + name + ".conf"
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return err
	}
	return l.serve(name, l.programs["unbound"], "-d", "-c", file)
}

// isResolver says whether an address is that of a resolver, from where it asks, too.
func (l *Lab) isResolver(a netip.Addr) bool {
	return a == l.Resolver.Addr() || slices.ContainsFunc(l.Resolvers, func(r netip.AddrPort) bool { return r.Addr() == a })
}

func resolverName(at netip.AddrPort) string { return "resolver-" + at.Addr().String() }

// resolverReady waits until the resolver finds of our zones what they are. It
// asks for names whose place in the cache no test looks at.
func (l *Lab) resolverReady(ctx context.Context, at netip.AddrPort) error {
	return await(ctx, func(ctx context.Context) error {
		if err := l.ended(resolverName(at)); err != nil {
			return err
		}
		for _, z := range l.zones {
			m, err := l.ask(ctx, at, z.name, dns.TypeNS)
			if err != nil {
				return err
			}
			if z.security != found(m) {
				return fmt.Errorf("resolver %s: %s NS: %s, AD %t: want a zone that is %s", at, z.name, dns.RcodeToString[m.Rcode], m.AuthenticatedData, z.security)
			}
		}
		return nil
	})
}

// found is what a resolver found of a zone, "" where it found nothing.
func found(m *dns.Msg) security {
	switch {
	case m.Rcode == dns.RcodeServerFailure:
		return bogus
	case m.Rcode != dns.RcodeSuccess:
		return ""
	case m.AuthenticatedData:
		return secure
	}
	return insecure
}
