package facts

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestServer(t *testing.T) {
	owner, target := tlsa.Owner("_25._tcp.mx1.example.org."), tlsa.Owner("tlsa.example.org.")
	until := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rrset := tlsa.RRset{TTL: time.Hour}
	ns1 := lookup.Server{Name: "ns1.example.org.", Address: netip.MustParseAddrPort("192.0.2.53:53")}
	v := lookup.View{Owner: owner, Target: target}
	for _, test := range []struct {
		name string
		in   lookup.ServerView
		want rollover.ServerView
	}{
		{"signed", lookup.ServerView{Server: ns1, Asked: target, RRset: rrset, NSTTL: time.Minute, Proof: lookup.Verified, SignedUntil: until, SignedFor: time.Hour},
			rollover.ServerView{Name: "ns1.example.org.", Address: "192.0.2.53:53", NSTTL: time.Minute, Answer: rollover.Seen(rrset), SignedUntil: until, SignedFor: time.Hour}},
		{"unsigned", lookup.ServerView{Server: ns1, Asked: target, RRset: rrset, Proof: lookup.Unproved},
			rollover.ServerView{Name: "ns1.example.org.", Address: "192.0.2.53:53", Answer: rollover.Seen(rrset), Unsigned: true}},
		{"of the alias", lookup.ServerView{Server: ns1, Asked: owner, Leads: string(target), Proof: lookup.Verified},
			rollover.ServerView{Name: "ns1.example.org.", Address: "192.0.2.53:53 for _25._tcp.mx1.example.org.", Alias: true, Answer: rollover.Seen(tlsa.RRset{})}},
		{"silent", lookup.ServerView{Server: ns1, Asked: target, Err: "no answer", RRset: rrset},
			rollover.ServerView{Name: "ns1.example.org.", Address: "192.0.2.53:53", Answer: rollover.Unseen[tlsa.RRset]("no answer")}},
		{"bogus", lookup.ServerView{Server: ns1, Asked: target, Err: "signature expired", Fault: lookup.FaultExpired},
			rollover.ServerView{Name: "ns1.example.org.", Address: "192.0.2.53:53", Bogus: true, Answer: rollover.Unseen[tlsa.RRset]("signature expired")}},
		{"without a route", lookup.ServerView{Server: ns1, Asked: target, Err: "no route", FamilyUntested: true},
			rollover.ServerView{Name: "ns1.example.org.", Address: "192.0.2.53:53", Untested: true, Answer: rollover.Unseen[tlsa.RRset]("no route")}},
		{"without an address", lookup.ServerView{Server: lookup.Server{Name: "ns9.example.org."}, Asked: target, Err: "no address"},
			rollover.ServerView{Name: "ns9.example.org.", Address: "ns9.example.org. (no address)", Answer: rollover.Unseen[tlsa.RRset]("no address")}},
		{"retained", lookup.ServerView{Server: ns1, Source: lookup.SourceRetained, Asked: target, RRset: rrset, Proof: lookup.ByResolver},
			rollover.ServerView{Name: "ns1.example.org.", Address: "192.0.2.53:53", Retained: true, Answer: rollover.Seen(rrset)}},
	} {
		if diff := cmp.Diff(test.want, server(v, test.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
