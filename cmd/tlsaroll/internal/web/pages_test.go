package web

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/page"
	"github.com/tlsaroll/tlsaroll/rollover"
)

func TestPages(t *testing.T) {
	r := serve(t, Config{Metrics: metricsOf(site(), rollover.NewWarning(rollover.CodeNotifyFailed, "", "nobody heard of it")), Host: "mail.example.org",
		Now: func() time.Time { return noon.In(time.FixedZone("", 7200)) }})
	const plain, html, icon = "text/plain; charset=utf-8", "text/html; charset=utf-8", "image/svg+xml"
	for _, test := range []struct {
		path   string
		status int
		kind   string
		has    string
	}{
		{"/", 200, html, `<h1 data-said="mx1 needs you">mx1 needs you</h1>`},
		{"/", 200, html, "nobody heard of it"},
		{"/", 200, html, "14:00:00 &#43;02:00"},
		{"/?utm=1", 200, html, `<h1 data-said="mx1 needs you">mx1 needs you</h1>`},
		{"/lineage/mx1", 200, html, ">mx1</h1>"},
		{"/lineage/mx1", 200, html, `<a href="../">`},
		{"/lineage/mx1%2Drsa", 200, html, ">mx1-rsa</h1>"},
		{"/lineage/mx9", 404, html, `<a href="../">All lineages</a>`},
		{"/lineage/mx1%2f", 404, html, "There is nothing here"},
		{"/lineage/", 404, html, "There is nothing here"},
		{"/lineage/mx1/more", 404, html, `<a href="../../">All lineages</a>`},
		{"/favicon.ico", 404, html, `<a href="./">All lineages</a>`},
		{"/debug/pprof/", 404, html, "There is nothing here"},
		{"/metrics/", 404, html, "There is nothing here"},
		{"/icon/bad.svg", 200, icon, "<svg "},
		{"/icon/bad", 404, html, "There is nothing here"},
		{"/icon/worse.svg", 404, html, "There is nothing here"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			reply, body := r.ask(t, method, test.path, nil)
			h := reply.Header
			switch {
			case reply.StatusCode != test.status, h.Get("Content-Type") != test.kind, (method == "GET") != strings.Contains(body, test.has), method == "HEAD" && body != "":
				t.Errorf("%s %s: %d %v %.300s", method, test.path, reply.StatusCode, h, body)
			case h.Get("X-Content-Type-Options") != "nosniff":
				t.Errorf("%s: %v", test.path, h)
			case test.kind == icon && h.Get("Content-Security-Policy") != "default-src 'none'":
				t.Errorf("%s: %v", test.path, h)
			case test.kind == html && (h.Get("Content-Security-Policy") != page.Policy || h.Get("Referrer-Policy") != "no-referrer" ||
				h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" || h.Get("Set-Cookie") != ""):
				t.Errorf("%s: %v", test.path, h)
			}
		}
	}
	if reply, body := r.ask(t, "HEAD", "/events", nil); reply.StatusCode != http.StatusOK || reply.Header.Get("Content-Type") != "text/event-stream" || body != "" {
		t.Errorf("HEAD /events: %d %v", reply.StatusCode, reply.Header)
	}
	if reply, body := r.ask(t, "GET", "/lineage/../metrics", nil); reply.StatusCode != http.StatusOK || !strings.HasPrefix(reply.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("a path with dots: %d %.100s", reply.StatusCode, body)
	}
}

// TestNothingIsToldToStrangers asks for every page without the password.
func TestNothingIsToldToStrangers(t *testing.T) {
	r := serve(t, Config{Web: config.Web{User: "admin", Password: config.NewSecret([]byte("geheim"))}})
	for _, path := range []string{"/", "/lineage/mx1", "/lineage/mx9", "/events", "/icon/bad.svg", "/nothing"} {
		if reply, body := r.ask(t, "GET", path, nil); reply.StatusCode != http.StatusUnauthorized || body != "who are you?\n" {
			t.Errorf("%s: %d %s", path, reply.StatusCode, body)
		}
	}
	reply, body := r.ask(t, "GET", "/", func(q *http.Request) { q.SetBasicAuth("admin", "geheim") })
	if reply.StatusCode != http.StatusOK || !strings.Contains(body, "mx1 needs you") || strings.Contains(body, "geheim") {
		t.Errorf("%d %.200s", reply.StatusCode, body)
	}
}

// TestOneTooManyReader has pages take their time: the one too many is told so, and no
// reader is forgotten.
func TestOneTooManyReader(t *testing.T) {
	begun, let := make(chan bool, readers), make(chan bool)
	m := NewMetrics(Sources{Version: "v1.2.3", Warnings: func() []rollover.Warning { return nil }, Status: func() []rollover.LineageStatus {
		begun <- true
		<-let
		return nil
	}})
	r := serve(t, Config{Metrics: m})
	answered := make(chan int, readers)
	for range readers {
		go func() {
			reply, err := client(nil).Get(r.url + "/")
			if err != nil {
				t.Error(err)
				answered <- 0
				return
			}
			reply.Body.Close()
			answered <- reply.StatusCode
		}()
		<-begun
	}
	r.wait = time.Millisecond
	if reply, body := r.ask(t, "GET", "/", nil); reply.StatusCode != http.StatusServiceUnavailable || reply.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d %s", reply.StatusCode, body)
	}
	close(let)
	for range readers {
		if status := <-answered; status != http.StatusOK {
			t.Errorf("answered %d", status)
		}
	}
}

// TestManyLineages writes a page about a thousand of them in little memory, and not as a
// whole.
func TestManyLineages(t *testing.T) {
	var status []rollover.LineageStatus
	for i := range 1000 {
		l := site()[0]
		l.Name = fmt.Sprintf("mx%d", i)
		status = append(status, l)
	}
	r := serve(t, Config{Metrics: metricsOf(status)})
	read := func() (n int64) {
		reply, err := client(nil).Get(r.url + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer reply.Body.Close()
		if n, err = io.Copy(io.Discard, reply.Body); err != nil {
			t.Fatal(err)
		}
		return n
	}
	read()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	length := read()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if length < 1<<20 || length > 7<<20 {
		t.Errorf("the page has %d octets", length)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("%d octets are kept of it", grown)
	}
	t.Logf("%d octets; %d octets were allocated on the way", length, after.TotalAlloc-before.TotalAlloc)
}
