package main

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestReloadFails holds that a swap that goes wrong is undone and stays so until
// somebody mends it: the old pair is served again, both records stay, and it is
// said why. A later rollover finishes.
func TestReloadFails(t *testing.T) {
	t.Parallel()
	right := short(setting{endpoints: []string{"imaps://" + lab.Host}})
	h := newHost(t, lab.Options{TTL: 2 * time.Second, Resolvers: 1, Dovecot: true}, right)
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.must(exitDone, "adopt", "mx1")
	h.must(exitWaiting, "rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey())
	for _, test := range []struct {
		name    string
		setting setting
		says    string
	}{
		{"missing", setting{reload: "[[postfixx, reload]]"}, "swap-failed: mx1: reload: postfixx reload: not found in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin (hint: install it, or write its whole path), and so on the way back"},
		{"fails", setting{reload: "[['false']]"}, "swap-failed: mx1: reload: false: exit status 1, and so on the way back"},
		{"hangs", setting{reload: "[[sleep, '600']]", timeout: "1s"}, "swap-failed: mx1: reload: sleep 600: not done after 1s, killed with all it started (hint: raise timeout, or find out what it waits for), and so on the way back"},
		{"changes nothing", setting{reload: "[['true']]"}, "swap-failed: 127.77.0.25:993 still presents ID"},
		{"forgets a server", setting{reload: "[" + argv(h.Postfix.Reload) + "]"}, "swap-failed: 127.77.0.25:993 still presents ID"},
		{"check fails", setting{check: "[['false']]"}, "swap-failed: mx1: check: false: exit status 1"},
		{"nowhere to install to", setting{install: "[{path: /nowhere/mx1.pem}]"}, "swap-failed: mx1: install: /nowhere/mx1.pem: no such file or directory (hint: make the directory first)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.setting
			s.knownTTL, s.settle, s.endpoints = right.knownTTL, "1s", right.endpoints
			h.configure(s)
			begin := time.Now()
			out, errs := h.must(exitPerson, "rollover", "mx1", "--wait")
			t.Logf("after %s\n%s%s", time.Since(begin).Round(time.Millisecond), errs, out)
			lines := strings.Split(h.steady(said(errs.String())), "\n")
			want := test.says + "; the old pair is live, and the records of both stay; tried again at TIME, on a new pair, or by tlsaroll rollover mx1"
			got := strings.Replace(lines[len(lines)-1], ":25 still", ":993 still", 1) // whichever was looked at first
			if got != want {
				t.Errorf("it says\n%s\nwant\n%s", got, want)
			}
			h.undone(t, next)
			h.keepsSecrets(t, out, errs)
		})
	}
	h.configure(right)
	h.must(exitDone, "rollover", "mx1", "--wait=retired")
	for _, port := range []uint16{25, 993} {
		h.only(lab.Owner(port), next.TLSA(t, tlsa.EE))
	}
	h.soonPresents(t, next)
	if got := h.presentsIMAPS(t); got != leafID(next) {
		t.Errorf("Dovecot presents %s, want %s", got, leafID(next))
	}
}

// undone wants the old pair live and served, both records published, and the
// status to say what is held.
func (h *host) undone(t *testing.T, next *lab.Pair) {
	t.Helper()
	for _, port := range []uint16{25, 993} {
		h.only(lab.Owner(port), h.Lab.Live.TLSA(t, tlsa.EE), next.TLSA(t, tlsa.EE))
		if f := h.Finger(0, lab.Host, port); f.Outcome != lab.Verified {
			t.Errorf("port %d: %s\n%s", port, f.Outcome, f.Output)
		}
	}
	if got := h.presentsIMAPS(t); got != leafID(h.Live) {
		t.Errorf("Dovecot presents %s, want %s", got, leafID(h.Live))
	}
	h.Postfix.RunReload(t) // where ours could not: processes from meanwhile have read the new pair
	h.soonPresents(t, h.Live)
	s := h.state()
	if s.Held == nil || s.Live == nil || s.Live.Leaf != leafID(h.Live) || s.Successor == nil || s.Successor.Leaf != leafID(next) {
		t.Errorf("status: held %v, live %v, successor %v", s.Held, s.Live, s.Successor)
	}
}

// presentsIMAPS is the leaf that Dovecot presents.
func (h *host) presentsIMAPS(t *testing.T) string {
	t.Helper()
	conn, err := tls.Dial("tcp", h.Dovecot.Addr.String(), &tls.Config{ServerName: lab.Host, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return digest(conn.ConnectionState().PeerCertificates[0].Raw)
}
