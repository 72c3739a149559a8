package main

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// bad is one thing that is wrong, and what is said about it: one sentence, on
// standard error where the program gives up, among what is waited for where it
// does not. An ellipsis at the end leaves the rest open.
type bad struct {
	name    string
	setting setting
	args    []string
	clock   time.Duration // of this host, ahead
	code    int
	says    string
	waits   string
	adds    string // the record that may come, of a pair that is only doubtful
}

// suffers runs the program with something wrong, and wants its sentence and that
// nothing has changed.
func (h *host) suffers(t *testing.T, b bad) {
	t.Helper()
	h.configure(b.setting)
	h.now = func() time.Time { return time.Now().Add(b.clock) }
	defer func() { h.now = time.Now }()
	before, begin := h.evidence(t, b.setting), time.Now()
	code, out, errs := h.tlsaroll(b.args...)
	t.Logf("exit %d after %s\n%s%s", code, time.Since(begin).Round(time.Millisecond), errs, out)
	if code != b.code {
		t.Errorf("exit %d, want %d", code, b.code)
	}
	if got := h.steady(said(errs.String())); !is(got, b.says) {
		t.Errorf("it says\n%s\nwant\n%s", got, b.says)
	}
	waits := waits(h.steady(out.String()))
	if b.waits != "" && !slices.ContainsFunc(waits, func(got string) bool { return is(got, b.waits) }) || b.waits == "" && len(waits) > 0 {
		t.Errorf("it waits for\n%s\nwant\n%s", strings.Join(waits, "\n"), b.waits)
	}
	after := h.evidence(t, b.setting)
	if b.adds != "" {
		h.Update(t, lab.Remove(lab.Owner(25)+" 2 TLSA "+b.adds))
		after.Records[lab.Owner(25)] = slices.DeleteFunc(after.Records[lab.Owner(25)], func(record string) bool { return record == b.adds })
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("changed, -before +after:\n%s", diff)
	}
	h.keepsSecrets(t, out, errs)
}

// evidence is everything that must stay as it is.
type evidence struct {
	Records   map[string][]string // by owner name, at the primary
	Served    string              // leaf
	Live      string              // where the link leads
	Installed string
}

func (h *host) evidence(t *testing.T, s setting) evidence {
	t.Helper()
	e := evidence{Records: map[string][]string{}, Served: h.presents(t), Live: h.live(s)}
	for _, name := range h.Live.Leaf().DNSNames {
		owner := "_25._tcp." + name + "."
		e.Records[owner] = h.records(owner)
	}
	installed, err := os.ReadFile(h.Postfix.Combined)
	if err != nil {
		t.Fatal(err)
	}
	e.Installed = digest(installed)
	return e
}

// live is the chain that the live link leads to, that of the first pair while
// there is none: to adopt it changes nothing.
func (h *host) live(s setting) string {
	state := s.state
	if state == "" {
		state = "tlsaroll"
	}
	target, err := os.Readlink(filepath.Join(h.Dir, state, "live", "mx1"))
	if err != nil {
		var chain []byte
		for _, c := range h.Live.Certificates {
			chain = append(chain, c.Raw...)
		}
		return digest(chain)
	}
	return filepath.Base(target)
}

// presents is the leaf that Postfix presents, "" where it has no STARTTLS.
func (h *host) presents(t *testing.T) string {
	t.Helper()
	client, err := smtp.Dial(h.Postfix.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if ok, _ := client.Extension("STARTTLS"); !ok {
		return ""
	}
	if err := client.StartTLS(&tls.Config{ServerName: lab.Host, InsecureSkipVerify: true}); err != nil {
		t.Fatal(err)
	}
	state, _ := client.TLSConnectionState()
	return digest(state.PeerCertificates[0].Raw)
}

// soonPresents wants Postfix to present a pair's leaf as soon as the processes have
// gone that were there before it was reloaded.
func (h *host) soonPresents(t *testing.T, p *lab.Pair) {
	t.Helper()
	want := leafID(p)
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := h.presents(t)
		if got == want {
			return
		}
		if time.Now().After(end) {
			t.Errorf("Postfix presents %s, want %s", got, want)
			return
		}
	}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// wrongSecret is no secret of the lab's servers.
const wrongSecret = "bm9ib2R5IGtub3dzIHRoaXMgb25lIGF0IGFsbCwgbm8="

// keepsSecrets wants neither TSIG secrets nor private keys in what was printed.
func (h *host) keepsSecrets(t *testing.T, streams ...*output) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(h.Dir, "keys", "*.secret"))
	if err != nil || len(files) < 3 {
		t.Fatalf("secrets %v, %v", files, err)
	}
	hidden := []string{"PRIVATE KEY", wrongSecret}
	for _, file := range files {
		secret, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hidden = append(hidden, strings.TrimSpace(string(secret)))
	}
	for _, stream := range streams {
		for i, secret := range hidden {
			if strings.Contains(stream.String(), secret) {
				t.Errorf("secret %d was printed", i)
			}
		}
	}
}

// is compares with what is wanted, as far as that goes.
func is(got, want string) bool {
	start, open := strings.CutSuffix(want, "…")
	return got == want || open && strings.HasPrefix(got, start)
}

// said is what was printed on standard error but for how far it has come, and
// the warnings that the lab's short TTLs deserve.
func said(errs string) string {
	expected := regexp.MustCompile(`^(done: adopt |mx1: (looking|generated|published|ready|swapping|retiring|steady)\b|warning: \S+\.yaml:\d+:\d+: (timing\.|lineages\.mx1\.ttl:))`)
	var lines []string
	for line := range strings.Lines(errs) {
		line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "tlsaroll: ")
		if !expected.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// waits are what is waited for, as it is shown.
func waits(out string) []string {
	var all []string
	for line := range strings.Lines(out) {
		if _, what, ok := strings.Cut(line, "  waiting  "); ok {
			all = append(all, strings.TrimSpace(what))
		}
	}
	return all
}

// steady replaces what differs from run to run.
func (h *host) steady(s string) string {
	s = strings.ReplaceAll(s, h.Dir, "LAB")
	for _, r := range []struct{ pattern, with string }{
		{`\.tmp-\d+/\w+\.pem`, ".tmp-1"},
		{`127\.77\.\d+\.`, "127.77.0."},
		{`\.yaml:\d+:\d+`, ".yaml:1:1"},
		{`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z| [+-]\d\d:\d\d(, (in )?\d\w*( days)?( ago)?)?)`, "TIME"},
		{`\b(9m5\ds|10m[1-9]s|10m)\b`, "10m"},
		{`\b[0-9a-f]{64}\b`, "DIGEST"},
		{`\b[0-9a-f]{12,16}…`, "DIGEST…"},
		{`\b[0-9a-f]{8}\b`, "ID"},
	} {
		s = regexp.MustCompile(r.pattern).ReplaceAllString(s, r.with)
	}
	return s
}
