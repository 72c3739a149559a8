package page_test

import (
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// axeVersion is the one that .ci/run unpacks.
const axeVersion = "axe-core-4.10.3"

// What axe is asked: all that it knows of WCAG 2.2 and of good practice; and what may come out
// otherwise in another size or scheme of colours.
const (
	axeAll  = `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}`
	axeLook = `{type: "rule", values: ["color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable", "css-orientation-lock"]}`
)

// axe is what axe-core has to say of the page in a tab, "" if nothing.
func (tb *tab) axe(rules string) string {
	tb.t.Helper()
	return tb.eval(`axe.run(document, {runOnly: ` + rules + `, resultTypes: ["violations"], selectors: false, iframes: false}).then((r) => (r.passes.length ? "" : "nothing was tried") +
		r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html + ": " + n.failureSummary).join("; ")).join("\n"))`)
}

// TestAxe has axe-core, which looks for what keeps people with disabilities from using a page,
// find nothing: on each kind of page, on a phone and on a desk, in light and in dark.
func TestAxe(t *testing.T) {
	b := browse(t)
	source := string(lab.CachedFile(t, axeVersion, "axe.min.js"))
	w := serve(t)
	tb := b.tab()
	two := site() // of each kind one is enough: contrast takes long
	two.Lineages = append(two.Lineages[2:3], unverified())
	for _, c := range []struct {
		path   string
		status rollover.Status
		folds  string
	}{{"/", two, unfold}, {"/", many(9), ""}, {"/", rollover.Status{}, ""}, {"/lineage/mx1", one(published()), unfold}, {"/nothing", site(), ""}} {
		w.put(c.status)
		tb.look(1200, "light")
		tb.open(w.url + c.path)
		tb.eval(source) // the protocol is not bound by the page's policy
		tb.eval(c.folds)
		if said := tb.axe(axeAll); said != "" {
			t.Errorf("%s: %s", c.path, said)
		}
		for _, l := range []look{{1200, "dark"}, {360, "light"}, {360, "dark"}} {
			tb.look(l.width, l.scheme)
			if said := tb.axe(axeLook); said != "" {
				t.Errorf("%s, %d px, %s: %s", c.path, l.width, l.scheme, said)
			}
		}
	}
	tb.look(1200, "light")
	tb.eval(`document.documentElement.removeAttribute("lang"); document.querySelector("h1").style.color = "#999"`)
	if said := tb.axe(axeAll); !strings.Contains(said, "html-has-lang: ") || !strings.Contains(said, "color-contrast: ") {
		t.Errorf("what is wrong is not found: %s", said)
	}
}
