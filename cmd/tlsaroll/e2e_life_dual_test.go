package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLifeTwoKeysAtOneName: an ECDSA and an RSA lineage at one owner name, renewed at the
// same moment and then one after the other. Senders that take one kind of key only
// notice nothing.
func TestLifeTwoKeysAtOneName(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 3, RSA: true, Records: foreignRecord}, setting{})
	h.configure(setting{staged: staged(h.Lego())})
	ecdsa, rsa := h.Lego(), h.SecondLego()
	h.addLineage("mx1rsa", rsa, h.Postfix.CombinedRSA)
	d := h.run()
	logged(t, d)
	h.eventuallyBoth(30*time.Second, "adopted", func(a, b rollover.LineageStatus) bool { return a.Live != nil && b.Live != nil })
	hammers := []*lab.Tally{
		h.Hammer(t.Context(), lab.HammerOptions{Rate: 3}),
		h.Hammer(t.Context(), lab.HammerOptions{Rate: 3, Takes: []lab.KeyType{lab.ECDSA}}),
		h.Hammer(t.Context(), lab.HammerOptions{Rate: 3, Takes: []lab.KeyType{lab.RSA}}),
	}

	issue := func() (*lab.Pair, *lab.Pair) {
		return h.Certificates().Issue(t, lab.LeafOptions{}), h.Certificates().Issue(t, lab.LeafOptions{KeyType: lab.RSA})
	}
	e, r := issue()
	ecdsa.Renew(t, e)
	rsa.Renew(t, r)
	sibling := false
	h.eventuallyBoth(time.Minute, "calm", func(a, b rollover.LineageStatus) bool {
		sibling = sibling || says(rollover.CodeSiblingFirst, "mx1")(a) || says(rollover.CodeSiblingFirst, "mx1")(b)
		return calm(e)(a) && calm(r)(b)
	})
	if !sibling {
		t.Error("no lineage waited for the other")
	}
	h.only(lab.Owner(25), e.TLSA(t, tlsa.EE), r.TLSA(t, tlsa.EE), someoneElses)

	e, r2 := issue()
	ecdsa.Renew(t, e)
	h.eventuallyBoth(time.Minute, "swapped", func(a, b rollover.LineageStatus) bool { return a.Live.Leaf == leafID(e) })
	rsa.Renew(t, r2)
	h.eventuallyBoth(time.Minute, "calm", func(a, b rollover.LineageStatus) bool { return calm(e)(a) && calm(r2)(b) })
	for _, hammer := range hammers {
		h.unharmed(hammer, 40)
	}
	h.only(lab.Owner(25), e.TLSA(t, tlsa.EE), r2.TLSA(t, tlsa.EE), someoneElses)
}

// addLineage configures one more like mx1, with files of its own.
func (h *host) addLineage(name string, files *lab.Lego, install string) {
	h.t.Helper()
	text, err := os.ReadFile(h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	mx1 := string(text[bytes.Index(text, []byte("  mx1:\n")):])
	more := strings.NewReplacer("  mx1:\n", "  "+name+":\n", h.Postfix.Combined, install, staged(h.Lego()), staged(files)).Replace(mx1)
	if err := os.WriteFile(h.config, append(text, more...), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// eventuallyBoth is eventually for mx1 and mx1rsa.
func (h *host) eventuallyBoth(limit time.Duration, what string, want func(mx1, mx1rsa rollover.LineageStatus) bool) {
	h.t.Helper()
	h.eventually(limit, what, func(mx1 rollover.LineageStatus) bool {
		mx1rsa, _ := h.statusOf("mx1rsa")
		return want(mx1, mx1rsa)
	})
}
