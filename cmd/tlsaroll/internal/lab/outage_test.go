package lab

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Every kind of server goes away and comes back, and the lab's end finds no fault.
func TestStopAndStartAgain(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1, Dovecot: true, TTL: time.Second})
	q := Question{Owner(25), "TLSA"}
	record := "3 1 1 " + strings.Repeat("0a", 32)
	l.Update(t, Add(q.Name+" 1 TLSA "+record))
	l.ReleaseSecondary(t)
	for _, tc := range []struct {
		name string
		at   netip.AddrPort
		end  func(testing.TB, string)
	}{
		{"secondary", l.Secondary, l.Stop},
		{"secondary", l.Secondary, l.Kill},
		{"primary", l.Primary, l.Kill},
		{"parents", l.Parent, l.Stop},
		{resolverName(l.Resolvers[0]), l.Resolvers[0], l.Kill},
		{"postfix", l.Postfix.Addr, l.Stop},
		{"postfix", l.Postfix.Addr, l.Kill},
		{"dovecot", l.Dovecot.Addr, l.Kill},
	} {
		before := l.PIDs()[tc.name]
		tc.end(t, tc.name)
		if _, err := net.Dial("tcp", tc.at.String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s, ended: %v, want that connections are refused", tc.name, err)
		}
		if err := gone(before); err != nil {
			t.Errorf("%s, ended: %v", tc.name, err)
		}
		if pid, runs := l.PIDs()[tc.name]; runs {
			t.Errorf("%s, ended: is process %d", tc.name, pid)
		}
		l.StartAgain(t, tc.name)
		if pid := l.PIDs()[tc.name]; pid == 0 || pid == before {
			t.Errorf("%s, started again: process %d, was %d", tc.name, pid, before)
		}
		if strings.HasSuffix(tc.name, "ary") {
			if a, err := l.Query(t.Context(), tc.at, q); err != nil || !slices.Contains(a.RDATA, record) {
				t.Errorf("%s, started again: %v, %v, want what it had", tc.name, a, err)
			}
		}
	}
	for _, port := range []uint16{25, 993} {
		if h := l.Finger(0, Host, port); h.Outcome != Verified || h.MatchedBy != l.Live.TLSA(t, tlsa.EE) {
			t.Errorf("port %d, after all: %s\n%s", port, h.Outcome, h.Output)
		}
	}
}

// What the secondary had is what it starts with, even where nobody can tell it more.
func TestSecondaryStartsWithoutThePrimary(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1})
	q := Question{Owner(25), "TLSA"}
	l.HoldSecondary()
	old := []string{l.Live.TLSA(t, tlsa.EE)}
	l.Update(t, Add(q.Name+" 10 TLSA 3 1 1 "+strings.Repeat("0a", 32)))
	l.Pause(t, "secondary")
	l.Stop(t, "secondary")
	l.StartAgain(t, "secondary")
	if a, err := l.Query(t.Context(), l.Secondary, q); err != nil || !slices.Equal(a.RDATA, old) {
		t.Errorf("held and started again: %v, %v, want %v", a, err, old)
	}
	l.Stop(t, "primary")
	l.Kill(t, "secondary")
	l.StartAgain(t, "secondary")
	if a, err := l.Query(t.Context(), l.Secondary, q); err != nil || !slices.Equal(a.RDATA, old) {
		t.Errorf("without its primary: %v, %v, want %v", a, err, old)
	}
	l.StartAgain(t, "primary")
	l.ReleaseSecondary(t)
	if a, err := l.Query(t.Context(), l.Secondary, q); err != nil || len(a.RDATA) != 2 {
		t.Errorf("released: %v, %v, want two records", a, err)
	}
}
