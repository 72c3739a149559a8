package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// exampleTTL makes the stories of the examples short.
const exampleTTL = 5 * time.Second

// The examples' waits are the defaults, which are hours; the lab's are its TTL and two
// seconds. Its addresses are loopback ones.
const (
	exampleTiming = "{ttls: 1, floor: 2s, unknown-ttl: 5s, retire: 0s, settle: 10s, quiet: 1s, poll: 1s, look: 1s}"
	labZones      = "zones: {example.org: {private: true}}\n"
)

// aReplacement puts what the lab has in the place of what an example has.
type aReplacement struct{ example, lab string }

// filled reads a file of the examples and makes it the lab's. Each replacement must find
// its place: who changes the example is told here.
func filled(t *testing.T, name string, table ...aReplacement) string {
	t.Helper()
	return replaced(t, readDocument(t, "examples/"+name).text, table...)
}

func replaced(t *testing.T, text string, table ...aReplacement) string {
	t.Helper()
	for _, r := range table {
		if !strings.Contains(text, r.example) {
			t.Fatalf("nothing is %q any more in\n%s", r.example, text)
		}
		text = strings.ReplaceAll(text, r.example, r.lab)
	}
	return text
}

// newExampleHost is a host with an example's configuration whose zone changes by dynamic
// update.
func newExampleHost(t *testing.T, l *lab.Lab, name string, table ...aReplacement) *host {
	t.Helper()
	return newHostOf(t, l, name, append(table, aReplacement{"ns1.example.org:53", l.Primary.String()})...)
}

// newHostOf is a host with an example's configuration: what all of them have is replaced
// here, the rest by the table.
func newHostOf(t *testing.T, l *lab.Lab, name string, table ...aReplacement) *host {
	t.Helper()
	h := &host{Lab: l, t: t, now: time.Now, config: filepath.Join(l.Dir, "tlsaroll.yaml")}
	t.Cleanup(h.checkSecrets)
	timing := timingLine.FindString(readDocument(t, "examples/"+name).text)
	text := filled(t, name, append(table,
		aReplacement{"state: /var/lib/tlsaroll", "state: " + filepath.Join(l.Dir, "tlsaroll")},
		aReplacement{"resolver: 127.0.0.1:53", "resolver: " + l.Resolver.String()},
		aReplacement{timing, "timing: " + exampleTiming},
		aReplacement{"providers:\n", labZones + "providers:\n"},
		aReplacement{"/etc/postfix/tls/mx1.pem", l.Postfix.Combined},
		aReplacement{"[systemctl, reload, postfix]", argv(l.Postfix.Reload)},
	)...)
	h.write(h.config, text)
	return h
}

func (h *host) write(path, text string) {
	h.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// read reads one of the lab's own files.
func (h *host) read(path string) string {
	h.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// tellFile has notices end in a file.
func tellFile(l *lab.Lab) aReplacement {
	return aReplacement{"{mail: postmaster@example.org}", "[tee, -a, " + told(l) + "]"}
}

func told(l *lab.Lab) string { return filepath.Join(l.Dir, "log", "told") }

// toldNobody wants that no notice was given.
func (h *host) toldNobody() {
	h.t.Helper()
	if text, err := os.ReadFile(told(h.Lab)); err == nil {
		h.t.Errorf("somebody was told:\n%s", text)
	}
}

func (h *host) control() string { return filepath.Join(h.Dir, "run", "control.sock") }

// shows waits until status looks as a page says, but for figures.
func (h *host) shows(page string, nth int, table ...aReplacement) {
	h.t.Helper()
	want := readDocument(h.t, page).blocks("text")[nth]
	for _, r := range table {
		want = strings.ReplaceAll(want, r.example, r.lab)
	}
	want = figureless(want)
	var got string
	h.eventually(20*time.Second, "as "+page+" shows it", func(rollover.LineageStatus) bool {
		out, _ := h.must(exitDone, "status")
		got = figureless(out.String())
		return got == want
	})
}

// figures are identifiers, times, spans and numbers, with their nouns.
var figures = regexp.MustCompile(`\b[0-9a-f]{8}\b|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ|\b(\d+[hms])+\b|\b\d+ (days|records?)|\b\d+\b`)

func figureless(text string) string {
	return strings.Join(strings.Fields(figures.ReplaceAllString(text, "#")), " ")
}
