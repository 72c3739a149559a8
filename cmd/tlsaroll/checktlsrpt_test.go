package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/tlsrpt"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// reported runs check --tlsrpt beside the samples.
func reported(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	w := seenWorld()
	var out, errs bytes.Buffer
	w.stdin, w.stdout, w.stderr = strings.NewReader(stdin), &out, &errs
	w.lookupEnv = func(string) (string, bool) { return "", false }
	code = run(t.Context(), append([]string{"check", "--tlsrpt"}, args...), w)
	return out.String(), errs.String(), code
}

func reportFile(name string) string { return filepath.Join("internal/tlsrpt/testdata", name) }

// rolledOver writes a configuration of a lineage for mx1.example.org, and has a daemon
// answer that remembers some rollovers of it.
func rolledOver(t *testing.T, periods ...rollover.Period) (config string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tlsaroll") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config = filepath.Join(dir, "tlsaroll.yaml")
	writeFile(t, config, fmt.Sprintf(`state: %s/state
control: %s/control
resolver: 127.0.0.1:53
providers: {registrar: {type: manual, zone: example.org, mail: hostmaster@example.org}}
lineages: {mx1: {endpoints: [smtp://mx1.example.org, imaps://mx2.example.org]}}
`, dir, dir))
	status, err := json.Marshal(rollover.Status{Lineages: []rollover.LineageStatus{{Name: "mx1", Rollovers: periods,
		Endpoints: []rollover.EndpointStatus{{URL: "smtp://MX1.example.org."}, {URL: "imaps://mx2.example.org"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	socket, err := control.Listen(filepath.Join(dir, "control"), strconv.Itoa(os.Getgid()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- control.Server{Version: "test", Log: slog.New(slog.DiscardHandler), Alive: func(context.Context) error { return nil },
			Carry: func(_ context.Context, q control.Request, to *control.Reply) int {
				if q.Command != "status" {
					return exitUsage
				}
				to.Result(string(status))
				return exitDone
			}}.Serve(ctx, socket)
	}()
	t.Cleanup(func() { end(); <-ended })
	return config
}

func TestCheckReports(t *testing.T) {
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	config := rolledOver(t, rollover.Period{Began: at(2, 9), Swapped: at(2, 11), Ended: at(3, 12)}, rollover.Period{Began: at(3, 20)})
	stdout, stderr, code := reported(t, "", "-c", config, reportFile("report.eml"), reportFile("dane.json"), reportFile("rfc8460.json"), reportFile("loose.json"))
	want := `3 reports of 3 organisations, 2026-03-01 to 2026-03-03: 5345 sessions succeeded, 314 failed
internal/tlsrpt/testdata/rfc8460.json is the same report as internal/tlsrpt/testdata/report.eml, and counts once

HOST                   RESULT TYPE             DAY         SESSIONS  ORGANISATIONS
example.org            sts-policy-fetch-error  2026-03-02  2         Sender Two
mx-backup.example.org  validation-failure      2026-03-01  3         Sender One
mx1.example.org        certificate-expired     2026-03-01  100       Sender One
mx1.example.org        tlsa-invalid            2026-03-02  4         Sender Two
mx1.example.org        tlsa-invalid            2026-03-03  2         Sender Three
mx1.example.org        unspecified             2026-03-03  3         Sender Three
mx2.example.org        starttls-not-supported  2026-03-01  200       Sender One

example.org, sts-policy-fetch-error: the MTA-STS policy could not be fetched
  began on 2026-03-02, and no lineage has this host
  senders say: fetch timed out

mx-backup.example.org, validation-failure: another failure; the sender's reason may say which
  began on 2026-03-01, and no lineage has this host
  senders say: X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED

mx1.example.org, certificate-expired: the certificate had ended
  began on 2026-03-01, and what rollovers there were then is not remembered

mx1.example.org, tlsa-invalid: no TLSA record matched what the host presented
  began on 2026-03-02, in the time of a rollover of mx1 (began 2026-03-02 09:00Z, swapped 2026-03-02 11:00Z, over 2026-03-03 12:00Z)

mx1.example.org, unspecified: counted, and not detailed by the sender
  began on 2026-03-03, in the time of a rollover of mx1 (began 2026-03-02 09:00Z, swapped 2026-03-02 11:00Z, over 2026-03-03 12:00Z), and of a rollover of mx1 (began 2026-03-03 20:00Z, not over)

mx2.example.org, starttls-not-supported: the host offered no STARTTLS
  began on 2026-03-01, and no lineage has this host
  senders say: https://reports.one.example/report_info?id=5065427c-23d3#StarttlsNotSupported
`
	if diff := cmp.Diff(want, stdout); diff != "" || stderr != "" || code != exitPerson {
		t.Errorf("exit %d, %q\n%s", code, stderr, diff)
	}

	stdout, stderr, code = reported(t, "", "-c", rolledOver(t, rollover.Period{Began: at(1, 9).AddDate(0, -1, 0), Ended: at(1, 9).AddDate(0, -1, 1)}), reportFile("dane.json"))
	if !strings.Contains(stdout, "\n  began on 2026-03-02, in the time of no rollover\n") || code != exitPerson {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// TestCheckReportsEnds: how it ends, and what is said of files that cannot be read.
func TestCheckReportsEnds(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	empty := filepath.Join(t.TempDir(), "empty.json")
	writeFile(t, empty, "")
	sample, err := os.ReadFile(reportFile("success.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		args   []string
		code   int
		stdout string // its first line
		stderr string
	}{
		{"no failures", []string{reportFile("success.json")}, exitDone, "1 report of 1 organisation, 2026-03-01: 41 sessions succeeded, 0 failed", ""},
		{"standard input", []string{"-"}, exitDone, "1 report of 1 organisation, 2026-03-01: 41 sessions succeeded, 0 failed", ""},
		{"failures", []string{reportFile("dane.json")}, exitPerson, "1 report of 1 organisation, 2026-03-02: 12 sessions succeeded, 6 failed", ""},
		{"cannot be read", []string{nowhere, empty, "internal"}, exitError, "", "tlsaroll: " + nowhere + ": no such file (hint: check the path)\ntlsaroll: " + empty + ": it is empty\ntlsaroll: internal: a directory (hint: name the file in it)\n"},
		{"one cannot be read", []string{reportFile("success.json"), empty}, exitError, "1 report of 1 organisation, 2026-03-01: 41 sessions succeeded, 0 failed", "tlsaroll: " + empty + ": it is empty\n"},
		{"failures, and one cannot be read", []string{reportFile("dane.json"), empty}, exitPerson, "1 report of 1 organisation, 2026-03-02: 12 sessions succeeded, 6 failed", "tlsaroll: " + empty + ": it is empty\n"},
		{"no file", nil, exitUsage, "", "tlsaroll: --tlsrpt: no FILE (hint: tlsaroll check --tlsrpt report.json.gz)\n"},
		{"an option of another kind", []string{"--host", reportFile("dane.json")}, exitUsage, "", "tlsaroll: --tlsrpt and --host do not go together (hint: reports are read from FILEs, and nothing is looked at)\n"},
		{"a configuration that is not there", []string{"-c", nowhere, reportFile("dane.json")}, exitUsage, "", "tlsaroll: " + nowhere + ": no such file (hint: tlsaroll init writes one; -c names another)\n"},
	} {
		stdout, stderr, code := reported(t, string(sample), test.args...)
		first, _, _ := strings.Cut(stdout, "\n")
		if code != test.code || first != test.stdout || stderr != test.stderr {
			t.Errorf("%s: exit %d\n%s%s", test.name, code, stdout, stderr)
		}
	}
}

func TestCheckReportsJSON(t *testing.T) {
	config := rolledOver(t)
	stdout, stderr, code := reported(t, "", "--json", "-c", config, reportFile("loose.json"), reportFile("loose.json"), "internal")
	var doc reportsDoc
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout, stderr)
	}
	start := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	report := reportDoc{File: reportFile("loose.json"), Organization: "Sender Three", ID: "133742", Start: start, End: start.Add(24*time.Hour - time.Second), Successful: 7, Failed: 5}
	again := report
	again.SameAs = report.File
	group := func(kind, meaning string, sessions int64, addresses ...string) tlsrpt.Group {
		return tlsrpt.Group{Host: "mx1.example.org", ResultType: kind, Meaning: meaning, Policies: []string{"tlsa"}, Sessions: sessions, Reasons: []string{}, Began: report.Start, By: report.End,
			Days:     []tlsrpt.Day{{Day: "2026-03-03", Sessions: sessions, Organizations: []string{"Sender Three"}, Addresses: append([]string{}, addresses...)}},
			Rollover: &tlsrpt.Relation{When: tlsrpt.Before}}
	}
	want := reportsDoc{Reports: []reportDoc{report, again}, Successful: 7, Failed: 5, Compared: true, Errors: []string{"internal: a directory (hint: name the file in it)"}, Failures: []tlsrpt.Group{
		group("tlsa-invalid", "no TLSA record matched what the host presented", 2, "192.0.2.1"), group("unspecified", "counted, and not detailed by the sender", 3)}}
	if diff := cmp.Diff(want, doc); diff != "" || code != exitPerson {
		t.Errorf("exit %d\n%s", code, diff)
	}
}
