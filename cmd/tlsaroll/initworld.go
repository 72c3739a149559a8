package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/draft"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// How long init looks: a program of this host, and DNS for all names together.
const (
	askPatience  = 15 * time.Second
	lookPatience = 30 * time.Second
)

// initWorld looks at this host, and at what DNS says of the names that it may have.
func (p *program) initWorld(ctx context.Context, o initOptions) (draft.World, error) {
	w := draft.World{Found: finder.Find(ctx, p.thisHost()), Hosts: map[string]draft.HostDNS{}, Local: localAddresses(), Types: providerTypes(), File: o.output, Has: isThere}
	if o.output == "-" {
		w.File = p.configFile
	}
	names := slices.Clone(o.Hosts)
	for _, name := range draft.Candidates(w.Found) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return w, p.lookAt(ctx, &w, o, names)
}

// thisHost is where init looks.
func (p *program) thisHost() finder.Host {
	h := finder.Host{Files: os.DirFS("/"), Run: ask, Now: p.now()}
	if p.find != nil {
		p.find(&h)
	}
	return h
}

// ask runs a program of this host and gives all that it prints.
func ask(ctx context.Context, argv ...string) ([]byte, error) {
	program, err := subprocess.Find(argv[0])
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	var out bytes.Buffer
	_, err = subprocess.Command{Program: program, Argv: argv, Path: subprocess.Path, Stdout: &out}.Run(ctx)
	return out.Bytes(), err
}

// lookAt asks DNS about names, through the first resolver that validates.
func (p *program) lookAt(ctx context.Context, w *draft.World, o initOptions, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	pass, err := p.chooseResolver(ctx, w, o)
	if err != nil || pass == nil {
		return err
	}
	found := make([]draft.HostDNS, len(names))
	var looks errgroup.Group
	for i, name := range names {
		looks.Go(func() error { found[i] = lookAtHost(ctx, pass, name); return nil })
	}
	if err := looks.Wait(); err != nil {
		return err
	}
	for i, name := range names {
		w.Hosts[name] = found[i]
	}
	return nil
}

// chooseResolver tries those that may be on this host. Where none is to be believed the
// first stays, with the reason.
func (p *program) chooseResolver(ctx context.Context, w *draft.World, o initOptions) (*lookup.Pass, error) {
	var try []netip.AddrPort
	switch {
	case w.Resolver.IsValid() && w.Blind == "":
		try = append(try, w.Resolver)
	case o.resolver != "":
		at, err := parseResolver(o.resolver)
		if err != nil {
			return nil, usage(err)
		}
		if !at.Addr().IsLoopback() {
			return nil, usage(fmt.Errorf("--resolver %s: not on this host, so what it says of signatures may be anyone's word (hint: run one here, as unbound)", o.resolver))
		}
		try = append(try, at)
	default:
		if at, ok := config.System().SystemResolver(); ok {
			try = append(try, at)
		}
		for _, at := range []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53"), netip.MustParseAddrPort("[::1]:53")} {
			if !slices.Contains(try, at) {
				try = append(try, at)
			}
		}
	}
	passes, failed := make([]*lookup.Pass, len(try)), make([]error, len(try))
	var tests errgroup.Group // one that is silent takes its time
	for i, at := range try {
		client, err := lookup.New(lookup.Config{Resolver: at, Now: p.now, Exchange: p.exchange})
		if err != nil {
			return nil, err
		}
		passes[i] = client.NewPass(nil)
		tests.Go(func() error { failed[i] = passes[i].SelfTest(ctx); return nil })
	}
	if err := tests.Wait(); err != nil {
		return nil, err
	}
	for i, at := range try {
		if failed[i] == nil {
			w.Resolver, w.Blind = at, ""
			return passes[i], nil
		}
	}
	w.Resolver = try[0]
	w.Blind, _, _ = strings.Cut(failed[0].Error(), " (hint: ")
	return nil, nil
}

// initPorts are those at which records may stand.
var initPorts = []uint16{25, 110, 143, 465, 587, 993, 995, 4190}

// lookAtHost is all that is to be known of one name. The resolver is enough: nothing is
// decided by it that the daemon does not look at again.
func lookAtHost(ctx context.Context, pass *lookup.Pass, name string) draft.HostDNS {
	var out draft.HostDNS
	host := pass.Host(ctx, name)
	out.Addresses = host.Addresses()
	var err error
	if out.Domain, err = pass.ZoneOf(ctx, name); err != nil {
		out.Err = err.Error()
		return out
	}
	for _, rr := range pass.Ask(ctx, out.Domain, dns.TypeMX).Records {
		if mx, ok := rr.(*dns.MX); ok && mx.Mx != "." {
			out.MX = append(out.MX, strings.TrimSuffix(dns.CanonicalName(mx.Mx), "."))
		}
	}
	slices.Sort(out.MX)
	if out.Zone, out.Alias, err = recordsAt(ctx, pass, name); err != nil {
		out.Err = err.Error()
		return out
	}
	for _, rr := range pass.Ask(ctx, out.Zone, dns.TypeSOA).Records {
		if soa, ok := rr.(*dns.SOA); ok {
			out.Primary = dns.CanonicalName(soa.Ns)
		}
	}
	for _, rr := range pass.Ask(ctx, out.Zone, dns.TypeNS).Records {
		if ns, ok := rr.(*dns.NS); ok {
			out.Servers = append(out.Servers, dns.CanonicalName(ns.Ns))
		}
	}
	slices.Sort(out.Servers)
	out.Private = onlyPrivate(ctx, pass, out.Servers)
	out.Records = map[uint16][]tlsa.Association{}
	for _, port := range initPorts {
		owner, err := tlsa.OwnerOf(port, name)
		if err != nil {
			continue
		}
		answer := pass.Ask(ctx, string(owner), dns.TypeTLSA)
		if port == 25 {
			out.Security = string(answer.Security)
		}
		for _, rr := range answer.Records {
			if t, ok := rr.(*dns.TLSA); ok {
				if a, err := tlsa.ParseAssociation(fmt.Sprintf("%d %d %d %s", t.Usage, t.Selector, t.MatchingType, t.Certificate)); err == nil {
					out.Records[port] = append(out.Records[port], a)
				}
			}
		}
	}
	return out
}

// recordsAt is the zone that holds the TLSA records of a host's port 25, and where aliases lead
// on the way, "" without any.
func recordsAt(ctx context.Context, pass *lookup.Pass, host string) (zone, alias string, err error) {
	owner, err := tlsa.OwnerOf(25, host)
	if err != nil {
		return "", "", err
	}
	end, err := pass.Lead(ctx, string(owner))
	if err != nil {
		return "", "", err
	}
	if end = dns.CanonicalName(end); end != dns.CanonicalName(string(owner)) {
		alias = end
	}
	zone, err = pass.ZoneOf(ctx, end)
	return zone, alias, err
}

// onlyPrivate reports whether nobody outside can reach any server of a zone.
func onlyPrivate(ctx context.Context, pass *lookup.Pass, servers []string) bool {
	seen := false
	for _, name := range servers {
		for _, a := range pass.Host(ctx, name).Addresses() {
			if seen = true; !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
				return false
			}
		}
	}
	return seen
}

var (
	errNobody  = errors.New("init: the terminal has ended")
	errStopped = errors.New("init: interrupted: nothing was written")
)
