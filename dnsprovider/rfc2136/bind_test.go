package rfc2136_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// bindConfig is for a real server, which takes its time.
func bindConfig(n *named) rfc2136.Config {
	c := config(&server{address: n.address})
	c.Timeout, c.ReadBack = 10*time.Second, time.Second
	return c
}

// TestBINDSaysNo: what a real server answers where something is wrong with the key, the
// clock or the rights.
func TestBINDSaysNo(t *testing.T) {
	n := startNamed(t, `update-policy { grant tlsaroll.example.org. name _25._tcp.mx.example.org. TLSA; grant other.example.org. zonesub A; };`)
	for _, test := range []struct {
		name   string
		change func(*rfc2136.Config)
		kind   dnsprovider.Kind
		want   string
	}{
		{"unknown key", func(c *rfc2136.Config) { c.KeyName = "nobody.example.org" }, dnsprovider.Unauthentic,
			`BADKEY: the server does not know the key, or not with this algorithm (the reply itself is not signed)`},
		{"another algorithm", func(c *rfc2136.Config) { c.Algorithm = "hmac-sha512" }, dnsprovider.Unauthentic,
			`BADKEY: the server does not know the key, or not with this algorithm (the reply itself is not signed)`},
		{"wrong secret", func(c *rfc2136.Config) { c.Secret = rfc2136.NewSecret(otherText) }, dnsprovider.Unauthentic,
			`BADSIG: the server finds the signature of the request wrong (the reply itself is not signed)`},
		{"clock behind", func(c *rfc2136.Config) { c.Now = func() time.Time { return time.Now().Add(-302 * time.Second) } }, dnsprovider.Refused,
			`BADTIME: the server finds that the request was signed at the wrong time: its clock says `},
		{"clock ahead", func(c *rfc2136.Config) { c.Now = func() time.Time { return time.Now().Add(1000 * time.Second) } }, dnsprovider.Refused,
			`(hint: one of the two clocks is wrong: is NTP running on both)`},
		{"no rights", func(c *rfc2136.Config) { c.KeyName, c.Secret = otherKey, rfc2136.NewSecret(otherText) }, dnsprovider.Refused,
			`REFUSED: the server does not let this change be made (hint: does key "other.example.org." have update rights for TLSA at this name, e.g. grant other.example.org. name _25._tcp.mx.example.org. TLSA`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := bindConfig(n)
			test.change(&c)
			err := apply(t, newProvider(t, c), rrset(), rrset("1"))
			if !errors.Is(err, test.kind.Err()) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is\n%v, want one of kind %v\n%s", err, test.kind, test.want)
			}
		})
	}
	if got := n.stands(t, owner); !got.Denial() {
		t.Errorf("records stand: %v", got)
	}

	p := newProvider(t, bindConfig(n))
	if _, err := p.RRset(t.Context(), "", "_25._tcp.mx.example.net."); !errors.Is(err, dnsprovider.ErrOutsideZone) {
		t.Errorf("a name outside: %v", err)
	}
	c := bindConfig(n)
	c.Zone = "example.net"
	_, err := newProvider(t, c).RRset(t.Context(), "", "_25._tcp.mx.example.net.")
	if !errors.Is(err, dnsprovider.ErrRefused) {
		t.Errorf("a zone that is not there: %v", err)
	}

	// Rights for one name only: the others do not spoil it.
	errs := p.Apply(t.Context(), "", []dnsprovider.Change{
		{Owner: numbered(1), After: rrset("1")}, {Owner: owner, After: rrset("1")}, {Owner: numbered(2), After: rrset("1")},
	})
	if !errors.Is(errs[0], dnsprovider.ErrRefused) || errs[1] != nil || !errors.Is(errs[2], dnsprovider.ErrRefused) {
		t.Errorf("results are %v", errs)
	}
}

// TestBINDZoneCut: BIND takes an update below a zone cut and shows it to nobody
// (RFC 2136, section 7.18), so it is not sent.
func TestBINDZoneCut(t *testing.T) {
	n := startNamed(t, `allow-update { key "tlsaroll.example.org."; };`)
	n.put(t, "_tcp.mx.example.org.", "3600 IN NS ns.example.net.")
	err := apply(t, newProvider(t, bindConfig(n)), rrset(), rrset("1"))
	if !errors.Is(err, dnsprovider.ErrOutsideZone) || !strings.Contains(err.Error(), "below the zone cut at _tcp.mx.example.org.") {
		t.Errorf("error is %v", err)
	}
	c := bindConfig(n)
	c.Zone = ""
	errs := newProvider(t, c).Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, After: rrset("1")}, {Owner: numbered(1), After: rrset("1")}})
	if !errors.Is(errs[0], dnsprovider.ErrOutsideZone) || errs[1] != nil {
		t.Errorf("zone to be found: %v", errs)
	}
}

// TestBINDWildcard: see TestWildcardIsNotTheNameItself.
func TestBINDWildcard(t *testing.T) {
	for _, clauses := range []string{"", "dnssec-policy default;"} {
		n := startNamed(t, `allow-update { key "tlsaroll.example.org."; };`+clauses)
		n.put(t, "*._tcp.mx.example.org.", "3600 IN TLSA "+record("9").String())
		p := newProvider(t, bindConfig(n))
		if read, err := p.RRset(t.Context(), zone, owner); err != nil || !read.Denial() {
			t.Errorf("read %v, %v", read, err)
		}
		if err := apply(t, p, rrset(), rrset("1")); err != nil {
			t.Error(err)
		}
		if got := n.stands(t, owner); !got.Same(rrset("1")) {
			t.Errorf("%v stands", got)
		}
		if err := apply(t, p, rrset("1"), rrset()); err != nil {
			t.Error(err)
		}
		if got := n.stands(t, owner); !got.Same(rrset("9")) {
			t.Errorf("%v stands, want the wildcard's", got)
		}
	}
}

// TestBINDIgnoresAnAdditionBesideACNAME: what the prerequisite and the reading are for.
// Sent without them, it is answered with NOERROR.
func TestBINDIgnoresAnAdditionBesideACNAME(t *testing.T) {
	n := startNamed(t, `allow-update { key "tlsaroll.example.org."; };`)
	n.put(t, owner, "3600 IN CNAME _dane.example.org.")
	n.add(t, owner, "3600 IN TLSA "+record("1").String()) // NOERROR
	if got := n.stands(t, owner); !got.Denial() {
		t.Fatalf("this BIND puts records beside a CNAME: %v", got)
	}
	err := apply(t, newProvider(t, bindConfig(n)), rrset(), rrset("1"))
	if !errors.Is(err, dnsprovider.ErrAlias) {
		t.Errorf("error is %v", err)
	}
	if !strings.Contains(n.log.String(), "ignored") {
		t.Errorf("nothing in the server's log says that it ignored an addition:\n%s", n.log)
	}
}

// TestBINDManyOwners: several messages, the last not full.
func TestBINDManyOwners(t *testing.T) {
	n := startNamed(t, `allow-update { key "tlsaroll.example.org."; };`)
	p := newProvider(t, bindConfig(n))
	changes := additions(600)
	begin := time.Now()
	for i, err := range p.Apply(t.Context(), zone, changes) {
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	t.Logf("600 owners added, looked at before and after: %s", time.Since(begin).Round(time.Millisecond))
	for _, i := range []int{0, 249, 250, 599} {
		if got := n.stands(t, changes[i].Owner); !got.Same(tlsa.NewRRset(0, record("1"))) {
			t.Errorf("%s holds %v", changes[i].Owner, got)
		}
	}
}
