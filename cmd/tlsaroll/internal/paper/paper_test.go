package paper

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

var rewrite = flag.Bool("rewrite", false, "write what is laid out to testdata, to be read there")

func all() []audit.Report { return []audit.Report{healthy(), plain(), broken(), blind()} }

func htmlOf(t *testing.T, reports ...audit.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, reports, seen); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func csvOf(t *testing.T, reports ...audit.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := CSV(&b, reports); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGolden compares everything with what was read by people once.
func TestGolden(t *testing.T) {
	text := Text{}
	var lines []string
	for _, r := range all() {
		lines = append(lines, text.Line(r))
	}
	lines = append(lines, Count(all()).String())
	for name, got := range map[string]string{
		"healthy.txt":  text.Page(healthy()),
		"broken.txt":   text.Page(broken()),
		"narrow.txt":   Text{Width: 60}.Page(broken()),
		"plain.txt":    text.Page(plain()),
		"blind.txt":    text.Page(blind()),
		"service.txt":  text.Page(service()) + "\n" + text.Line(service()),
		"nagios.txt":   nagiosPages(),
		"nothing.txt":  text.Findings("this host", nil),
		"service.html": htmlOf(t, service()),
		"here.txt":     text.Findings("this host", broken().Findings),
		"lines.txt":    strings.Join(lines, "\n"),
		"table.csv":    csvOf(t, all()...),
		"sheet.html":   htmlOf(t, all()...),
		"empty.html":   htmlOf(t),
	} {
		file := filepath.Join("testdata", name)
		got = strings.TrimSuffix(got, "\n") + "\n"
		if *rewrite {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: want -, got + (-rewrite writes it anew):\n%s", name, diff)
		}
	}
}

// TestPageFits: where all is well, an administrator need not scroll.
func TestPageFits(t *testing.T) {
	for _, width := range []int{80, 100} {
		page := Text{Width: width}.Page(healthy())
		if n := strings.Count(page, "\n") + 1; n > map[int]int{80: 30, 100: 24}[width] {
			t.Errorf("%d lines in %d columns", n, width)
		}
	}
}

func TestWidth(t *testing.T) {
	for _, width := range []int{60, 80, 120} {
		for _, r := range all() {
			for line := range strings.Lines(Text{Width: width}.Page(r)) {
				if len([]rune(strings.TrimSuffix(line, "\n"))) > width && len(strings.Fields(line)) > 1 {
					t.Errorf("wider than %d: %s", width, line)
				}
			}
		}
	}
	if got := fold("name "+strings.Repeat("x", 30)+" end", 10, 4); strings.Join(got, "|") != "name|    "+strings.Repeat("x", 30)+"|    end" {
		t.Errorf("a long word: %q", got)
	}
}

// TestNotReached: an address that nothing is asked of is not said to answer if it does not.
func TestNotReached(t *testing.T) {
	for want, outcome := range map[string]rollover.PresentedOutcome{"not reached": rollover.Unreached, "reached": rollover.NoTLS} {
		r := plain()
		r.Hosts[0].Addresses[0] = audit.AddressReport{Address: "192.0.2.77:25", Why: "said", Handshakes: []audit.HandshakeReport{{Outcome: outcome}}}
		if page := (Text{}).Page(r); !strings.Contains(page, "192.0.2.77:25          "+want+": said") {
			t.Errorf("%s: %s", want, page)
		}
		if sheet := htmlOf(t, r); !strings.Contains(sheet, ">"+want+"<") {
			t.Errorf("%s: %s", want, sheet)
		}
	}
}

// TestPaint: colour says nothing of its own, and comes after all else.
func TestPaint(t *testing.T) {
	marks := map[Tone]string{Good: "+", Doubtful: "?", Bad: "-"}
	painted := Text{Paint: func(tone Tone, s string) string { return "{" + marks[tone] + s + marks[tone] + "}" }}
	for _, r := range all() {
		got := regexp.MustCompile(`\{[-+?]|[-+?]\}`).ReplaceAllString(painted.Page(r), "")
		if diff := cmp.Diff((Text{}).Page(r), got); diff != "" {
			t.Error(diff)
		}
	}
	for _, want := range []string{"{-broken-}", "{-error  -}", "{?warning?}", "{-not verified-}", "{?not known?}", "{-failed-}", "{+passed+}"} {
		if page := painted.Page(broken()); !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
}

// TestHostile: what servers say stays text, wherever it is shown.
func TestHostile(t *testing.T) {
	r := hostile()
	text, table, sheet := Text{}, csvOf(t, r), htmlOf(t, r, healthy())
	for name, got := range map[string]string{"page": text.Page(r), "line": text.Line(r), "findings": text.Findings("x", r.Findings), "table": table, "sheet": sheet} {
		if !strings.Contains(got, "alert(1)") {
			t.Errorf("%s: it is not shown at all", name)
		}
		for _, c := range got {
			if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
				t.Errorf("%s: %U", name, c)
			}
		}
	}
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for _, cell := range rows[1] {
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
			t.Errorf("a formula: %q", cell)
		}
	}
	if strings.Contains(sheet, "<script") || strings.Contains(sheet, `" onload`) {
		t.Error("markup got through")
	}
	wellFormed(t, sheet)
}

// TestSheetStandsAlone: nothing is loaded, nothing runs, every link leads to a place on the page.
func TestSheetStandsAlone(t *testing.T) {
	sheet := htmlOf(t, all()...)
	if m := regexp.MustCompile(`(?i)<(script|link|img|iframe|object|embed|form|base)\b|\bsrc=|\bon[a-z]+="|url\(|@import|https?:`).FindString(sheet); m != "" {
		t.Errorf("it has %q", m)
	}
	links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(sheet, -1)
	if len(links) != len(all()) {
		t.Errorf("%d links", len(links))
	}
	for _, m := range links {
		if id, ok := strings.CutPrefix(m[1], "#"); !ok || strings.Count(sheet, `id="`+id+`"`) != 1 {
			t.Errorf("%s leads nowhere", m[1])
		}
	}
	for _, want := range []string{`lang="en"`, "prefers-color-scheme: dark", "@media print", `scope="col"`, "default-src 'none'"} {
		if !strings.Contains(sheet, want) {
			t.Errorf("no %s", want)
		}
	}
	order := regexp.MustCompile(`<th scope="row"><a href="#d\d">([^<]*)`).FindAllStringSubmatch(sheet, -1)
	var names []string
	for _, m := range order {
		names = append(names, m[1])
	}
	if got := strings.Join(names, " "); got != "example.net example.com xn--bcher-kva.example example.org" {
		t.Errorf("the worst first: %s", got)
	}
	wellFormed(t, sheet)
}

// wellFormed wants every element closed: the page is XML, too.
func wellFormed(t *testing.T, sheet string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(sheet))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, sheet)
		}
	}
}

func TestCSVIsStable(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(csvOf(t, all()...))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	const want = "domain,at,state,dane,dane_only,may,mta_sts,host,preference,port,host_dane,host_dane_only,security,records,verified,not_verified,unknown,errors,warnings,internetnl_failed,next_renewal"
	if got := strings.Join(rows[0], ","); !strings.HasPrefix(got, want) {
		t.Errorf("the columns are a contract: %s", got)
	}
	if len(rows) != 1+2+1+1+1 {
		t.Errorf("%d rows", len(rows))
	}
	if err := CSV(failing{}, all()); err == nil {
		t.Error("a lost table is none")
	}
	if err := HTML(failing{}, all(), seen); err == nil {
		t.Error("a lost page is none")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestTally(t *testing.T) {
	for want, reports := range map[string][]audit.Report{
		"0 domains: 0 clean, 0 warnings, 0 broken, 0 unknown": nil,
		"1 domain: 1 clean, 0 warnings, 0 broken, 0 unknown":  {healthy()},
		"4 domains: 1 clean, 1 warnings, 1 broken, 1 unknown": all(),
		"1 domain: 0 clean, 0 warnings, 0 broken, 1 unknown":  {{}}, // one that nobody judged
	} {
		if got := Count(reports).String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
