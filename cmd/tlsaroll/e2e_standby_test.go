package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// servedMost is from a certificate of a standby key that is handed in until it was seen
// to be served, beside the time that the server's reload takes.
const servedMost = time.Second

// TestStandbyKey renews several times with the standby key, each time as soon as a cache
// cannot lack its record any more: by the certificate alone, which is handed in without
// the key that never left this host, or by key and certificate in the staged files.
// Nothing waits for DNS, no handshake fails, and no record stays behind.
func TestStandbyKey(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 1}, setting{})
	h.configure(setting{scheme: "ee+standby", staged: staged(h.Lego())})
	d := h.run()
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3, Stagger: lifeTTL})
	reload := h.reloadTakes()
	last := h.Live
	for n, way := range []string{"handed in without its key", "staged with its key", "handed in without its key"} {
		ready := h.eventually(time.Minute, "with a standby key that is ready", func(s rollover.LineageStatus) bool {
			return s.Standby != nil && s.Standby.Phase == rollover.Ready && s.Phase == rollover.Steady
		})
		h.only(lab.Owner(25), last.TLSA(t, tlsa.EE), ready.Standby.Record)
		key := h.nextKey()
		next := h.Certificates().Issue(t, lab.LeafOptions{Key: key})
		if got := next.TLSA(t, tlsa.EE); got != ready.Standby.Record {
			t.Fatalf("the next key's record is %s, and %s stands", got, ready.Standby.Record)
		}
		begun := time.Now()
		if strings.HasPrefix(way, "handed") {
			code, _, errs := h.tlsaroll("rollover", "mx1", "--cert", next.Fullchain(), "--wait")
			if code != exitDone {
				t.Fatalf("exit %d\n%s", code, errs)
			}
			took := time.Since(begun)
			t.Logf("%d, %s: served and verified after %s, of which the reload takes %s", n+1, way, took.Round(time.Millisecond), reload.Round(time.Millisecond))
			if took > servedMost+reload+h.Late(time.Now()) {
				t.Errorf("%s: served and verified only after %s; the reload takes %s", way, took, reload)
			}
		} else {
			h.Lego().Renew(t, next)
			h.eventually(20*time.Second, "swapped", live(next))
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			done, err := d.Line(ctx, begun, "swap mx1")
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			took := done.At.Sub(begun) - time.Second
			t.Logf("%d, %s: swapped after quiet and %s", n+1, way, took.Round(time.Millisecond))
			if took > takeUpMost+reload+h.Late(done.At) {
				t.Errorf("%s: swapped only after quiet and %s; the reload takes %s", way, took, reload)
			}
		}
		h.soonPresents(t, next)
		last = next
	}
	end := h.eventually(time.Minute, "steady", func(s rollover.LineageStatus) bool {
		return s.Phase == rollover.Steady && s.Standby != nil && len(s.Waiting)+len(s.Warnings) == 0
	})
	h.only(lab.Owner(25), last.TLSA(t, tlsa.EE), end.Standby.Record)
	if keys, err := filepath.Glob(filepath.Join(h.Dir, "tlsaroll", "keys", "*")); err != nil || len(keys) != 1 || filepath.Base(keys[0]) != "mx1.pem" {
		t.Errorf("the keys are %q, %v", keys, err)
	}
	h.unharmed(hammer, 25)
}

// nextKey has next-key hand out the key, and holds the request for it to that.
func (h *host) nextKey() crypto.Signer {
	h.t.Helper()
	out := filepath.Join(h.Dir, "next.pem") // what is said is searched for keys
	ask := func(args ...string) []byte {
		code, _, errs := h.tlsaroll(append([]string{"next-key", "mx1", "--out", out}, args...)...)
		if code != exitDone {
			h.t.Fatalf("next-key %q: exit %d\n%s", args, code, errs)
		}
		block, _ := pem.Decode([]byte(h.read(out)))
		if block == nil {
			h.t.Fatalf("next-key %q wrote no PEM", args)
		}
		return block.Bytes
	}
	key, err := x509.ParsePKCS8PrivateKey(ask())
	if err != nil {
		h.t.Fatal(err)
	}
	request, err := x509.ParseCertificateRequest(ask("--csr"))
	if err != nil {
		h.t.Fatal(err)
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(request.PublicKey) || !slices.Equal(request.DNSNames, []string{lab.Host}) {
		h.t.Fatalf("the request is for %q, or another key", request.DNSNames)
	}
	return signer
}

// reloadTakes is for how long the server's reload command runs.
func (h *host) reloadTakes() time.Duration {
	h.t.Helper()
	var most time.Duration
	for range 3 {
		begun := time.Now()
		if out, err := h.command(h.Postfix.Reload[0], h.Postfix.Reload[1:]...); err != nil {
			h.t.Fatalf("%v: %s", err, out)
		}
		most = max(most, time.Since(begun))
	}
	return most
}
