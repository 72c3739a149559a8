package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// TestNamesOfOthers has a page elsewhere lead its own name to our address: what it would read
// is not answered. Prometheus, who asks at the address, is.
func TestNamesOfOthers(t *testing.T) {
	const yes, no = http.StatusOK, http.StatusMisdirectedRequest
	named := config.Web{Name: "status.example.org"}
	for _, test := range []struct {
		web    config.Web
		host   string // %s is the address that it listens on
		status int
	}{
		{config.Web{}, "%s", yes},
		{config.Web{}, "127.0.0.1", yes},
		{config.Web{}, "127.8.8.8:80", yes},
		{config.Web{}, "[::1]", yes},
		{config.Web{}, "[::1]:9253", yes},
		{config.Web{}, "[::ffff:127.0.0.1]:9253", yes},
		{config.Web{}, "localhost:9253", yes},
		{config.Web{}, "LocalHost.", yes},
		{named, "status.example.org", yes},
		{named, "Status.Example.ORG.:8443", yes},
		{named, "%s", yes},
		{named, "mx.status.example.org", no},
		{named, "example.org", no},
		{config.Web{}, "status.example.org", no},
		{config.Web{}, "attacker.example:9253", no},
		{config.Web{}, "127.0.0.1.attacker.example", no},
		{config.Web{}, "localhost.attacker.example", no},
		{config.Web{}, "notlocalhost", no},
		{config.Web{}, "192.0.2.1:9253", no},
		{config.Web{}, "[2001:db8::1]:9253", no},
		{config.Web{}, "0.0.0.0:9253", no}, // what some systems take for this host, and pages elsewhere can name
	} {
		r := serve(t, Config{Web: test.web})
		host := strings.ReplaceAll(test.host, "%s", r.Addr().String())
		for _, path := range []string{"/", "/lineage/mx1", "/icon/bad.svg", "/metrics", "/readyz", "/healthz"} {
			want := test.status
			if path == "/healthz" {
				want = yes
			}
			reply, body := r.ask(t, "GET", path, func(q *http.Request) { q.Host = host })
			if reply.StatusCode != want {
				t.Errorf("%s for %s: %d, want %d", host, path, reply.StatusCode, want)
			}
			if told := strings.Contains(body, "mx1"); want == no && (told || !strings.Contains(body, "web: {name: …}") || reply.Header.Get("Content-Type") != "text/plain; charset=utf-8") {
				t.Errorf("%s for %s is told: %v %s", host, path, reply.Header, body)
			}
		}
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	}
}

// TestNamesBehindAPassword has a proxy ask under its own name, where the password keeps others out.
func TestNamesBehindAPassword(t *testing.T) {
	r := serve(t, Config{Web: config.Web{User: "admin", Password: config.NewSecret([]byte("geheim"))}})
	for known, want := range map[bool]int{true: http.StatusOK, false: http.StatusUnauthorized} {
		reply, _ := r.ask(t, "GET", "/metrics", func(q *http.Request) {
			q.Host = "status.example.org"
			if known {
				q.SetBasicAuth("admin", "geheim")
			}
		})
		if reply.StatusCode != want {
			t.Errorf("known %v: %d", known, reply.StatusCode)
		}
	}
}

// TestNoName has a load balancer's check ask as HTTP/1.0 allows.
func TestNoName(t *testing.T) {
	r := serve(t, Config{})
	conn, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /readyz HTTP/1.0\r\n\r\n")
	reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if body, _ := io.ReadAll(reply.Body); reply.StatusCode != http.StatusOK || string(body) != "ready\n" {
		t.Errorf("%d %s", reply.StatusCode, body)
	}
}
