package tlsa_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestRRset(t *testing.T) {
	a, b, c := tlsa.Association{tlsa.EE, "aa"}, tlsa.Association{tlsa.EE, "bb"}, tlsa.Association{tlsa.TA, "cc"}
	given := []tlsa.Association{b, a, c, a}
	s := tlsa.NewRRset(time.Hour, given...)
	if !slices.Equal(s.Associations, []tlsa.Association{c, a, b}) || s.TTL != time.Hour {
		t.Errorf("got %v: neither sorted nor distinct", s)
	}
	if !slices.Equal(given, []tlsa.Association{b, a, c, a}) {
		t.Error("the arguments were changed")
	}
	if s.Denial() || !(tlsa.RRset{TTL: time.Hour}).Denial() {
		t.Error("Denial: one without records is one")
	}
	if !s.Has(a) || s.Has(tlsa.Association{tlsa.EE, "ab"}) || s.Has(tlsa.Association{tlsa.TA, "aa"}) {
		t.Error("Has: those that are there and no other")
	}
	if !s.HasParams(tlsa.TA) || s.HasParams(tlsa.Params{tlsa.DANEEE, tlsa.Cert, tlsa.SHA256}) {
		t.Error("HasParams: those that are there and no other")
	}
	if got := s.Without(a, c); !got.Same(tlsa.NewRRset(0, b)) || got.TTL != time.Hour || !s.Has(a) {
		t.Errorf("Without: got %v", got)
	}
	if got := tlsa.NewRRset(time.Minute, a).With(c, b, a); !got.Same(s) || got.TTL != time.Minute {
		t.Errorf("With: got %v", got)
	}
	if got := tlsa.NewRRset(0, a).Missing(c, a, b); !slices.Equal(got, []tlsa.Association{c, b}) {
		t.Errorf("Missing: got %v", got)
	}
	if got := s.Missing(a, b); got != nil {
		t.Errorf("Missing: got %v", got)
	}
	if got := tlsa.NewRRset(time.Minute, b, c, a).Key(); got != s.Key() || s.Key() != "2 1 1 cc\n3 1 1 aa\n3 1 1 bb\n" {
		t.Errorf("Key: got %q", got)
	}
}

func TestRRsetJSON(t *testing.T) {
	s := tlsa.NewRRset(time.Hour, tlsa.Association{tlsa.EE, "bb"}, tlsa.Association{tlsa.TA, "cc"})
	b, err := json.Marshal(s)
	if want := `{"ttl":3600000000000,"associations":["2 1 1 cc","3 1 1 bb"]}`; err != nil || string(b) != want {
		t.Errorf("got %s, %v", b, err)
	}
	var got tlsa.RRset
	if err := json.Unmarshal([]byte(`{"ttl":3600000000000,"associations":["3 1 1 BB","2 1 1 cc","3 1 1 bb"]}`), &got); err != nil || !got.Same(s) || got.TTL != s.TTL {
		t.Errorf("got %v, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`{"associations":["3 1 1"]}`), &got); err == nil || !got.Same(s) {
		t.Errorf("a record without data was read: %v, %v", got, err)
	}
}

// The planner asks these of every version and chain in every pass.
func TestNoAllocation(t *testing.T) {
	h := newHouse(t)
	a, b, ta := record(t, "3 1 1", h.now), record(t, "3 1 1", h.next), record(t, "2 1 1", h.root)
	s, same := tlsa.NewRRset(0, a, b, ta), tlsa.NewRRset(0, a, b, ta)
	full := tlsa.NewRRset(0, record(t, "3 1 0", h.now), record(t, "2 0 0", h.root))
	for name, f := range map[string]func() bool{
		"Has":           func() bool { return s.Has(a) },
		"HasParams":     func() bool { return s.HasParams(tlsa.TA) },
		"Same":          func() bool { return s.Same(same) },
		"Denial":        func() bool { return !s.Denial() },
		"Missing":       func() bool { return s.Missing(a) == nil },
		"Vouches":       func() bool { return s.Vouches(h.chain, smtp) == nil },
		"Vouches, Full": func() bool { return full.Vouches(h.chain, smtp) == nil },
		"Authenticates": func() bool { return s.Authenticates(h.nextChain, smtp) == nil },
		"Match":         func() bool { _, err := h.chain.Match(ta, smtp); return err == nil },
	} {
		ok := true
		if n := testing.AllocsPerRun(100, func() { ok = ok && f() }); n > 0 || !ok {
			t.Errorf("%s: %v allocations, answer %t", name, n, ok)
		}
	}
}
