package main

import (
	"context"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestExamplePostfixBind sets a host up as examples/postfix-bind says, and has the daemon
// of examples/systemd renew its certificate under load.
func TestExamplePostfixBind(t *testing.T) {
	t.Parallel()
	l := lab.Start(t, lab.Options{TTL: exampleTTL, Resolvers: 3, Records: []string{lab.Owner(25) + " 5 IN TLSA " + someoneElses}})
	page := l.MX.String() + ":9253"
	h := newExampleHost(t, l, "postfix-bind/tlsaroll.yaml",
		aReplacement{"secret-file: /etc/tlsaroll/tsig.secret", "secret-credential: tsig"},
		aReplacement{"/run/tlsaroll/control.sock", filepath.Join(l.Dir, "run", "control.sock")},
		aReplacement{"127.0.0.1:9253", page},
		aReplacement{"/var/lib/lego", l.Lego().Dir},
		tellFile(l),
		aReplacement{"[postfix, check]", argv([]string{"postfix", "-c", l.Postfix.Config, "check"})},
	)
	h.bindAsExample()
	h.postfixAsExample()
	d := h.service()
	h.eventually(20*time.Second, "adopted", live(h.Live))

	h.LagSecondary(2 * time.Second)
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, next)
	h.shows("examples/postfix-bind/README.md", 1)
	h.eventually(40*time.Second, "renewed", live(next))
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
	h.shows("examples/postfix-bind/README.md", 0)
	h.answers("http://" + page + "/readyz")
	h.reloadAndEnd(d)
	h.toldNobody()
}

// answers wants a page that is there and content.
func (h *host) answers(url string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	reply.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if reply.StatusCode != http.StatusOK {
		h.t.Errorf("%s: %s", url, reply.Status)
	}
}

// bindAsExample gives the lab's primary the example's key and zone clause in the place of
// its own, and wants that the key can change TLSA records and no others.
func (h *host) bindAsExample() {
	h.t.Helper()
	key := h.Key(lab.Domain)
	dir := filepath.Join(h.Dir, "primary")
	conf := filepath.Join(dir, "named.conf")
	unfilled := filepath.Join(h.Dir, "unfilled.conf")
	h.write(unfilled, filled(h.t, "postfix-bind/named.conf.snippet"))
	if out, err := h.command("named-checkconf", unfilled); err == nil {
		h.t.Errorf("named-checkconf takes a key that nobody filled in:\n%s", out)
	}
	snippet := filled(h.t, "postfix-bind/named.conf.snippet",
		aReplacement{"(put the secret here)", strings.TrimSpace(h.read(key.SecretFile))},
		aReplacement{"/var/lib/bind/example.org.zone", filepath.Join(dir, "example.org.zone")})
	own := h.read(conf)
	for _, clause := range [][2]string{{"key \"tlsaroll.example.org.\"", "\n"}, {"zone \"example.org.\"", "\n};\n"}} {
		begin := strings.Index(own, clause[0])
		end := begin + strings.Index(own[begin:], clause[1]) + len(clause[1])
		own = own[:begin] + own[end:]
	}
	h.write(conf, own+snippet)
	if out, err := h.command("named-checkconf", conf); err != nil {
		h.t.Fatalf("named-checkconf: %v: %s", err, out)
	}
	if out, err := h.command("rndc", "-c", filepath.Join(dir, "rndc.conf"), "reconfig"); err != nil {
		h.t.Fatalf("rndc reconfig: %v: %s", err, out)
	}
	h.mayChange(key.Name, h.read(key.SecretFile), map[string]int{
		"_26._tcp.mx1.example.org. 5 IN TLSA " + someoneElses: dns.RcodeSuccess,
		"mx2.example.org. 5 IN A 192.0.2.1":                   dns.RcodeRefused,
		"_26._tcp.mx1.example.org. 5 IN TXT x":                dns.RcodeRefused,
	})
}

// postfixAsExample sets what the example's main.cf sets.
func (h *host) postfixAsExample() {
	h.t.Helper()
	snippet := filled(h.t, "postfix-bind/main.cf.snippet", aReplacement{"/etc/postfix/tls/mx1.pem", h.Postfix.Combined})
	var set []string
	for line := range strings.Lines(snippet) {
		if !strings.HasPrefix(line, "#") {
			set = append(set, strings.TrimSpace(line))
		}
	}
	if out, err := h.command("postconf", slices.Concat([]string{"-c", h.Postfix.Config, "-e"}, set)...); err != nil {
		h.t.Fatalf("postconf -e: %v: %s", err, out)
	}
	out, err := h.command("postconf", "-c", h.Postfix.Config, "-n")
	for _, line := range append(set, "smtpd_tls_chain_files = "+h.Postfix.Combined) {
		if err != nil || !strings.Contains(out, line+"\n") || strings.Contains(out, "warning") {
			h.t.Fatalf("postconf -n: %v: no %q in\n%s", err, line, out)
		}
	}
	if out, err := h.command("postfix", "-c", h.Postfix.Config, "check"); err != nil {
		h.t.Fatalf("postfix check: %v: %s", err, out)
	}
	h.Postfix.RunReload(h.t)
}

// command runs a program of the lab's host.
func (h *host) command(program string, args ...string) (out string, err error) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), program, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// reloadAndEnd does to the daemon what systemctl reload and systemctl stop do.
func (h *host) reloadAndEnd(d *lab.Daemon) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	for _, state := range []string{"READY=1", "WATCHDOG=1"} {
		if _, err := d.Notice(ctx, time.Time{}, state); err != nil {
			h.t.Error(err)
		}
	}
	reload := h.reloadCommand(d)
	hup := time.Now()
	if out, err := h.command(reload[0], reload[1:]...); err != nil {
		h.t.Fatalf("%v: %v: %s", reload, err, out)
	}
	began, err := d.Notice(ctx, hup, "RELOADING=1")
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := d.Notice(ctx, began.At, "READY=1"); err != nil {
		h.t.Error(err)
	}
	d.Signal(h.t, syscall.SIGTERM)
	if _, err := d.Notice(ctx, hup, "STOPPING=1"); err != nil {
		h.t.Error(err)
	}
	if code, err := d.Wait(ctx); code != exitDone || err != nil {
		h.t.Errorf("the daemon ended with %d, %v\n%s", code, err, d)
	}
}
