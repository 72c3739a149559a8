package main

import (
	"slices"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// deliver has Postfix go to the hosts of a report: to a single one by the domain, as its name
// may count in the certificate.
func (w *faultWorld) deliver(r audit.Report) (out []lab.Handshake) {
	if len(r.Hosts) <= 1 {
		return []lab.Handshake{w.FingerDANE(0, r.Domain)}
	}
	for _, h := range r.Hosts {
		out = append(out, w.FingerDANE(0, "["+h.Host+"]"))
	}
	return out
}

// as is what a delivery is called where Postfix is asked.
func as(d audit.Delivery) []lab.Outcome {
	switch d {
	case audit.WithDANE:
		return []lab.Outcome{lab.Verified}
	case audit.WithTLS:
		return []lab.Outcome{lab.Encrypted}
	case audit.Opportunistic:
		return []lab.Outcome{lab.NoRecords}
	case audit.Deferred:
		return []lab.Outcome{lab.Unverified, lab.NoTLS, lab.Lookup}
	case audit.Rejected:
		return []lab.Outcome{lab.Lookup}
	case audit.WithSTS, audit.Unknown: // which none of these senders says
	}
	return nil
}

// compareWithPostfix wants Postfix to do at each host what is said of senders that use DANE,
// or what the table gives a reason for.
func (f fault) compareWithPostfix(t *testing.T, r audit.Report, fingers []lab.Handshake) {
	t.Helper()
	if f.why != "" && f.postfix == nil {
		return
	}
	differs := false
	for i, finger := range fingers {
		verdict := r.Senders[0]
		if len(fingers) > 1 {
			verdict = r.Hosts[i].Senders[0]
		}
		said := as(verdict.Delivery)
		if verdict.Partly {
			said = append(said, as(audit.Deferred)...)
		}
		want := said
		if f.why != "" {
			want = f.postfix[i : i+1]
			differs = differs || !slices.Contains(said, want[0])
		}
		if !slices.Contains(want, finger.Outcome) {
			t.Errorf("posttls-finger: %s, want %s\n%s\n%s: %s", finger.Outcome, want, finger.Output, verdict.Delivery, verdict.Why)
		}
	}
	if f.why != "" && !differs {
		t.Errorf("Postfix does as is said, so that this is not true: %s", f.why)
	}
}
