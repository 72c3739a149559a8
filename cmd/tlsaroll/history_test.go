package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// aloneDaemon is one that finds no server: it runs, and every look of its tells so.
func aloneDaemon(t *testing.T, more string) (d *lab.Daemon, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "tlsaroll.yaml")
	text := "state: " + dir + "/state\ncontrol: " + dir + "/control.sock\ncontrol-group: " + strconv.Itoa(os.Getegid()) + "\nresolver: 127.0.0.1:1\n" +
		"providers: {registrar: {type: manual, zone: example.org, tell: [/bin/true]}}\n" +
		"lineages: {mx1: {provider: registrar, hook: true, endpoints: [smtp://mx1.example.org], install: [{path: " + dir + "/mx1.pem, content: [key, chain]}], reload: [[/bin/true]]}}\n" + more
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d = lab.StartDaemon(t, lab.DaemonOptions{Dir: dir}, lab.Program(t, "tlsaroll"), "-c", file, "run")
	await(t, d, "tlsaroll runs")
	return d, file
}

func await(t *testing.T, d *lab.Daemon, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := d.Line(ctx, time.Time{}, text); err != nil {
		t.Fatal(err)
	}
}

// printed is what a command in this process says.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, world{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: time.Now, lookupEnv: func(string) (string, bool) { return "", false }}); code != exitDone {
		t.Errorf("%q: exit %d\n%s", args, code, errs.String())
	}
	return out.String()
}

// kinds are what happened, by its JSON.
func kinds(t *testing.T, text string) (all []rollover.EventKind) {
	t.Helper()
	var doc struct {
		Events []rollover.Event `json:"events"`
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	for _, e := range doc.Events {
		all = append(all, e.Kind)
	}
	return all
}

// TestHistory: the daemon tells of itself while it runs, and any process when it does not.
func TestHistory(t *testing.T) {
	t.Parallel()
	d, file := aloneDaemon(t, "notify: [[/bin/true, geheim]]\n")
	if got := printed(t, "-c", file, "notify", "test"); got != "notify[0] (/bin/true): sent\n" {
		t.Errorf("a test message beside the daemon: %s", got)
	}
	if got := kinds(t, printed(t, "-c", file, "history", "--json")); !slices.Contains(got, rollover.Started) {
		t.Errorf("beside the daemon: %v", got)
	}
	d.Signal(t, syscall.SIGHUP)
	await(t, d, "the configuration was read again")
	if err := os.WriteFile(file+".bad", []byte("nonsense: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".bad", file); err != nil {
		t.Fatal(err)
	}
	d.Signal(t, syscall.SIGHUP)
	await(t, d, "the configuration was not changed")
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	d.Signal(t, syscall.SIGTERM)
	if code, err := d.Wait(t.Context()); code != exitDone || err != nil {
		t.Fatalf("exit %d, %v\n%s", code, err, d)
	}
	text := printed(t, "-c", file, "history")
	for _, want := range []string{"started      tlsaroll .* runs", "reread       .*tlsaroll.yaml was read again", "warning      error config-stale: .*", "stopped      it was asked to end"} {
		if !regexp.MustCompile(`(?m)^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}  tlsaroll    ` + want + "$").MatchString(text) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if got := kinds(t, printed(t, "-c", file, "history", "--json", "--since", "2999-01-01")); len(got) != 0 {
		t.Errorf("of what is to come: %v", got)
	}
	if strings.Contains(printed(t, "-c", file, "history", "mx1"), "tlsaroll  ") {
		t.Error("the history of a lineage has what happened to the daemon")
	}
}

// TestDaemonLogLines: every line that the daemon writes is one of slog's, with a level and a
// message, and ends with when it looks again, unless a pass is under way or none follows.
func TestDaemonLogLines(t *testing.T) {
	t.Parallel()
	d, _ := aloneDaemon(t, "")
	await(t, d, "phase=")
	d.Signal(t, syscall.SIGHUP)
	await(t, d, "the configuration was read again")
	d.Signal(t, syscall.SIGTERM)
	if code, err := d.Wait(t.Context()); code != exitDone || err != nil {
		t.Fatalf("exit %d, %v\n%s", code, err, d)
	}
	form := regexp.MustCompile(`^(time=\S+ )?level=(DEBUG|INFO|WARN|ERROR) msg=(\w+|"([^"\\]|\\.)+")( \w+=([^\s"]*|"([^"\\]|\\.)*"))*$`)
	dated := 0
	for _, line := range d.Lines() {
		if line.Stream != lab.Stderr || !form.MatchString(line.Text) {
			t.Errorf("no line of slog's: %s", line.Text)
		}
		if at := strings.Index(line.Text, " next_look="); at >= 0 {
			dated++
			if strings.Contains(line.Text[at+1:], " ") {
				t.Errorf("it does not end with the next look: %s", line.Text)
			}
		}
	}
	if dated < 3 {
		t.Errorf("%d lines say when the next look is:\n%s", dated, d)
	}
}

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"": {}, "30d": now.AddDate(0, 0, -30), "1h30m": now.Add(-90 * time.Minute), "2026-01-01T12:00:00+02:00": time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC),
		"2026-01-01": time.Date(2026, 1, 1, 0, 0, 0, 0, time.Local),
	} {
		if got, err := parseSince(s, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"30", "yesterday", "2026-13-01", "-3d"} {
		if _, err := parseSince(s, now); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestEventLine(t *testing.T) {
	e := rollover.Event{At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Lineage: "mx1", Kind: rollover.SwapFell, Text: "a -> b: nothing was changed: one\ntwo"}
	where := time.FixedZone("", 2*60*60)
	if got, want := eventLine(e, where), "2026-03-01 14:00:00 +0200  mx1         swap-failed  a -> b: nothing was changed: one two"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	e = rollover.Event{At: e.At, Kind: rollover.Warned, Severity: rollover.Danger, Text: "clock-set: it was set"}
	if got, want := eventLine(e, where), "2026-03-01 14:00:00 +0200  tlsaroll    warning      error clock-set: it was set"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
