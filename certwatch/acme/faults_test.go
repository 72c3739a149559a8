package acme

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// troubles are what happens at every step, and what the error has to say.
var troubles = []struct {
	name string
	f    fault
	want string
}{
	{"refused", problemReply(403, "unauthorized", "go \\u001b[31maway"), "unauthorized: go  [31maway"},
	{"internal", problemReply(500, "serverInternal", "a disk is full"), "serverInternal: a disk is full"},
	{"page of a proxy", page(502, "<html>Bad Gateway"), "HTTP 502: the CA is in trouble: Bad Gateway, without a word why"},
	{"not found", page(404, ""), "HTTP 404: the CA is in trouble: Not Found, without a word why"},
	{"garbage", page(200, "\x00\x01 garbage", "Replay-Nonce", "garbage", "Location", "garbage"), ""},
	{"empty", page(200, ""), ""},
	{"hangs up", hangUp, "EOF"},
	{"endless", func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		for range 3 * maxBody / 1024 {
			if _, err := io.WriteString(w, strings.Repeat("x", 1024)); err != nil {
				break
			}
		}
		return true
	}, fmt.Sprintf("a reply of more than %d octets", maxBody)},
}

// TestTroubleAtEveryStep: whatever the CA does, there is an error of one line that names
// the CA and the step, no record is left, and the next order succeeds with the same
// key.
func TestTroubleAtEveryStep(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	x := p.proxy(t)
	for _, step := range []string{"directory", "nonce", "account", "order", "authorization", "challenge", "finalize", "poll", "certificate"} {
		t.Run(step, func(t *testing.T) {
			for _, trouble := range troubles {
				if step == "nonce" && (trouble.name == "garbage" || trouble.name == "empty" || trouble.name == "endless") {
					continue
				}
				ca := p.ca()
				ca.Directory = x.directory
				i, log := p.issuer(t, ca)
				r := newRequest(t)
				x.at(step, trouble.f)
				_, err := i.Issue(t.Context(), r)
				var e *Error
				switch {
				case !errors.As(err, &e):
					t.Errorf("%s: error is %v", trouble.name, err)
					continue
				case ends(err):
					t.Errorf("%s: no other CA would be asked after: %v", trouble.name, err)
				case step != "nonce" && !strings.Contains(err.Error(), trouble.want): // the reply to a HEAD has no content
					t.Errorf("%s: error is %v, want in it %s", trouble.name, err, trouble.want)
				}
				if step != "directory" && strings.Contains(err.Error(), "URL of an ACME directory") {
					t.Errorf("%s: the directory is good: %v", trouble.name, err)
				}
				if text := err.Error(); strings.ContainsAny(text, "\n\x1b\x00") || !strings.HasPrefix(text, "acme: "+ca.name()+": ") || len(text) > 700 {
					t.Errorf("%s: error is %q", trouble.name, text)
				}
				p.dns.holds(t, nil)
				hides(t, "the log", log.String(), strings.Split(string(r.Key.PEM()), "\n")[1])
			}
		})
	}
	x.at("", nil)
	ca := p.ca()
	ca.Directory = x.directory
	i, _ := p.issuer(t, ca)
	issue(t, i, newRequest(t))
}

// TestLimits: a CA that says later is not asked before, and the error says when.
func TestLimits(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	x := p.proxy(t)
	now := time.Now().Truncate(time.Second).UTC()
	for _, test := range []struct {
		name string
		f    fault
		want time.Duration // 0: no word of later
	}{
		{"seconds", problemReply(429, "rateLimited", "too many", "Retry-After", "120"), 2 * time.Minute},
		{"date", problemReply(429, "rateLimited", "too many", "Retry-After", now.Add(time.Hour).Format(http.TimeFormat)), time.Hour},
		{"no header", problemReply(429, "rateLimited", "too many"), noHeader},
		{"not of ACME", page(429, "slow down", "Retry-After", "60"), time.Minute},
		{"another status", problemReply(403, "rateLimited", "too many", "Retry-After", "60"), time.Minute},
		{"down for a while", page(503, "maintenance", "Retry-After", "600"), 10 * time.Minute},
		{"down", page(503, "oops"), 0},
		{"a century", problemReply(429, "rateLimited", "too many", "Retry-After", "3153600000"), limitSpan.most},
		{"long ago", problemReply(429, "rateLimited", "too many", "Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT"), time.Second},
		{"garbage", problemReply(429, "rateLimited", "too many", "Retry-After", "soon"), noHeader},
	} {
		ca := p.ca()
		ca.Directory = x.directory
		i, _ := p.issuer(t, ca)
		clock := now
		i.cfg.Now = func() time.Time { return clock }
		x.at("order", test.f)
		r := newRequest(t)
		_, err := i.Issue(t.Context(), r)
		var later *certwatch.LaterError
		switch is := errors.As(err, &later); {
		case test.want == 0 && is:
			t.Errorf("%s: %v", test.name, err)
		case test.want == 0:
		case !is || later.Until.Sub(now) != test.want:
			t.Errorf("%s: error is %v, want %s from %s", test.name, err, test.want, now)
		default:
			if _, err := i.Issue(t.Context(), r); !errors.As(err, &later) || x.count("directory") != 1 {
				t.Errorf("%s: asked again: %v", test.name, err)
			}
			x.at("", nil)
			clock = now.Add(8 * 24 * time.Hour) // all is over
			issue(t, i, r)
		}
	}
}

// TestNextCA: who is asked when the first one gives none.
func TestNextCA(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	x := p.proxy(t)
	second := p.ca()
	for _, test := range []struct {
		name string
		step string
		f    fault
	}{
		{"down", "directory", hangUp},
		{"in trouble", "order", page(500, "")},
		{"limits", "order", problemReply(429, "rateLimited", "too many")},
		{"does not want the name", "order", problemReply(400, "rejectedIdentifier", "a bank")},
		{"is not named by CAA", "finalize", problemReply(403, "caa", "CAA forbids it")},
		{"does not want us", "account", problemReply(403, "unauthorized", "no")},
	} {
		first := p.ca()
		first.Directory = x.directory
		x.at(test.step, test.f)
		i, log := p.issuer(t, first, second)
		issue(t, i, newRequest(t))
		if !strings.Contains(log.String(), "a CA gives no certificate") {
			t.Errorf("%s: the first was not asked", test.name)
		}
		p.dns.holds(t, nil)
	}

	// Two that limit: the sooner of the two moments.
	x.at("order", problemReply(429, "rateLimited", "too many", "Retry-After", "600"))
	y := p.proxy(t)
	y.at("order", problemReply(429, "rateLimited", "too many", "Retry-After", "60"))
	first, other := p.ca(), p.ca()
	first.Directory, other.Directory = x.directory, y.directory
	i, _ := p.issuer(t, first, other)
	begun := time.Now()
	var later *certwatch.LaterError
	if _, err := i.Issue(t.Context(), newRequest(t)); !errors.As(err, &later) || later.Until.After(begun.Add(5*time.Minute)) {
		t.Errorf("error is %v", err)
	}
	// One that limits and one that is down: it may be up in a moment.
	y.at("directory", hangUp)
	i, _ = p.issuer(t, first, other)
	_, err := i.Issue(t.Context(), newRequest(t))
	if err == nil || errors.As(err, &later) || !strings.Contains(err.Error(), "too many") || !strings.Contains(err.Error(), other.name()) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error is %v", err)
	}
}

// TestCAOutOfReach: the cause and what to do, without a word of libraries.
func TestCAOutOfReach(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	stranger := p.ca()
	stranger.Roots = nil
	closed := p.ca()
	closed.Directory = fmt.Sprintf("https://127.0.0.1:%d/dir", freePort(t))
	wrong := p.ca()
	wrong.Directory = p.management + "/roots/0"
	for _, test := range []struct {
		ca   CA
		want string
	}{
		{stranger, "directory: x509: certificate signed by unknown authority (hint: if it is a CA of your own, write ca-file with what its web server's certificate goes back to)"},
		{closed, "directory: dial " + closed.name() + ": connect: connection refused"},
		{wrong, "directory: a reply that cannot be understood (hint: is this the URL of an ACME directory (RFC 8555))"},
	} {
		i, _ := p.issuer(t, test.ca)
		if _, err := i.Issue(t.Context(), newRequest(t)); err == nil || err.Error() != "acme: "+test.ca.name()+": "+test.want || ends(err) {
			t.Errorf("error is\n%v, want\n%s", err, test.want)
		}
	}
}

// TestSlowCA: a CA that takes for ever is left when the patience with it is over, and
// when the caller has none.
func TestSlowCA(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	x := p.proxy(t)
	stall := func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		io.Copy(io.Discard, r.Body) // or nobody sees the client go
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
		return true
	}
	first := p.ca()
	first.Directory = x.directory
	for _, step := range []string{"directory", "authorization", "finalize"} {
		x.at(step, stall)
		i, _ := p.issuer(t, first)
		i.cfg.Patience = 400 * time.Millisecond
		begun := time.Now()
		_, err := i.Issue(t.Context(), newRequest(t))
		if err == nil || !strings.HasSuffix(err.Error(), "no certificate within 400ms") || ends(err) {
			t.Errorf("%s: error is %v", step, err)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("%s: took %s", step, took)
		}
		p.dns.holds(t, nil)
	}
}

// TestCertificateOfAnother: a CA that gives another certificate than the one ordered is not
// believed.
func TestCertificateOfAnother(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	x := p.proxy(t)
	i, _ := p.issuer(t, p.ca())
	other := issue(t, i, newRequest(t))
	ca := p.ca()
	ca.Directory = x.directory
	x.at("certificate", page(200, string(other.ChainPEM()), "Replay-Nonce", "x"))
	i, _ = p.issuer(t, ca)
	if _, err := i.Issue(t.Context(), newRequest(t)); !errors.Is(err, certwatch.ErrMismatch) {
		t.Errorf("error is %v", err)
	}
}

// TestDamagedWords: what a CA says fills no screen and steers none.
func TestDamagedWords(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                      "plain",
		"a\nb\x1b[2J\u009b31m\u2028": "a b [2J 31m",
		"\xff\xfe":                   "?",
		strings.Repeat("ä", maxText): strings.Repeat("ä", maxText/2) + "…",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
