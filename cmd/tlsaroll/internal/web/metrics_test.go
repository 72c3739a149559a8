package web

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func pair(days int) *rollover.PairStatus {
	return &rollover.PairStatus{NotAfter: noon.AddDate(0, 0, days)}
}

func instant(t time.Time) *time.Time { return &t }

// site is a status with everything in it.
func site() []rollover.LineageStatus {
	return []rollover.LineageStatus{
		{Name: "mx1", Phase: rollover.Published, Live: pair(8), Queued: pair(98),
			Successor: &rollover.SuccessorStatus{PairStatus: *pair(90), Phase: rollover.Published, ReadyAt: instant(noon.Add(time.Hour))},
			Endpoints: []rollover.EndpointStatus{
				{URL: "smtp://mx1.example.org", Owner: "_25._tcp.mx1.example.org.",
					Served: []rollover.ServedStatus{
						{Address: "192.0.2.1:25", SNI: true, Verified: rollover.Yes}, {Address: "192.0.2.1:25", Verified: rollover.Unknown},
						{Address: "[2001:db8::1]:25", SNI: true, Verified: rollover.Yes},
						{Address: "192.0.2.2:25", SNI: true, Verified: rollover.Unknown}, {Address: "192.0.2.2:25", Verified: rollover.No}},
					Servers: []rollover.ServerStatus{
						{Name: "ns1.example.org.", Address: "192.0.2.53", Converged: rollover.Yes},
						{Name: "ns1.example.org.", Address: "2001:db8::53", Converged: rollover.Unknown},
						{Name: "", Address: "192.0.2.54", Converged: rollover.No}}},
				{URL: "smtp://mx1.example.org", Owner: "_25._tcp.alias.example.org.",
					Served:  []rollover.ServedStatus{{Address: "192.0.2.1:25", SNI: true, Verified: rollover.Yes}},
					Servers: []rollover.ServerStatus{{Name: "ns1.example.org.", Address: "192.0.2.53", Converged: rollover.Yes}}},
				{URL: "imaps://mx1.example.org", Owner: "_993._tcp.mx1.example.org."},
			},
			Warnings: []rollover.Warning{
				{Code: rollover.CodeSignatureEnds, Severity: rollover.Warn, Text: "ns1"}, {Code: rollover.CodeSignatureEnds, Severity: rollover.Warn, Text: "ns2"},
				{Code: rollover.CodeServedUnmatched, Severity: rollover.Danger}}},
		{Name: "mx1-rsa", Phase: rollover.Steady, Live: pair(60),
			Endpoints: []rollover.EndpointStatus{{URL: "smtp://mx1.example.org", Owner: "_25._tcp.mx1.example.org.",
				Servers: []rollover.ServerStatus{{Name: "ns1.example.org.", Address: "192.0.2.53", Converged: rollover.No}}}}},
		{Name: "new", Phase: rollover.Generated},
	}
}

func metricsOf(status []rollover.LineageStatus, warnings ...rollover.Warning) *Metrics {
	return NewMetrics(Sources{func() []rollover.LineageStatus { return status }, func() []rollover.Warning { return warnings }, "v1.2.3"})
}

func TestMetrics(t *testing.T) {
	m := metricsOf(site(), rollover.Warning{Code: "notify-failed", Severity: rollover.Warn})
	m.Configure([]string{"mx1", "mx1-rsa"}, []string{"ns1"})
	m.Passed([]string{"mx1", "unheard-of"}, noon.Add(1500*time.Millisecond))
	change := func(err error) (rollover.Action, error) {
		return rollover.Publish{Change: rollover.Change{Provider: "ns1"}}, err
	}
	act := func(a rollover.Action, err error) { m.Acted([]string{"mx1", "mx1-rsa"}, a, err) }
	act(change(nil))
	act(change(&dnsprovider.Error{Op: "change", Kind: dnsprovider.Conflict}))
	act(change(fmt.Errorf("mx1: %w", &dnsprovider.Error{Op: "change", Kind: dnsprovider.Refused})))
	act(change(&dnsprovider.Error{Op: "change", Kind: dnsprovider.Temporary}))
	act(change(errors.New("no provider")))
	act(change(&dnsprovider.ByHandError{}))
	act(rollover.Retire{Change: rollover.Change{Provider: "ns1"}}, nil)
	act(rollover.Retime{Change: rollover.Change{Provider: "ns1"}}, nil)
	act(rollover.Swap{Lineage: "mx1"}, nil)
	act(rollover.Swap{Lineage: "mx1"}, errors.New("reload: exit status 1"))
	act(rollover.Back{Lineage: "mx1"}, nil)
	act(rollover.Back{Lineage: "mx1"}, errors.New("reload: exit status 1"))
	act(rollover.Adopt{Lineage: "mx1"}, nil)
	act(rollover.Discard{}, nil)

	want := `
# HELP tlsaroll_authority_converged Whether an authoritative server has the records at an owner name that the newest certificate needs: 1 yes, 0 no, -1 unknown; server is its name and address.
# TYPE tlsaroll_authority_converged gauge
tlsaroll_authority_converged{owner="_25._tcp.alias.example.org.",server="ns1.example.org./192.0.2.53"} 1
tlsaroll_authority_converged{owner="_25._tcp.mx1.example.org.",server="192.0.2.54"} 0
tlsaroll_authority_converged{owner="_25._tcp.mx1.example.org.",server="ns1.example.org./192.0.2.53"} 0
tlsaroll_authority_converged{owner="_25._tcp.mx1.example.org.",server="ns1.example.org./2001:db8::53"} -1
# HELP tlsaroll_build_info What runs; always 1.
# TYPE tlsaroll_build_info gauge
tlsaroll_build_info{goversion="` + runtime.Version() + `",version="v1.2.3"} 1
# HELP tlsaroll_certificate_not_after_timestamp_seconds When a certificate ends; role is live, successor or queued.
# TYPE tlsaroll_certificate_not_after_timestamp_seconds gauge
tlsaroll_certificate_not_after_timestamp_seconds{lineage="mx1",role="live"} 1.7730576e+09
tlsaroll_certificate_not_after_timestamp_seconds{lineage="mx1",role="queued"} 1.7808336e+09
tlsaroll_certificate_not_after_timestamp_seconds{lineage="mx1",role="successor"} 1.7801424e+09
tlsaroll_certificate_not_after_timestamp_seconds{lineage="mx1-rsa",role="live"} 1.7775504e+09
# HELP tlsaroll_dns_updates_total Changes of RRsets; result is ok, by-hand where a person was asked to make one, conflict where somebody else was faster, refused, or failed.
# TYPE tlsaroll_dns_updates_total counter
tlsaroll_dns_updates_total{provider="ns1",result="by-hand"} 1
tlsaroll_dns_updates_total{provider="ns1",result="conflict"} 1
tlsaroll_dns_updates_total{provider="ns1",result="failed"} 2
tlsaroll_dns_updates_total{provider="ns1",result="ok"} 3
tlsaroll_dns_updates_total{provider="ns1",result="refused"} 1
# HELP tlsaroll_endpoint_verified Whether what an address presents matches the published records, in every handshake of the last look: 1 yes, 0 no, -1 unknown; no address: none was looked at yet.
# TYPE tlsaroll_endpoint_verified gauge
tlsaroll_endpoint_verified{address="",endpoint="imaps://mx1.example.org",lineage="mx1"} -1
tlsaroll_endpoint_verified{address="",endpoint="smtp://mx1.example.org",lineage="mx1-rsa"} -1
tlsaroll_endpoint_verified{address="192.0.2.1:25",endpoint="smtp://mx1.example.org",lineage="mx1"} -1
tlsaroll_endpoint_verified{address="192.0.2.2:25",endpoint="smtp://mx1.example.org",lineage="mx1"} 0
tlsaroll_endpoint_verified{address="[2001:db8::1]:25",endpoint="smtp://mx1.example.org",lineage="mx1"} 1
# HELP tlsaroll_last_pass_timestamp_seconds When the last pass over a lineage came to its end; 0: none did since the start.
# TYPE tlsaroll_last_pass_timestamp_seconds gauge
tlsaroll_last_pass_timestamp_seconds{lineage="mx1"} 1.7723664015e+09
tlsaroll_last_pass_timestamp_seconds{lineage="mx1-rsa"} 0
# HELP tlsaroll_lineage_phase Whether a lineage is in a phase, in the words of RFC 7583: 1 for the one it is in, 0 for the others.
# TYPE tlsaroll_lineage_phase gauge
tlsaroll_lineage_phase{lineage="mx1",phase="generated"} 0
tlsaroll_lineage_phase{lineage="mx1",phase="published"} 1
tlsaroll_lineage_phase{lineage="mx1",phase="ready"} 0
tlsaroll_lineage_phase{lineage="mx1",phase="retiring"} 0
tlsaroll_lineage_phase{lineage="mx1",phase="steady"} 0
tlsaroll_lineage_phase{lineage="mx1-rsa",phase="generated"} 0
tlsaroll_lineage_phase{lineage="mx1-rsa",phase="published"} 0
tlsaroll_lineage_phase{lineage="mx1-rsa",phase="ready"} 0
tlsaroll_lineage_phase{lineage="mx1-rsa",phase="retiring"} 0
tlsaroll_lineage_phase{lineage="mx1-rsa",phase="steady"} 1
tlsaroll_lineage_phase{lineage="new",phase="generated"} 1
tlsaroll_lineage_phase{lineage="new",phase="published"} 0
tlsaroll_lineage_phase{lineage="new",phase="ready"} 0
tlsaroll_lineage_phase{lineage="new",phase="retiring"} 0
tlsaroll_lineage_phase{lineage="new",phase="steady"} 0
# HELP tlsaroll_ready_timestamp_seconds When no cache can lack the successor's records any more, so that it may go live; absent while there is no successor or it cannot be told.
# TYPE tlsaroll_ready_timestamp_seconds gauge
tlsaroll_ready_timestamp_seconds{lineage="mx1"} 1.77237e+09
# HELP tlsaroll_swaps_total Swaps of the live pair; result is ok, failed, or back where one was undone.
# TYPE tlsaroll_swaps_total counter
tlsaroll_swaps_total{lineage="mx1",result="back"} 1
tlsaroll_swaps_total{lineage="mx1",result="failed"} 2
tlsaroll_swaps_total{lineage="mx1",result="ok"} 1
tlsaroll_swaps_total{lineage="mx1-rsa",result="back"} 0
tlsaroll_swaps_total{lineage="mx1-rsa",result="failed"} 0
tlsaroll_swaps_total{lineage="mx1-rsa",result="ok"} 0
# HELP tlsaroll_warning How many warnings of a code there are; absent: none. No lineage: it is about the program as a whole.
# TYPE tlsaroll_warning gauge
tlsaroll_warning{code="notify-failed",lineage="",severity="warning"} 1
tlsaroll_warning{code="served-unmatched",lineage="mx1",severity="error"} 1
tlsaroll_warning{code="signature-ends",lineage="mx1",severity="warning"} 2
`
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), ours(t, m)...); err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(m.registry, ours(t, m)...)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

// ours are the names of all metrics that are not of Go or of the process.
func ours(t *testing.T, m *Metrics) (names []string) {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if name := f.GetName(); !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			names = append(names, name)
		}
	}
	if len(names) == 0 || len(names) == len(families) {
		t.Fatalf("%d of %d families are ours", len(names), len(families))
	}
	return names
}

func TestCountersFollowTheConfiguration(t *testing.T) {
	m := metricsOf(nil)
	m.Configure([]string{"a", "b"}, []string{"x", "y"})
	m.Passed([]string{"a", "b"}, noon)
	m.Acted(nil, rollover.Swap{Lineage: "b"}, nil)
	m.Configure([]string{"b", "c"}, []string{"y", "z"})
	want := `
# HELP tlsaroll_last_pass_timestamp_seconds When the last pass over a lineage came to its end; 0: none did since the start.
# TYPE tlsaroll_last_pass_timestamp_seconds gauge
tlsaroll_last_pass_timestamp_seconds{lineage="b"} 1.7723664e+09
tlsaroll_last_pass_timestamp_seconds{lineage="c"} 0
# HELP tlsaroll_swaps_total Swaps of the live pair; result is ok, failed, or back where one was undone.
# TYPE tlsaroll_swaps_total counter
tlsaroll_swaps_total{lineage="b",result="back"} 0
tlsaroll_swaps_total{lineage="b",result="failed"} 0
tlsaroll_swaps_total{lineage="b",result="ok"} 1
tlsaroll_swaps_total{lineage="c",result="back"} 0
tlsaroll_swaps_total{lineage="c",result="failed"} 0
tlsaroll_swaps_total{lineage="c",result="ok"} 0
`
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), "tlsaroll_swaps_total", "tlsaroll_last_pass_timestamp_seconds"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(m.registry, "tlsaroll_dns_updates_total"); err != nil || n != 10 {
		t.Errorf("%d series of updates, %v", n, err)
	}
	if got := m.unpassed(); len(got) != 1 || got[0] != "c" {
		t.Errorf("no pass yet over %v", got)
	}
}

// TestHostileLabels has names that are no UTF-8, that break lines, and that
// become the same once they are made fit.
func TestHostileLabels(t *testing.T) {
	const odd = "a\"b\\c\nd\xff{}"
	status := site()
	for range 2 {
		status = append(status, site()...) // nobody promises that a lineage comes once
	}
	for _, name := range []string{odd, strings.ReplaceAll(odd, "\xff", "\xfe")} {
		status = append(status, rollover.LineageStatus{Name: name, Phase: rollover.Phase(odd), Live: pair(1),
			Endpoints: []rollover.EndpointStatus{{URL: odd, Owner: odd, Served: []rollover.ServedStatus{{Address: odd, Verified: odd}},
				Servers: []rollover.ServerStatus{{Name: odd, Address: odd, Converged: odd}}}},
			Warnings: []rollover.Warning{{Code: odd, Severity: odd}}})
	}
	m := metricsOf(status)
	m.Configure([]string{odd, "mx1", "mx1"}, []string{odd, odd})
	m.Acted(nil, rollover.Swap{Lineage: odd}, nil)
	m.Acted(nil, rollover.Publish{Change: rollover.Change{Provider: odd}}, nil)
	want := `
# HELP tlsaroll_endpoint_verified Whether what an address presents matches the published records, in every handshake of the last look: 1 yes, 0 no, -1 unknown; no address: none was looked at yet.
# TYPE tlsaroll_endpoint_verified gauge
tlsaroll_endpoint_verified{address="",endpoint="imaps://mx1.example.org",lineage="mx1"} -1
tlsaroll_endpoint_verified{address="",endpoint="smtp://mx1.example.org",lineage="mx1-rsa"} -1
tlsaroll_endpoint_verified{address="192.0.2.1:25",endpoint="smtp://mx1.example.org",lineage="mx1"} -1
tlsaroll_endpoint_verified{address="192.0.2.2:25",endpoint="smtp://mx1.example.org",lineage="mx1"} 0
tlsaroll_endpoint_verified{address="[2001:db8::1]:25",endpoint="smtp://mx1.example.org",lineage="mx1"} 1
tlsaroll_endpoint_verified{address="a\"b\\c\nd�{}",endpoint="a\"b\\c\nd�{}",lineage="a\"b\\c\nd�{}"} -1
`
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), "tlsaroll_endpoint_verified"); err != nil {
		t.Error(err)
	}
	if _, err := testutil.GatherAndCount(m.registry); err != nil {
		t.Error(err)
	}
}
