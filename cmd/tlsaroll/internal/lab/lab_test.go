package lab

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestEveryResolverVerifies(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	l := Start(t, Options{Dovecot: true, Resolvers: 8, TLSA: []tlsa.Params{tlsa.EE, tlsa.TA}})
	if up := time.Since(begun); up > 10*time.Second {
		t.Errorf("up after %s, want less than 10s", up)
	}
	for i := range l.Resolvers {
		for _, port := range []uint16{25, 993} {
			h := l.Finger(i, Host, port)
			if h.Outcome != Verified {
				t.Errorf("resolver %d, port %d: %s\n%s", i, port, h.Outcome, h.Output)
			}
			if want := l.Live.TLSA(t, tlsa.EE); h.MatchedBy != want {
				t.Errorf("resolver %d, port %d: matched by %q, want %q", i, port, h.MatchedBy, want)
			}
		}
	}
	if h := l.Finger(0, "ns1.example.org", 25); h.Outcome != NoRecords {
		t.Errorf("a host without TLSA: %s, want %s\n%s", h.Outcome, NoRecords, h.Output)
	}
	if h := l.Finger(0, "no.example.org", 25); h.Outcome != Lookup {
		t.Errorf("a name that does not exist: %s, want %s\n%s", h.Outcome, Lookup, h.Output)
	}
}

func TestDANETAWithNewIntermediate(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1, TTL: time.Second, TLSA: []tlsa.Params{tlsa.TA}, Leaf: LeafOptions{KeyType: RSA}})
	h := l.Finger(0, Host, 25)
	if h.Outcome != Verified || h.MatchedBy != l.Live.TLSA(t, tlsa.TA) {
		t.Errorf("before: %+v", h)
	}
	old := l.Certificates().Intermediate()
	l.Certificates().NewIntermediate(t)
	if l.Certificates().Intermediate().Equal(old) {
		t.Error("the intermediate is still the same")
	}
	l.Postfix.Install(t, l.Certificates().Issue(t, LeafOptions{}))
	l.Postfix.RunReload(t)
	if h := l.Finger(0, Host, 25); h.Outcome != Unverified {
		t.Errorf("a leaf of another intermediate: %s, want %s\n%s", h.Outcome, Unverified, h.Output)
	}
}

func TestAliasIntoAnotherZone(t *testing.T) {
	t.Parallel()
	target := "dane.mx1.example.net."
	l := Start(t, Options{
		Resolvers: 1, Zones: []string{"example.net."}, Alias: map[string]string{Owner(25): target},
		Records: []string{target + " 10 TLSA 3 1 1 " + strings.Repeat("0f", 32)},
	})
	if h := l.Finger(0, Host, 25); h.Outcome != Verified {
		t.Fatalf("%s\n%s", h.Outcome, h.Output)
	}
	got, err := l.Query(t.Context(), l.Resolver, Question{Owner(25), "TLSA"})
	if err != nil {
		t.Fatal(err)
	}
	want := Answer{
		RDATA:  []string{"3 1 1 " + strings.Repeat("0f", 32), l.Live.TLSA(t, tlsa.EE)},
		TTL:    10 * time.Second,
		Secure: true,
	}
	slices.Sort(want.RDATA)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if key := l.Key("example.net."); key.Name != "tlsaroll.example.net." {
		t.Errorf("key %s", key)
	}
}

func TestSecondary(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1})
	q := Question{Owner(25), "TLSA"}
	foreign := func(octet string) string { return "3 1 1 " + strings.Repeat(octet, 32) }
	has := func(record string) func(context.Context) error {
		return func(ctx context.Context) error {
			a, err := l.Query(ctx, l.Secondary, q)
			if err != nil {
				return err
			}
			if !slices.Contains(a.RDATA, record) {
				return errors.New("the secondary lacks " + record)
			}
			return nil
		}
	}
	reaches := func(record string, within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		return await(ctx, has(record))
	}

	l.Update(t, Add(q.Name+" 10 TLSA "+foreign("01")))
	if err := reaches(foreign("01"), time.Second); err != nil {
		t.Errorf("without a lag: %v", err)
	}

	l.HoldSecondary()
	l.Update(t, Add(q.Name+" 10 TLSA "+foreign("02")), Remove(q.Name+" 10 TLSA "+foreign("01")))
	if err := reaches(foreign("02"), time.Second); err == nil {
		t.Error("held back: it has the change")
	}
	l.ReleaseSecondary(t)
	if err := has(foreign("02"))(t.Context()); err != nil {
		t.Errorf("released: %v", err)
	}
	if err := has(foreign("01"))(t.Context()); err == nil {
		t.Error("released: it still has what was removed")
	}

	const lag = 2 * time.Second
	l.LagSecondary(lag)
	begun := time.Now()
	l.Update(t, Add(q.Name+" 10 TLSA "+foreign("03")))
	if err := reaches(foreign("03"), 2*lag); err != nil {
		t.Fatalf("lagging: %v", err)
	}
	took := time.Since(begun)
	t.Logf("a lag of %s was %s", lag, took)
	if took < lag || took > lag+time.Second {
		t.Errorf("a lag of %s was %s", lag, took)
	}
}

// One lab that ends leaves nothing of its own behind and all of another's.
func TestEndsAllAndOnlyItsOwn(t *testing.T) {
	t.Parallel()
	other := Start(t, Options{Resolvers: 1})
	var l *Lab
	t.Run("lab", func(t *testing.T) {
		l = Start(t, Options{Resolvers: 2, Dovecot: true})
		if l.MX == other.MX {
			t.Errorf("two labs have the address %s", l.MX)
		}
		l.Pause(t, "secondary")
	})
	if l == nil {
		return // skipped, which the subtest has said
	}
	for name, pid := range l.PIDs() {
		if err := gone(pid); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	present, err := l.block.present()
	if err != nil || len(present) > 0 {
		t.Errorf("addresses %v are left (%v)", present, err)
	}
	if _, err := os.Stat(l.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", l.Dir, err)
	}
	if h := other.Finger(0, Host, 25); h.Outcome != Verified {
		t.Errorf("the other lab: %s\n%s", h.Outcome, h.Output)
	}
}

func TestBlocksAreHeldOnce(t *testing.T) {
	t.Parallel()
	require(t, Options{}, thisMachine())
	a, err := takeBlock(t.Context(), []byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tryBlock(t.Context(), a.third, []byte{1}); !errors.Is(err, errBlockInUse) {
		t.Errorf("taken twice: %v", err)
	}
	conn, err := net.Listen("tcp", net.JoinHostPort(a.addr(1).String(), "0"))
	if err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	// As after a kill: the lock is gone and the addresses are still there.
	if err := a.lock.Close(); err != nil {
		t.Fatal(err)
	}
	// A process that another test is starting holds the lock for a moment longer.
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	var b *block
	if err := await(ctx, func(ctx context.Context) (err error) {
		b, err = tryBlock(ctx, a.third, []byte{2})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	present, err := b.present()
	if diff := cmp.Diff([]string{b.addr(2).String()}, addrStrings(present)); diff != "" || err != nil {
		t.Errorf("addresses after a kill: %v, -want +got:\n%s", err, diff)
	}
	if err := b.release(t.Context()); err != nil {
		t.Error(err)
	}
}

func addrStrings(addrs []netip.Addr) []string {
	var out []string
	for _, a := range addrs {
		out = append(out, a.String())
	}
	return out
}

// What resolvers find of zones and what other resolvers make of it.
func TestSecurityOfZones(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{
		Resolvers: 1, Zones: []string{"example.net.", "example.com."}, Unsigned: []string{"example.net."}, Bogus: []string{"example.com."},
		Records: []string{"mx1.example.net. 10 A 192.0.2.1", "mx1.example.com. 10 A 192.0.2.2"},
	})
	plain, astray := l.BadResolver(t, NoValidator), l.BadResolver(t, WrongAnchor)
	const fails = "SERVFAIL"
	for _, tc := range []struct {
		server netip.AddrPort
		name   string
		want   string
	}{
		{l.Resolver, "mx1.example.org.", "AD"},
		{l.Resolver, "mx1.example.net.", ""},
		{l.Resolver, "mx1.example.com.", fails},
		{plain, "mx1.example.org.", ""},
		{plain, "mx1.example.com.", ""},
		{astray, "mx1.example.org.", fails},
		{l.Primary, "mx1.example.net.", ""},
		{l.Secondary, "mx1.example.com.", ""},
	} {
		a, err := l.Query(t.Context(), tc.server, Question{tc.name, "A"})
		got := ""
		switch {
		case err != nil && strings.HasSuffix(err.Error(), fails):
			got = fails
		case err != nil || len(a.RDATA) != 1:
			t.Errorf("%s from %s: %v, %v", tc.name, tc.server, a, err)
		case a.Secure:
			got = "AD"
		}
		if got != tc.want {
			t.Errorf("%s from %s: %q, want %q", tc.name, tc.server, got, tc.want)
		}
	}
}
