package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestRecordTakenOutComesBack takes the live record out by hand, a moment after
// tlsaroll wrote to the zone itself: the next pass must notice and publish it again.
func TestRecordTakenOutComesBack(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: labTTL, Resolvers: 1, Records: []string{lab.Owner(25) + " 10 IN TLSA " + someoneElses}}, setting{})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.must(exitDone, "rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey(), "--wait=retired")
	h.Update(t, lab.Remove(lab.Owner(25)+" 10 IN TLSA "+next.TLSA(t, tlsa.EE)))
	h.must(exitDone, "once")
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
}

// TestSecondAlgorithm brings an RSA certificate beside the ECDSA one that is
// served, as a lineage of its own with the same endpoint.
func TestSecondAlgorithm(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: labTTL, Resolvers: 2}, setting{})
	h.must(exitDone, "adopt", "mx1")
	h.addRSALineage()
	rsa := h.Certificates().Issue(t, lab.LeafOptions{KeyType: lab.RSA})
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	h.must(exitDone, "rollover", "mx1rsa", "--cert", rsa.Fullchain(), "--key", rsa.Privkey(), "--wait=retired")
	if counts := hammer.Stop(); counts.Failed > 0 || counts.Total < 40 {
		t.Errorf("%s", counts)
	}
	h.only(lab.Owner(25), h.Live.TLSA(t, tlsa.EE), rsa.TLSA(t, tlsa.EE))
	var leaves []string
	for _, s := range h.state().Endpoints[0].Served {
		if s.Leaf != nil && !slices.Contains(leaves, *s.Leaf) {
			leaves = append(leaves, *s.Leaf)
		}
	}
	if !slices.Contains(leaves, leafID(rsa)) || !slices.Contains(leaves, leafID(h.Live)) {
		t.Errorf("served are %v, want both the RSA and the ECDSA leaf", leaves)
	}
}

// addRSALineage configures mx1rsa: Postfix reads its file too from its first
// reload on.
func (h *host) addRSALineage() {
	h.t.Helper()
	text, err := os.ReadFile(h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	file := h.Postfix.Combined + ".rsa"
	begin := bytes.Index(text, []byte("  mx1:\n"))
	second := strings.NewReplacer("  mx1:\n", "  mx1rsa:\n", h.Postfix.Combined, file).Replace(string(text[begin:]))
	set := argv([]string{"postconf", "-c", h.Postfix.Config, "-e", "smtpd_tls_chain_files=" + h.Postfix.Combined + ", " + file})
	second = strings.Replace(second, "reload: [", "reload: ["+set+", ", 1)
	if err := os.WriteFile(h.config, append(text, second...), 0o600); err != nil {
		h.t.Fatal(err)
	}
}
