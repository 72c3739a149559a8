package lab

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A server comes into the NS set, late, and another one goes, and is stale.
func TestNSSetChanges(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 2, TTL: time.Second, NSTTL: time.Second, Zones: []string{"example.net."}})
	q := Question{Owner(25), "TLSA"}
	live, added := l.Live.TLSA(t, tlsa.EE), "3 1 1 "+strings.Repeat("0a", 32)
	holds := func(at netip.AddrPort, want ...string) {
		t.Helper()
		slices.Sort(want)
		if a, err := l.Query(t.Context(), at, q); err != nil || !slices.Equal(a.RDATA, want) {
			t.Errorf("%s: %v, %v, want %v", at, a.RDATA, err, want)
		}
	}

	third := l.AddSecondary(t)
	if third.Name != "secondary-3" || third.Host != "ns3.example.org." {
		t.Errorf("it is %s, %s", third.Name, third.Host)
	}
	third.Hold()
	l.HoldSecondary() // before there is a change: an NSD that is told of one twice looks each second from then on
	l.Update(t, Add(q.Name+" 1 TLSA "+added))
	l.ReleaseSecondary(t)
	holds(l.Secondary, live, added)
	holds(third.Addr, live)
	l.Stop(t, third.Name)
	l.StartAgain(t, third.Name)
	holds(third.Addr, live)
	third.Release(t)
	holds(third.Addr, live, added)

	servers := []string{"ns1.example.org.", "ns3.example.org."}
	for _, zone := range []string{Domain, "example.net."} {
		l.SetNS(t, zone, servers...)
		l.SetDelegation(t, zone, servers...)
		third.Release(t)
		for _, at := range []netip.AddrPort{l.Primary, third.Addr} {
			if a, err := l.Query(t.Context(), at, Question{zone, "NS"}); err != nil || !slices.Equal(a.RDATA, servers) {
				t.Errorf("%s: %s NS: %v, %v, want %v", at, zone, a.RDATA, err, servers)
			}
		}
	}
	want := map[string]string{servers[0]: l.Primary.Addr().String(), servers[1]: third.Addr.Addr().String()}
	if diff := cmp.Diff(want, l.referral(t, Domain)); diff != "" {
		t.Errorf("the parent refers to: -want +got:\n%s", diff)
	}
	if a, err := l.Query(t.Context(), l.Secondary, Question{Domain, "NS"}); err != nil || slices.Equal(a.RDATA, servers) {
		t.Errorf("the server that is out: NS %v, %v, want what it had", a.RDATA, err)
	}

	// Without the two others only the new one is left to ask.
	l.Stop(t, "secondary")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := await(ctx, func(ctx context.Context) error {
		return l.holdsNS(ctx, servers)
	}); err != nil {
		t.Fatal(err)
	}
	l.Stop(t, "primary")
	if h := l.Finger(1, Host, 25); h.Outcome != Verified {
		t.Errorf("by the new server alone: %s\n%s", h.Outcome, h.Output)
	}
	l.StartAgain(t, "primary")
}

// holdsNS says whether the senders' second resolver has the new NS set.
func (l *Lab) holdsNS(ctx context.Context, servers []string) error {
	a, err := l.Query(ctx, l.Resolvers[1], Question{Domain, "NS"})
	if err == nil && (!a.Secure || !slices.Equal(a.RDATA, servers)) {
		err = errors.New("it has the old NS set")
	}
	return err
}

// referral is the servers, with addresses, that the parent refers to.
func (l *Lab) referral(t *testing.T, zone string) map[string]string {
	t.Helper()
	m, err := l.ask(t.Context(), l.Parent, "www."+zone, dns.TypeA)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, rr := range m.Ns {
		if ns, ok := rr.(*dns.NS); ok {
			got[ns.Ns] = ""
		}
	}
	for _, rr := range m.Extra {
		if a, ok := rr.(*dns.A); ok {
			got[a.Hdr.Name] = a.A.String()
		}
	}
	return got
}
