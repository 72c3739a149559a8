package lab

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Senders come to both hosts behind the name, each of which has a pair of its own.
func TestSecondMX(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1, SecondMX: true, SecondLeaf: &LeafOptions{}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	h := l.Hammer(ctx, HammerOptions{})
	both := func(c Counts) bool {
		return c.PerAddress[l.Postfix.Addr.Addr()] >= 3 && c.PerAddress[l.SecondPostfix.Addr.Addr()] >= 3
	}
	if err := h.Until(ctx, both); err != nil {
		t.Fatal(err)
	}
	if c := h.Counts(); c.Failed > 0 || c.MatchedBy[l.Live.TLSA(t, tlsa.EE)] < 3 || c.MatchedBy[l.SecondLive.TLSA(t, tlsa.EE)] < 3 || len(c.PerAddress) != 2 {
		t.Errorf("want that both pairs are verified: %s\n%v", c, c.PerAddress)
	}

	l.SecondPostfix.Install(t, l.Certificates().Issue(t, LeafOptions{}))
	swapped := time.Now()
	l.SecondPostfix.RunReload(t)
	if err := h.Until(ctx, func(c Counts) bool { return c.Failed >= 3 && both(c.Since(swapped)) }); err != nil {
		t.Fatal(err)
	}
	l.Stop(t, l.SecondPostfix.Name)
	stopped := time.Now()
	if err := h.Until(ctx, func(c Counts) bool { return c.Since(stopped).Total >= 5 }); err != nil {
		t.Fatal(err)
	}
	c := h.Stop()
	t.Log(c)
	if c.Before(swapped).Failed > 0 || c.Since(stopped).Failed > 0 {
		t.Errorf("failed before the swap: %s\nand with one host down: %s", c.Before(swapped), c.Since(stopped))
	}
	first := c.Only(func(h Handshake) bool { return h.Address == l.Postfix.Addr.Addr() })
	if first.Failed > 0 || first.Total < 6 {
		t.Errorf("the host that stays as it is: %s", first)
	}
}

func TestTwoChains(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1, RSA: true})
	check := func(when string, ecdsa, rsa *Pair) {
		t.Helper()
		for _, tc := range []struct {
			takes []KeyType
			want  *Pair
		}{{nil, ecdsa}, {[]KeyType{ECDSA}, ecdsa}, {[]KeyType{RSA}, rsa}, {[]KeyType{RSA, ECDSA}, rsa}} {
			h := l.Finger(0, Host, 25, tc.takes...)
			want := Unverified
			if tc.want != nil {
				want = Verified
			}
			if h.Outcome != want || tc.want != nil && h.MatchedBy != tc.want.TLSA(t, tlsa.EE) {
				t.Errorf("%s, who takes %v: %s by %q\n%s", when, tc.takes, h.Outcome, h.MatchedBy, h.Output)
			}
		}
	}
	check("at first", l.Live, l.LiveRSA)
	l.Postfix.Install(t, l.Certificates().Issue(t, LeafOptions{KeyType: RSA}))
	l.Postfix.RunReload(t)
	check("with another RSA pair", l.Live, nil)
}

func TestLegoFiles(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1, LegoFiles: true})
	if h := l.Finger(0, Host, 25); h.Outcome != Verified || h.MatchedBy != l.Live.TLSA(t, tlsa.EE) {
		t.Errorf("at first: %s by %q\n%s", h.Outcome, h.MatchedBy, h.Output)
	}
	next := l.Certificates().Issue(t, LeafOptions{})
	l.Postfix.Lego.Renew(t, next)
	for file, want := range map[string]string{l.Postfix.Lego.Cert: next.Fullchain(), l.Postfix.Lego.Key: next.Privkey()} {
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if source, err := os.ReadFile(want); err != nil || string(got) != string(source) || !strings.HasPrefix(file, l.Postfix.Lego.Dir) {
			t.Errorf("%s differs from %s (%v)", file, want, err)
		}
	}
	l.Postfix.RunReload(t)
	if h := l.Finger(0, Host, 25); h.Outcome != Unverified {
		t.Errorf("renewed behind everyone's back: %s\n%s", h.Outcome, h.Output)
	}
}
