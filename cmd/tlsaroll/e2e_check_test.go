package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
)

// A fault is one mail domain, and what is to be said of it.
type fault struct {
	domain string
	make   func(*mailSite)
	public bool // the zone of this name is taken for one that the world sees

	// codes are those of all findings above information, and of those for information that
	// have to be there; spotless: no finding at all.
	codes    string
	spotless bool
	state    audit.State
	senders  senders
	partly   bool // of dane
	nl       nlStatuses

	// postfix is how Postfix with DANE does at each host where that is not what dane says, for
	// the reason why; nil: there is no telling.
	postfix []lab.Outcome
	why     string
}

// senders are what becomes of mail from those that use DANE, insist on it, know nothing of it,
// and enforce MTA-STS.
type senders [4]audit.Delivery

var (
	delivered     = senders{audit.WithDANE, audit.WithDANE, audit.Opportunistic, audit.Opportunistic}
	withSTS       = senders{audit.WithDANE, audit.WithDANE, audit.Opportunistic, audit.WithSTS}
	encrypted     = senders{audit.WithTLS, audit.Deferred, audit.Opportunistic, audit.Opportunistic}
	opportunistic = senders{audit.Opportunistic, audit.Deferred, audit.Opportunistic, audit.Opportunistic}
	deferred      = senders{audit.Deferred, audit.Deferred, audit.Opportunistic, audit.Opportunistic}
	bogusMX       = senders{audit.Deferred, audit.Deferred, audit.Opportunistic, audit.Opportunistic}
	rejected      = senders{audit.Rejected, audit.Rejected, audit.Rejected, audit.Rejected}
)

// nlStatuses are Internet.nl's of starttls_exists, dane_exists and dane_valid; none: all are passed.
type nlStatuses [3]audit.Status

var (
	nlWrong     = nlStatuses{audit.StatusPassed, audit.StatusPassed, audit.StatusFailed}
	nlNoDANE    = nlStatuses{audit.StatusPassed, audit.StatusFailed, audit.StatusNotTested}
	nlNoTLS     = nlStatuses{audit.StatusFailed, audit.StatusNotTested, audit.StatusNotTested}
	nlNone      = nlStatuses{audit.StatusNotTested, audit.StatusNotTested, audit.StatusNotTested}
	nlUnreached = nlStatuses{audit.StatusError, audit.StatusNotTested, audit.StatusNotTested}
	nlWarned    = nlStatuses{audit.StatusWarning, audit.StatusNotTested, audit.StatusNotTested}
)

func allFaults() []fault {
	return slices.Concat(recordFaults(), servedFaults(), nameFaults(), zoneFaults(), policyFaults())
}

// TestCheckFindsFaults has a world in which every fault stands at once, and wants of each
// domain what is wrong with it, and nothing else.
func TestCheckFindsFaults(t *testing.T) {
	t.Parallel()
	w := newFaultWorld(t)
	faults := allFaults()
	w.build(faults)
	begun := time.Now()
	reports := w.check(faults)
	t.Logf("%d domains in %s", len(faults), time.Since(begun).Round(time.Millisecond))
	fingers := make([][]lab.Handshake, len(faults))
	var deliveries errgroup.Group
	deliveries.SetLimit(8)
	for i, r := range reports {
		deliveries.Go(func() error { fingers[i] = w.deliver(r); return nil })
	}
	_ = deliveries.Wait() // what fails is in the handshakes
	for i, f := range faults {
		t.Run(f.domain, func(t *testing.T) {
			f.compare(t, reports[i])
			f.compareNL(t, reports[i])
			f.compareWithPostfix(t, reports[i], fingers[i])
		})
	}
}

// serviceURL is Dovecot, which has a chain and records as they should be.
const (
	serviceHost = "imap.example.org"
	serviceURL  = "imaps://" + serviceHost
)

// check runs the command for all domains, and for that service.
func (w *faultWorld) check(faults []fault) []audit.Report {
	w.t.Helper()
	var list strings.Builder
	for _, f := range faults {
		list.WriteString(f.domain + "\n")
	}
	list.WriteString(serviceURL + "\n")
	roots := filepath.Join(w.t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, w.Certificates().RootPEM(), 0o600); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"check", "--file", "-", "--json", "--parallel", "100", "--resolver", w.Resolver.String(), "--roots", roots}, world{
		stdin: strings.NewReader(list.String()), stdout: &out, stderr: &errs, now: time.Now,
		lookupEnv: func(string) (string, bool) { return "", false },
		look: func(through survey.Config) (sight, error) {
			through.Zones = w.private(faults) // as a configuration says it
			return network(through)
		},
	})
	var said struct{ Domains []audit.Report }
	if err := json.Unmarshal(out.Bytes(), &said); err != nil || code != exitPerson || len(said.Domains) != len(faults)+1 {
		w.t.Fatalf("exit code %d, want %d; %d reports, %v\n%s", code, exitPerson, len(said.Domains), err, errs.String())
	}
	if r := said.Domains[len(faults)]; r.Domain != serviceURL || r.State != audit.Clean || r.Senders[0].Delivery != audit.WithDANE {
		w.t.Errorf("%s: %s %+v\n%s", r.Domain, r.State, r.Senders, inLines(r))
	}
	return said.Domains[:len(faults)]
}

func (f fault) compare(t *testing.T, r audit.Report) {
	want, codes := strings.Fields(f.codes), []string{}
	for _, finding := range r.Findings {
		code := string(finding.Code)
		if finding.Severity != rollover.Info || f.spotless || slices.Contains(want, code) {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Compact(codes)); diff != "" {
		t.Errorf("codes, -want +got:\n%s%s", diff, inLines(r))
	}
	var got senders
	for i, v := range r.Senders {
		got[i] = v.Delivery
	}
	if got != f.senders || r.Senders[0].Partly != f.partly || r.State != f.state {
		t.Errorf("%s, %v, partly %t; want %s, %v, partly %t\n%s", r.State, got, r.Senders[0].Partly, f.state, f.senders, f.partly, inLines(r))
	}
}

// compareNL compares with what Internet.nl would say.
func (f fault) compareNL(t *testing.T, r audit.Report) {
	t.Helper()
	want, got := f.nl, nlStatuses{}
	if want == (nlStatuses{}) {
		want = nlStatuses{audit.StatusPassed, audit.StatusPassed, audit.StatusPassed}
	}
	for _, s := range r.InternetNL {
		if i := slices.Index([]string{"starttls_exists", "dane_exists", "dane_valid"}, s.Name); i >= 0 {
			got[i] = s.Status
		}
	}
	if got != want {
		t.Errorf("Internet.nl says %v, want %v\n%+v", got, want, r.InternetNL)
	}
}

// inLines is a report in lines.
func inLines(r audit.Report) string {
	var b strings.Builder
	for _, v := range r.Senders {
		fmt.Fprintf(&b, "%s: %s, partly %t: %s\n", v.Sender, v.Delivery, v.Partly, v.Why)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s %s %s: %s\n", f.Severity, f.Code, f.About, f.Text)
	}
	return b.String()
}
