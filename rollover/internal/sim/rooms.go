package sim

import (
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// stash keeps chains; nobody asks for their keys here.
type stash struct{ s *shell }

func (t stash) Put(p certwatch.Pair) (string, error) {
	t.s.fuse.point("before a pair is copied")
	t.s.stash[p.ID()] = true
	t.s.fuse.point("after a pair is copied")
	return t.Path(p.ID()), nil
}

func (t stash) Get(id tlsa.ChainID) (certwatch.Pair, error) {
	if !t.s.stash[id] {
		return certwatch.Pair{}, fmt.Errorf("stash: %s: %w", id.Short(), fs.ErrNotExist)
	}
	for _, h := range t.s.Hosts {
		if bad := h.Stash[id]; bad != "" {
			return certwatch.Pair{}, rejection(bad)
		}
	}
	return certwatch.Pair{Chain: t.s.Chains[id]}, nil
}

func (t stash) Path(id tlsa.ChainID) string { return filepath.Join("stash", string(id)) }

func (t stash) Remove(id tlsa.ChainID) error {
	for name, h := range t.s.Hosts {
		if h.Live == id {
			t.s.broke("%s: the pair in use is thrown away: %s", name, id.Short())
		}
		if l := t.s.State.Lineages[name]; slices.Contains([]tlsa.ChainID{l.Live, l.Previous, l.Successor, l.Queued}, id) {
			t.s.broke("%s: a pair that has a part in a rollover is thrown away: %s", name, id.Short())
		}
	}
	delete(t.s.stash, id)
	return nil
}

func (t stash) List() ([]tlsa.ChainID, error) { return slices.Sorted(maps.Keys(t.s.stash)), nil }

func (stash) Sweep() ([]string, error) { return nil, nil }

// reader reads what the ACME client left, torn at times.
type reader struct{ s *shell }

func (r reader) Load(f certwatch.Files, _ ...certwatch.PrivateKey) (certwatch.Pair, error) {
	id := r.s.staged[strings.TrimSuffix(f.Cert, ".crt")]
	switch {
	case id == "":
		return certwatch.Pair{}, fs.ErrNotExist
	case r.s.unlucky(40, "read "+f.Cert):
		return certwatch.Pair{}, rejection("the key does not fit the certificate")
	}
	return certwatch.Pair{Chain: r.s.Chains[id]}, nil
}

// LoadKey reads nothing: the clients of this world keep no next keys.
func (r reader) LoadKey(path string) (certwatch.KeyFile, error) {
	return certwatch.KeyFile{}, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
}

// prober shakes hands with the hosts of the world.
type prober struct{ s *shell }

func (p prober) Address(_ context.Context, e probe.Endpoint, address netip.AddrPort) []probe.Result {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	var out []probe.Result
	for _, shown := range p.s.handshakes(p.s.endpoint(e.Host, e.Port)) {
		if shown.Address != address.String() {
			continue
		}
		r := probe.Result{Address: address, Offer: probe.Offer{SNI: shown.SNI, Algorithm: shown.Algorithm}}
		if shown.Algorithm == "any" {
			r.Offer.Algorithm = ""
		}
		switch shown.Outcome {
		case rollover.Served:
			r.Outcome, r.Chain = probe.Served, p.s.Chains[shown.Chain]
		case rollover.NoTLS:
			r.Outcome, r.Err = probe.NoSTARTTLS, rejection(shown.Err)
		default:
			r.Outcome, r.Err = probe.Unreachable, rejection(shown.Err)
		}
		out = append(out, r)
	}
	return out
}

// endpoint is the one of some lineage that is at a port of a host.
func (w *World) endpoint(host string, port uint16) rollover.Endpoint {
	for _, name := range w.lineages() {
		for _, e := range w.Policy.Lineages[name].Endpoints {
			if e.Host == host && e.Port == port {
				return e
			}
		}
	}
	return rollover.Endpoint{}
}

// looker asks the servers of the world.
type looker struct{ s *shell }

// Owner is a look of the rules where a pass asks. The audit looks, too, for what is to be told:
// of what came and went between two looks of theirs the rules know no more for that.
func (l looker) Owner(ctx context.Context, owner tlsa.Owner, retained ...lookup.Retained) lookup.View {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.aside = ctx.Value(byPass{}) == nil
	defer func() { l.s.aside = false }()
	seen := l.s.view(owner, func(s *Server) bool {
		return slices.ContainsFunc(retained, func(r lookup.Retained) bool { return r.Address == s.at() })
	})
	v := lookup.View{Owner: owner, Target: seen.Target, Zone: seen.Zone, AliasTTL: seen.AliasTTL, Security: lookup.Security(seen.Security), Err: seen.Err}
	for _, s := range seen.Servers {
		x := lookup.ServerView{Server: lookup.Server{Name: s.Name, Address: serverAt(s.Address)}, Zone: zoneName, Source: lookup.SourceParent, NSTTL: s.NSTTL,
			Asked: seen.Target, RRset: s.Answer.Value, SignedUntil: s.SignedUntil, Err: s.Answer.Err}
		if s.Retained {
			x.Source = lookup.SourceRetained
		}
		if s.Answer.Known() && !s.Unsigned {
			x.Proof = lookup.Verified
		}
		v.Servers = append(v.Servers, x)
	}
	return v
}

// at is where a server listens.
func (s *Server) at() netip.AddrPort { return serverAt(s.Address) }

func serverAt(address string) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(address), 53)
}

func (l looker) Host(_ context.Context, name string) lookup.HostView {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	v := lookup.HostView{Host: name, Target: name, Security: lookup.Secure}
	v.IPv4.TTL, v.IPv4.Security, v.IPv6.Security = time.Minute, lookup.Secure, lookup.Secure
	for _, lineage := range l.s.lineages() {
		if !slices.ContainsFunc(l.s.Policy.Lineages[lineage].Endpoints, func(e rollover.Endpoint) bool { return e.Host == name }) {
			continue
		}
		at := l.s.addresses(l.s.Hosts[lineage], 0)
		if !at.Known() {
			v.IPv4 = lookup.AddressSet{Err: at.Err}
			return v
		}
		for _, a := range at.Value {
			if ip := netip.MustParseAddrPort(a.Address).Addr(); !slices.Contains(v.IPv4.Addresses, ip) {
				v.IPv4.Addresses = append(v.IPv4.Addresses, ip)
			}
		}
	}
	return v
}

func (l looker) Ask(_ context.Context, name string, qtype uint16) lookup.Answer {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.s.unlucky(200, "ask for "+name) {
		return lookup.Answer{Security: lookup.Indeterminate, Err: "resolver: timeout"}
	}
	a := lookup.Answer{Security: lookup.Secure}
	if qtype != dns.TypeTLSA {
		return a
	}
	for _, r := range l.s.Zone[tlsa.Owner(name)].RRset.Associations {
		if _, err := hex.DecodeString(r.Data); err != nil {
			l.s.T.Fatal(err)
		}
		a.Records = append(a.Records, &dns.TLSA{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTLSA, Class: dns.ClassINET, Ttl: 60},
			Usage: uint8(r.Usage), Selector: uint8(r.Selector), MatchingType: uint8(r.Matching), Certificate: r.Data})
	}
	return a
}

func (looker) ZoneOf(context.Context, string) (string, error) { return zoneName, nil }

// host installs and reloads.
type host struct {
	s       *shell
	lineage string
}

func (h host) Installed() (string, error) {
	if id := h.s.Hosts[h.lineage].Live; id != "" {
		return stash{h.s}.Path(id), nil
	}
	return "", nil
}

func (h host) Pairs() []swap.Files { return nil }

func (h host) Adopt(entry string) error {
	h.s.fuse.point("before it is adopted")
	h.s.Hosts[h.lineage].Live = tlsa.ChainID(filepath.Base(entry))
	h.s.fuse.point("after it is adopted")
	return nil
}

func (h host) Switch(_ context.Context, entry string) (swap.Result, error) {
	to := tlsa.ChainID(filepath.Base(entry))
	l := h.s.State.Lineages[h.lineage]
	sw := h.s.decide(h.lineage, l.Swapping != nil && l.Swapping.To != to)
	sw.recalled = !l.Recalled.IsZero()
	h.s.fuse.point("before the swap")
	r := h.s.swap(h.lineage, to, sw, func() { h.s.fuse.point("between switch and reload") })
	h.s.fuse.point("after the swap")
	if r.Err == "" {
		return swap.Result{}, nil
	}
	failed := &swap.Error{Lineage: h.lineage, Step: swap.StepCheck, Err: rejection(r.Err)}
	if r.Switched {
		failed.Step, failed.Switched = swap.StepReload, true
	}
	return swap.Result{}, failed
}
