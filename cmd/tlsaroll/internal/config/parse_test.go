package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]any{
		"0s": time.Duration(0), "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "1w1d": 192 * time.Hour, "250ms": 250 * time.Millisecond,
		"":                     "empty (hint: write a number and ms, s, m, h, d or w, as in 90s or 1h30m)",
		"60":                   `"60" has no unit (hint: seconds are 60s)`,
		"-1h":                  `"-1h" is not a duration (hint: write a number and ms, s, m, h, d or w, as in 90s or 1h30m)`,
		"1.5h":                 `"1.5h" is not a duration (hint: write a number and ms, s, m, h, d or w, as in 90s or 1h30m)`,
		"1h ":                  `"1h " is not a duration (hint: write a number and ms, s, m, h, d or w, as in 90s or 1h30m)`,
		"1y":                   `"1y" is not a duration (hint: write a number and ms, s, m, h, d or w, as in 90s or 1h30m)`,
		"15250w1d":             time.Duration(15250*7+1) * 24 * time.Hour,
		"15251w":               `"15251w" is longer than any wait (hint: write a number and ms, s, m, h, d or w, as in 90s or 1h30m)`,
		"106751d106751d":       `"106751d106751d" is longer than any wait (hint: write a number and ms, s, m, h, d or w, as in 90s or 1h30m)`,
		"9223372036854775808s": `"9223372036854775808s" is longer than any wait (hint: write a number and ms, s, m, h, d or w, as in 90s or 1h30m)`,
	} {
		got, err := ParseDuration(s)
		if err != nil {
			if err.Error() != want {
				t.Errorf("%q: %v, want %v", s, err, want)
			}
		} else if got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

func TestParseEndpoint(t *testing.T) {
	for s, want := range map[string]string{
		"smtp://mx1.example.org":          "smtp://mx1.example.org",
		"SMTP://MX1.Example.ORG.:25/":     "smtp://mx1.example.org",
		"smtp://mx1.example.org:2525":     "smtp://mx1.example.org:2525",
		"tls://mx1.example.org:443":       "tls://mx1.example.org:443",
		"imaps://bücher.example":          "imaps://xn--bcher-kva.example",
		"imaps://XN--BCHER-KVA.example":   "imaps://xn--bcher-kva.example",
		"sieve://mail。example。org":        "sieve://mail.example.org",
		"smtp://mx1..example.org":         `endpoint "smtp://mx1..example.org": name "mx1..example.org": an empty label`,
		"smtp://mx1.example.org:99999":    `endpoint "smtp://mx1.example.org:99999": "99999" is not a port (hint: write a number from 1 to 65535)`,
		"smtps://mx1.example.org":         `endpoint "smtps://mx1.example.org": unknown scheme "smtps" (hint: did you mean smtp?)`,
		"mx1.example.org:25":              `endpoint "mx1.example.org:25": no scheme (hint: write smtp://mx1.example.org:25, or another scheme)`,
		"smtp://\u2028mx1.example.org":    "endpoint \"smtp://\u2028mx1.example.org\"",
		"smtp://_25._tcp.mx1.example.org": `endpoint "smtp://_25._tcp.mx1.example.org": name "_25._tcp.mx1.example.org": the label "_25" is not allowed in a host name (hint: use letters, digits and inner hyphens)`,
	} {
		e, err := ParseEndpoint(s)
		got := e.URL
		if err != nil {
			got = err.Error()
		}
		if s == "smtp://\u2028mx1.example.org" {
			if err == nil {
				t.Errorf("%q is taken", s)
			}
			continue
		}
		if got != want {
			t.Errorf("%q: %s\nwant %s", s, got, want)
		}
	}
}

func TestServices(t *testing.T) {
	for scheme, port := range map[string]uint16{
		"smtp": 25, "submission": 587, "submissions": 465, "imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995, "sieve": 4190,
	} {
		if e, err := ParseEndpoint(scheme + "://mx1.example.org"); err != nil || e.Port != port || e.Scheme != scheme {
			t.Errorf("%s: %+v %v", scheme, e, err)
		}
	}
}

// FuzzLoad asks only that nothing panics, that what is refused is said where, and that what is
// taken is what its errors would have refused.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte(Example()))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, warnings, err := world().with("/c.yaml", src).Load("/c.yaml")
		if (c == nil) == (err == nil) {
			t.Fatal("neither a configuration nor an error, or both")
		}
		var found []Located
		if err != nil {
			found = err.(Errors)
		}
		for _, l := range append(found, warnings...) {
			if l.File == "" || l.What == "" || l.Line < 1 && len(src) <= maxSize || l.Column < 1 && len(src) <= maxSize {
				t.Errorf("%#v", l)
			}
		}
		if c == nil {
			return
		}
		if len(c.Lineages) == 0 || c.Timing.Floor < 2*time.Second || c.Timing.TTLs < 1 {
			t.Errorf("taken: %+v", c)
		}
		for _, l := range c.Lineages {
			for _, e := range l.Endpoints {
				if again, err := ParseEndpoint(e.URL); err != nil || again.Host != e.Host || again.Port != e.Port {
					t.Errorf("%s is not the endpoint's own URL: %v", e.URL, err)
				}
			}
		}
	})
}

// FuzzHost reads a name as a person writes it: what is taken is canonical and read again as
// the same, and what is refused is said in one line.
func FuzzHost(f *testing.F) {
	for _, s := range []string{"mx1.example.org", "MX1.Example.ORG.", "m\u00fcx.example", "xn--mx-xka.example", "_25._tcp.x", "a..b", "\u212a.example", "127.0.0.1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, err := Host(s)
		if err != nil {
			if text := err.Error(); host != "" || strings.ContainsAny(text, "\n\r\x1b\x00") {
				t.Errorf("%q: %q, %q", s, host, text)
			}
			return
		}
		if again, err := Host(host); err != nil || again != host {
			t.Errorf("%q: %q again is %q, %v", s, host, again, err)
		}
	})
}

// FuzzSystemResolver reads a resolv.conf: only an address on loopback is taken.
func FuzzSystemResolver(f *testing.F) {
	f.Add([]byte("nameserver 127.0.0.1\n"))
	f.Add([]byte("# x\nsearch a\nnameserver ::1%lo\nnameserver 192.0.2.1"))
	f.Add([]byte("nameserver\nnameserver x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		at, ok := world().with("/etc/resolv.conf", text).SystemResolver()
		if ok && (!at.IsValid() || !at.Addr().IsLoopback() || at.Port() != 53) {
			t.Errorf("%q: %s", text, at)
		}
	})
}
