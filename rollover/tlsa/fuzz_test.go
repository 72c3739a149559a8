package tlsa_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func FuzzParseAssociation(f *testing.F) {
	h := newHouse(f)
	for _, combination := range []string{"3 1 1", "2 0 0", "2 1 0", "0 1 2"} {
		f.Add(record(f, combination, h.root).String())
	}
	f.Add("DANE-EE SPKI SHA2-256 ab cd")
	f.Add("255 255 255 00")
	f.Add(`\# 5 030101 abcd`)
	f.Fuzz(func(t *testing.T, s string) {
		a, err := tlsa.ParseAssociation(s)
		if err != nil {
			return
		}
		if again, err := tlsa.ParseAssociation(a.String()); err != nil || again != a {
			t.Errorf("%q: %v again is %v, %v", s, a, again, err)
		}
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var read tlsa.Association
		if err := json.Unmarshal(b, &read); err != nil || read != a {
			t.Errorf("%q: as JSON: %v, %v", s, read, err)
		}
		for _, chain := range []*tlsa.Chain{h.chain, h.noRoot} {
			depth, err := chain.Match(a, smtp)
			if (err == nil) != (depth >= 0) || err != nil && err.Error() == "" {
				t.Errorf("%q: depth %d, %v", s, depth, err)
			}
			if err == nil && a.Unusable(smtp) != nil {
				t.Errorf("%q: unusable, and it matches", s)
			}
		}
	})
}

func FuzzParseOwner(f *testing.F) {
	for _, s := range []string{"_25._tcp.mx1.example.org.", "_0._tcp.a", "_25._tcp", "*._tcp.A", "tlsa._dane.example", "\u212a", "..", `\.`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		owner, err := tlsa.ParseOwner(s)
		host, hostErr := tlsa.CanonicalHost(s)
		if (err == nil) != (hostErr == nil) || err == nil && host+"." != owner.String() {
			t.Errorf("%q: an owner %q (%v), a host %q (%v)", s, owner, err, host, hostErr)
		}
		if err != nil {
			return
		}
		name := owner.String()
		if again, err := tlsa.ParseOwner(name); err != nil || again != owner {
			t.Errorf("%q: %q again is %q, %v", s, owner, again, err)
		}
		if !strings.HasSuffix(name, ".") || len(name) > 254 || strings.ToLower(name) != name {
			t.Errorf("%q: %q is not canonical", s, owner)
		}
		if (owner.Port() == 0) != (owner.Base() == "") {
			t.Errorf("%q: port %d, base %q", s, owner.Port(), owner.Base())
		}
		if rest, ok := strings.CutPrefix(name, fmt.Sprintf("_%d._tcp.", owner.Port())); ok && owner.Port() != 0 {
			if made, err := tlsa.OwnerOf(owner.Port(), rest); err != nil || made != owner {
				t.Errorf("%q: made again: %q, %v", s, made, err)
			}
		}
	})
}

func FuzzParseChain(f *testing.F) {
	h := newHouse(f)
	f.Add(h.now.Raw, h.root.Raw)
	f.Add(h.root.Raw, h.root.Raw)
	f.Add([]byte{0x30, 0}, []byte(nil))
	f.Fuzz(func(t *testing.T, leaf, above []byte) {
		chain, err := tlsa.ParseChain(leaf, above)
		if err != nil {
			chain, err = tlsa.ParseChain(leaf)
		}
		if err != nil {
			return
		}
		probe(t, chain)
	})
}

func FuzzChainJSON(f *testing.F) {
	b, err := json.Marshal(newHouse(f).chain)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`[]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var chain tlsa.Chain
		if chain.UnmarshalJSON(b) == nil {
			probe(t, &chain)
		}
	})
}

// probe asks of a chain from anywhere what holds for each.
func probe(t *testing.T, chain *tlsa.Chain) {
	t.Helper()
	ee, err := chain.Association(tlsa.EE, 0)
	if err != nil {
		t.Fatal(err)
	}
	if depth, err := chain.Match(ee, smtp); depth != 0 || err != nil {
		t.Errorf("3 1 1 of the leaf: depth %d, %v", depth, err)
	}
	for i := range chain.Certificates() {
		for _, combination := range []tlsa.Params{tlsa.TA, {tlsa.DANETA, tlsa.Cert, tlsa.Full}, {tlsa.DANETA, tlsa.SPKI, tlsa.Full}, {tlsa.PKIXTA, tlsa.Cert, tlsa.SHA512}} {
			a, err := chain.Association(combination, i)
			if err != nil {
				t.Fatal(err)
			}
			depth, err := chain.Match(a, tlsa.Reference{Names: chain.Names(), Time: chain.NotAfter()})
			if (err == nil) != (depth >= 0) || err != nil && err.Error() == "" {
				t.Errorf("%s of certificate %d: depth %d, %v", combination, i, depth, err)
			}
		}
	}
	b, err := json.Marshal(chain)
	if err != nil {
		t.Fatal(err)
	}
	var again tlsa.Chain
	if err := json.Unmarshal(b, &again); err != nil || again.ID() != chain.ID() {
		t.Errorf("as JSON: %s, %v", again.ID(), err)
	}
}
