package page_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/page"
	"github.com/tlsaroll/tlsaroll/rollover"
)

var rewrite = flag.Bool("rewrite", false, "write the pages to testdata, to be read there")

func written(t *testing.T, v page.View) string {
	t.Helper()
	var b strings.Builder
	if err := page.Write(&b, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// ours is what is the same on every page.
var ours = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>`)

func TestPages(t *testing.T) {
	compare := func(name string, v page.View) {
		t.Helper()
		file := "testdata/" + name + ".html"
		got := ours.ReplaceAllString(written(t, v), "")
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
			t.Errorf("%s (read the difference, then -rewrite): %s", name, diff)
		}
	}
	for _, c := range cases() {
		if c.name != "many" { // mostly repeats
			compare(c.name, page.All(facts(c.status)))
		}
	}
	mx1, ok := page.One(facts(site()), "mx1")
	if !ok {
		t.Fatal("mx1 is not there")
	}
	compare("one", mx1)
	gone, ok := page.One(facts(site()), "mx9")
	if ok {
		t.Error("mx9 is there")
	}
	compare("missing", gone)
}

// TestHostile has other people's text everywhere: none of it is markup, ends what is
// quoted, or turns text around.
func TestHostile(t *testing.T) {
	one, _ := page.One(facts(hostile()), hostileText)
	for _, v := range []page.View{page.All(facts(hostile())), one, page.All(facts(rollover.Status{Lineages: append(many(9).Lineages, hostile().Lineages...)}))} {
		text := written(t, v)
		if n := strings.Count(text, "alert(1)"); n < 10 {
			t.Errorf("hostile text stands there %d times: it is looked for in vain", n)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }); i >= 0 {
			t.Errorf("%q moves cursors", text[max(0, i-20):i+20])
		}
		scripts := 0
		for e := range elements(t, text) {
			scripts += strings.Count(e.Data, "script")
			if e.Data == "img" || e.Data == "iframe" || e.Data == "form" || e.Data == "base" {
				t.Errorf("there is a <%s>", e.Data)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || (a.Key == "href" || a.Key == "src") && strings.Contains(strings.ToLower(a.Val), "javascript:") {
					t.Errorf("<%s %s=%q>", e.Data, a.Key, a.Val)
				}
			}
		}
		if scripts != 1 {
			t.Errorf("%d scripts", scripts)
		}
	}
}

// TestPolicy has browsers take the style and the script for ours.
func TestPolicy(t *testing.T) {
	for e := range elements(t, written(t, page.All(facts(site())))) {
		if e.Data == "style" || e.Data == "script" {
			if sum := sha256Of(e.FirstChild.Data); e.FirstChild.NextSibling != nil || !strings.Contains(page.Policy, e.Data+"-src '"+sum+"'") {
				t.Errorf("%s: %s is not in %s", e.Data, sum, page.Policy)
			}
		}
	}
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(page.Policy, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(page.Policy, "unsafe") || strings.Contains(page.Policy, "*") {
		t.Error(page.Policy)
	}
}

// TestOthersAreLeftAlone has the page and the status share nothing that is written to.
func TestOthersAreLeftAlone(t *testing.T) {
	s := site()
	page.All(facts(s))
	if diff := cmp.Diff(site(), s); diff != "" {
		t.Error(diff)
	}
}

// elements are those of a page, in order.
func elements(t *testing.T, text string) func(yield func(*html.Node) bool) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && !yield(n) {
				return
			}
		}
	}
}
