package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/page"
)

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func attribute(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// TestForReaders asks of every page what those need who hear it or have no mouse (WCAG
// 2.2): names, headings in order, landmarks, tables with captions and heads.
func TestForReaders(t *testing.T) {
	for _, c := range cases() {
		views := map[string]page.View{c.name: page.All(facts(c.status)), c.name + ", nothing there": page.Missing(facts(c.status), "./")}
		if len(c.status.Lineages) > 0 {
			views[c.name+", one"], _ = page.One(facts(c.status), c.status.Lineages[0].Name)
		}
		for name, v := range views {
			for _, fault := range faults(t, written(t, v)) {
				t.Errorf("%s: %s", name, fault)
			}
		}
	}
}

// TestFaultsAreFound has each kind of fault found.
func TestFaultsAreFound(t *testing.T) {
	sound := written(t, page.All(facts(site())))
	for _, c := range [][2]string{
		{`<html lang="en"`, `<html`}, {"<title>", "<title></title><t>"}, {"<h1 ", "<h4 "}, {`<h2 id="overview">`, `<h4 id="overview">`},
		{`id="program"`, `id="overview"`}, {`aria-labelledby="overview"`, `aria-labelledby="elsewhere"`}, {`scope="col"`, ``}, {"<caption ", "<b "},
		{`<main `, `<div `}, {`role="img" aria-label`, `role="img" data-label`}, {`aria-live="polite"`, ``}, {`href="#main"`, `href="#nowhere"`},
		{`<nav aria-label="Pages"><a href="./"><svg`, `<nav aria-label="Pages"><a href="./"></a><svg`}, {`<summary>What`, `<summary></summary><b>What`},
		{`content="width=device-width, initial-scale=1"`, `content="width=device-width, user-scalable=no"`},
	} {
		broken := strings.Replace(sound, c[0], c[1], 1)
		if broken == sound || len(faults(t, broken)) == 0 {
			t.Errorf("%s for %s is not found", c[1], c[0])
		}
	}
}

func faults(t *testing.T, text string) (found []string) {
	fault := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	ids, wanted := map[string]int{}, []string{}
	count := map[string]int{}
	level, titled, polite := 0, false, false
	for n := range elements(t, text) {
		count[n.Data]++
		if id, ok := attribute(n, "id"); ok {
			ids[id]++
			if id == "" || strings.ContainsAny(id, " \t\n") {
				fault("id %q", id)
			}
		}
		for _, key := range []string{"aria-labelledby", "aria-describedby", "for"} {
			if v, ok := attribute(n, key); ok {
				wanted = append(wanted, strings.Fields(v)...)
			}
		}
		if v, _ := attribute(n, "href"); strings.HasPrefix(v, "#") {
			wanted = append(wanted, v[1:])
		}
		label, _ := attribute(n, "aria-label")
		switch n.Data {
		case "html":
			if lang, _ := attribute(n, "lang"); lang == "" {
				fault("no language")
			}
		case "meta":
			if v, _ := attribute(n, "content"); strings.Contains(v, "user-scalable") || strings.Contains(v, "maximum-scale") {
				fault("nobody can zoom: %s", v)
			}
		case "title":
			titled = titled || n.Parent.Data == "head" && textOf(n) != ""
		case "h1", "h2", "h3", "h4", "h5", "h6":
			l := int(n.Data[1] - '0')
			if l > level+1 || textOf(n) == "" {
				fault("%s %q after h%d", n.Data, textOf(n), level)
			}
			level = l
		case "a", "summary", "th", "caption", "button":
			if textOf(n) == "" && label == "" {
				fault("<%s> says nothing", n.Data)
			}
		case "svg":
			role, _ := attribute(n, "role")
			hidden, _ := attribute(n, "aria-hidden")
			if n.Parent.Data != "svg" && hidden != "true" && (role != "img" || label == "") {
				fault("a picture has no text")
			}
		case "table":
			if first := n.FirstChild.NextSibling; first == nil || first.Data != "caption" {
				fault("a table has no caption")
			}
		case "time":
			if v, _ := attribute(n, "datetime"); v == "" {
				fault("a time is for people alone: %s", textOf(n))
			}
		}
		if n.Data == "th" {
			if scope, _ := attribute(n, "scope"); scope != "col" && scope != "row" {
				fault("a head of a table has no scope: %s", textOf(n))
			}
		}
		live, _ := attribute(n, "aria-live")
		polite = polite || live == "polite"
	}
	for id, n := range ids {
		if n > 1 {
			fault("id %s: %d times", id, n)
		}
	}
	for _, id := range wanted {
		if ids[id] == 0 {
			fault("nothing is called %s", id)
		}
	}
	for _, once := range []string{"h1", "main", "nav", "footer"} {
		if count[once] != 1 {
			fault("<%s> is there %d times", once, count[once])
		}
	}
	if !titled || !polite {
		fault("no title, or nothing that is said when it changes")
	}
	return found
}

// TestContrast reckons the contrast of what is read with what is behind it, in light and
// in dark (WCAG 2.2, 1.4.3 and 1.4.11).
func TestContrast(t *testing.T) {
	style := ""
	for e := range elements(t, written(t, page.All(facts(site())))) {
		if e.Data == "style" {
			style = e.FirstChild.Data
		}
	}
	schemes := regexp.MustCompile(`:root \{[^}]*\}`).FindAllString(style, -1)
	if len(schemes) != 3 {
		t.Fatalf("%d sets of colours: light, dark and print were expected", len(schemes))
	}
	for i, scheme := range schemes {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+)`).FindAllStringSubmatch(scheme, -1) {
			colour[m[1]] = m[2]
		}
		check := func(front, back string, least float64) {
			t.Helper()
			if c := contrast(t, colour[front], colour[back]); c < least {
				t.Errorf("%s: %s on %s: %.2f, less than %v", []string{"light", "dark", "print"}[i], front, back, c, least)
			}
		}
		for _, tone := range []string{"good", "moving", "doubtful", "bad", "plain"} {
			check(tone, tone+"-shade", 4.5)
			check(tone, "card", 4.5)
			check(tone, "paper", 4.5)
			check("ink", tone+"-shade", 4.5)
			check("link", tone+"-shade", 3) // the outline of what has the focus
		}
		for _, back := range []string{"paper", "card"} {
			check("ink", back, 4.5)
			check("faint", back, 4.5)
			check("link", back, 4.5)
		}
		for _, back := range []string{"bad-shade", "doubtful-shade", "plain-shade", "good-shade", "moving-shade"} {
			check("faint", back, 4.5)
		}
	}
	if c := contrast(t, "#777", "#ffffff"); math.Abs(c-4.48) > .01 {
		t.Errorf("#777 on white is %.2f", c)
	}
}

// contrast is the ratio of WCAG 2.2.
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func luminance(t *testing.T, colour string) (l float64) {
	t.Helper()
	hex := strings.TrimPrefix(colour, "#")
	if len(hex) == 3 {
		hex = strings.Repeat(hex[:1], 2) + strings.Repeat(hex[1:2], 2) + strings.Repeat(hex[2:], 2)
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		t.Fatalf("colour %q", colour)
	}
	for i, weight := range []float64{.0722, .7152, .2126} {
		c := float64(v>>(8*i)&0xff) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}
