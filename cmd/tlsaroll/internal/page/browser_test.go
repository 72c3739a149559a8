package page_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/web"
	"github.com/tlsaroll/tlsaroll/rollover"

	"time"
)

var shots = flag.String("shots", "", "take pictures of all pages, and put them into this directory")

// world is a server whose status a test sets.
type world struct {
	url     string
	metrics *web.Metrics
	stop    func()

	mu     sync.Mutex
	status rollover.Status
}

// set has the pages that are open change, too.
func (w *world) set(s rollover.Status) {
	w.put(s)
	w.metrics.Passed(nil, noon)
}

// put has the next page that is opened show something else.
func (w *world) put(s rollover.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status = s
}

func serve(t *testing.T) *world {
	t.Helper()
	w := &world{}
	get := func() rollover.Status {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.status
	}
	w.metrics = web.NewMetrics(web.Sources{Version: "v1.2.3", Status: func() []rollover.LineageStatus { return append([]rollover.LineageStatus(nil), get().Lineages...) },
		Warnings: func() []rollover.Warning { return get().Warnings }})
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := web.Listen(web.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Metrics: w.metrics, Log: log, Host: "mail.example.org",
		Now: func() time.Time { return time.Now().Add(noon.Sub(began)).In(noon.Location()) }})
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + s.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Error("open pages keep the server from ending")
		}
	})
	t.Cleanup(w.stop)
	return w
}

// began is when the tests did, which is noon on the pages.
var began = time.Now()

// wide is true if something is wider than the window.
const wide = `document.documentElement.scrollWidth > document.documentElement.clientWidth`

// A look is a size of the window, and a scheme of colours.
type look struct {
	width  int
	scheme string
}

// looks are those of a phone and a desk, in light and in dark. What is wider than the window
// does not depend on colours: without pictures, two will do.
func looks() []look {
	if *shots != "" {
		return []look{{360, "light"}, {360, "dark"}, {1200, "light"}, {1200, "dark"}}
	}
	return []look{{360, "dark"}, {1200, "light"}}
}

const (
	fold   = `document.querySelectorAll('details').forEach((d) => d.open = false);`
	unfold = `document.querySelectorAll('details').forEach((d) => d.open = true);`
)

// TestInABrowser opens every page as people do: on a phone and on a desk, in light and in
// dark. A browser complains of nothing, and nobody has to scroll sideways.
func TestInABrowser(t *testing.T) {
	b := browse(t)
	w := serve(t)
	tb := b.tab()
	for _, c := range cases() {
		w.put(c.status)
		pages := []string{"/"}
		if len(c.status.Lineages) > 0 {
			pages = append(pages, "/lineage/"+url.PathEscape(c.status.Lineages[0].Name))
		}
		for i, p := range pages {
			name := fmt.Sprintf("%s/%s%d-", *shots, c.name, i)
			tb.open(w.url + p)
			for _, l := range looks() {
				tb.look(l.width, l.scheme)
				for _, opened := range []string{"", unfold} {
					if got := tb.eval(opened + wide); got != "false" {
						t.Errorf("%s%s: it is wider than %d px: %s", c.name, p, l.width, tb.eval(`[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > `+strconv.Itoa(l.width)+` && !e.closest("svg, .unseen")).map(e => e.tagName + "." + e.className).slice(0, 5).join()`))
					}
					if *shots != "" {
						tb.shoot(name + fmt.Sprintf("%d-%s%s.png", l.width, l.scheme, map[bool]string{true: "-open"}[opened != ""]))
					}
				}
				tb.eval(fold)
			}
			if *shots != "" {
				tb.must(tb.session, "Emulation.setEmulatedMedia", map[string]any{"media": "print"}, nil)
				tb.shoot(name + "print.png")
			}
			if said := tb.trouble(); said != "" {
				t.Errorf("%s%s: the browser says: %s", c.name, p, said)
			}
		}
	}
}

// TestPageFollows has the page change while somebody reads it: what is folded out stays so, the
// focus stays where it is, and what is new is said to those who cannot see it.
func TestPageFollows(t *testing.T) {
	b := browse(t)
	w := serve(t)
	tb := b.tab()
	w.set(one(published()))
	tb.open(w.url + "/")
	tb.until(`document.querySelector(".live").textContent === "live,"`)
	tb.eval(`document.querySelector(".endpoint").open = true; document.querySelector(".endpoint summary").focus(); window.witness = document.querySelector(".endpoint")`)
	w.set(one(heldUp()))
	tb.until(`document.querySelector("h1").textContent === "mx1 needs you"`)
	for what, expression := range map[string]string{
		"the title":           `document.title.startsWith("mx1 needs you")`,
		"the icon":            `document.querySelector("link[rel=icon]").href.endsWith("/icon/bad.svg")`,
		"what is said":        `document.getElementById("said").textContent.includes("mx1 needs you") && document.getElementById("said").textContent.includes("mx1: held")`,
		"the warning":         `document.querySelector(".trouble.bad").textContent.includes("systemctl reload postfix")`,
		"what was folded out": `document.querySelector(".endpoint").open`,
		"the focus":           `document.activeElement === document.querySelector(".endpoint summary")`,
		"the same endpoint":   `window.witness === document.querySelector(".endpoint")`,
	} {
		if got := tb.eval(expression); got != "true" {
			t.Errorf("%s: %s", what, got)
		}
	}
	w.set(rollover.Status{})
	tb.until(`document.querySelector("h1").textContent === "There is no lineage yet"`)
	if said := tb.trouble(); said != "" {
		t.Errorf("the browser says: %s", said)
	}
	w.stop()
	tb.until(`document.querySelector(".live").textContent === "connection lost:"`)
	if got := tb.eval(`document.querySelector("h1").textContent`); got != "There is no lineage yet" {
		t.Errorf("what was known is gone: %s", got)
	}
}

// TestWithoutScripts has the page be whole where none run, and anything from elsewhere refused.
func TestWithoutScripts(t *testing.T) {
	b := browse(t)
	w := serve(t)
	tb := b.tab()
	w.set(site())
	tb.must(tb.session, "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	tb.open(w.url + "/")
	if got := tb.eval(`document.querySelectorAll("article .trouble").length + " " + document.querySelectorAll("svg.way").length + " [" + document.querySelector(".live").textContent + "]"`); got != "2 3 []" {
		t.Errorf("there are %s troubles and pictures", got)
	}
	tb.eval(`document.querySelector(".overview a").click()`)
	tb.until(`location.hash !== ""`)
	if said := tb.trouble(); said != "" {
		t.Errorf("the browser says: %s", said)
	}
	tb.must(tb.session, "Emulation.setScriptExecutionDisabled", map[string]any{"value": false}, nil)
	tb.open(w.url + "/")
	tb.eval(`document.body.insertAdjacentHTML("beforeend", "<p id=x style='color:red' onclick='window.hit=1'>x</p>"); document.getElementById("x").click()`)
	if got := tb.eval(`String(window.hit) + " " + (getComputedStyle(document.getElementById("x")).color === "rgb(255, 0, 0)")`); got != "undefined false" {
		t.Errorf("what is no part of the page is run or styled: %s", got)
	}
	if tb.trouble() == "" {
		t.Error("the browser says nothing of what it refuses: silence elsewhere means nothing")
	}
}
