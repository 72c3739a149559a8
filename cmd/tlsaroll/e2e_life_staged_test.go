package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLifeServerReadsStagedFiles: somebody left the server at the ACME client's own files,
// and has the client reload it. So each renewal is live before its records are: senders
// fail from then on. The records follow at once, and nothing makes it worse; whoever
// holds an old answer fails until that has expired. With the server at the installed
// file nobody fails any more.
func TestLifeServerReadsStagedFiles(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 4, LegoFiles: true, Records: foreignRecord}, setting{})
	lego, installed := h.Postfix.Lego, filepath.Join(h.Dir, "mx1.pem")
	pem, err := os.ReadFile(h.Live.Combined())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(installed, pem, 0o600); err != nil { // it was put there with tlsaroll
		t.Fatal(err)
	}
	h.configure(setting{staged: staged(lego), install: "[{path: " + installed + ", content: [key, chain], mode: \"0600\"}]"})
	d := h.run()
	logged(t, d)
	h.eventually(30*time.Second, "adopted", func(s rollover.LineageStatus) bool { return s.Live != nil })
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 6})
	if err := hammer.Until(t.Context(), func(c lab.Counts) bool { return c.Total >= 25 }); err != nil {
		t.Fatal(err)
	}

	first := h.Certificates().Issue(t, lab.LeafOptions{})
	renewed := time.Now()
	lego.Renew(t, first)
	h.Postfix.RunReload(t)
	readsStaged := says(rollover.CodeServerReadsStaged, h.Postfix.Addr.String(), "(hint: let it read "+installed+"; in Postfix smtpd_tls_chain_files = "+installed+")")
	h.eventually(20*time.Second, "told that the server reads the staged files", readsStaged)
	h.only(lab.Owner(25), h.Live.TLSA(t, tlsa.EE), first.TLSA(t, tlsa.EE), someoneElses)
	repaired := time.Now()
	h.eventually(40*time.Second, "calm", calm(first))
	counts := hammer.Counts()
	t.Logf("renewed at %s, repaired at most %s later\n%s", renewed.Format("15:04:05.000"), repaired.Sub(renewed).Round(time.Millisecond), counts)
	switch before, during, after := counts.Before(renewed), counts.Since(renewed), counts.Since(repaired.Add(lifeTTL+time.Second)); {
	case before.Failed > 0 || before.Total < 20:
		t.Errorf("before the renewal: %s", before)
	case during.Failed == 0:
		t.Error("nobody failed: the server does not read the staged files")
	case after.Failed > 0 || after.Total < 20:
		t.Errorf("when the answers from before the repair have expired: %s", after)
	}

	second := h.Certificates().Issue(t, lab.LeafOptions{})
	lego.Renew(t, second)
	h.Postfix.RunReload(t)
	h.eventually(20*time.Second, "told that the server reads the staged files again", readsStaged)
	edit := exec.CommandContext(t.Context(), "postconf", "-c", h.Postfix.Config, "-e", "smtpd_tls_chain_files="+installed)
	if out, err := edit.CombinedOutput(); err != nil {
		t.Fatalf("postconf: %v: %s", err, out)
	}
	h.Postfix.RunReload(t)
	mended := time.Now()
	h.eventually(20*time.Second, "clear", saysNot(rollover.CodeServerReadsStaged))
	if s := h.state(); s.Live.Leaf != leafID(first) {
		t.Errorf("swapped too early:\n%s", s.Explain(time.Now()))
	}
	h.swapsInTime(time.Minute, second)
	h.eventually(40*time.Second, "calm", calm(second))

	third := h.Certificates().Issue(t, lab.LeafOptions{})
	lego.Renew(t, third)
	h.Postfix.RunReload(t)
	h.swapsInTime(time.Minute, third)
	h.eventually(40*time.Second, "calm", calm(third))
	after := hammer.Stop().Since(mended.Add(time.Second)) // Postfix ends its old processes
	t.Logf("since the server reads the installed file: %s", after)
	if after.Failed > 0 || after.Total < 40 {
		t.Errorf("since the server reads the installed file: %s", after)
	}
	h.only(lab.Owner(25), third.TLSA(t, tlsa.EE), someoneElses)
}
