package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestSilence takes the program through everything that goes well and much that goes
// wrong, with keys, TSIG secrets, a token and a webhook that would be known anywhere:
// none is in anything that it prints, logs, answers, tells or writes down. What
// is printed by h.tlsaroll, the daemon's log and the state directory are looked
// through when the test ends.
func TestSilence(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: 2 * time.Second, Resolvers: 1}, short(setting{}))
	s := newSilence(t, h)
	h.must(exitDone, "adopt", "mx1")
	s.badPairs(t)
	s.badSecrets(t)
	s.talkativeCommands(t)
	s.daemon(t)
	s.damage(t)
	s.heard(t)
}

// silence is a host on which secrets are planted.
type silence struct {
	*host
	token, hook string
	notices     string // file
	web         string // address

	mu       sync.Mutex
	told     bytes.Buffer // what came to others: web pages, control answers, the webhook's bodies
	webhooks int
}

func newSilence(t *testing.T, h *host) *silence {
	s := &silence{host: h, token: "tok" + rand.Text() + "+/=", hook: "/hooks/T0" + rand.Text(), notices: h.path("notices")}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.tell(body)
		s.mu.Lock()
		s.webhooks++
		s.mu.Unlock()
		http.Error(w, "no "+r.URL.String(), http.StatusTeapot) // what it answers has the secret
	}))
	t.Cleanup(receiver.Close)
	s.web = h.MX.String() + ":9253"
	h.Secrets().PlantText("the token of the web pages", s.token)
	h.Secrets().PlantText("the path of the webhook", s.hook)
	s.write(t, "web.token", s.token+"\n")
	s.write(t, "hook.url", receiver.URL+s.hook+"\n")
	return s
}

func (h *host) path(name string) string { return filepath.Join(h.Dir, name) }

func (s *silence) write(t *testing.T, name, text string) string {
	t.Helper()
	if err := lab.WriteExecutable(s.path(name), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return s.path(name)
}

func (s *silence) tell(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told.Write(text)
	s.told.WriteByte('\n')
}

// setting is the usual one with people who are told of everything.
func (s *silence) setting(with setting) setting {
	with.top = fmt.Sprintf("listen: %q\nweb: {auth: {token-file: %s}}\nnotify: [[tee, -a, %s], [%s], {webhook-file: %s}]\nnotify-at: info\n",
		s.web, s.path("web.token"), s.notices, s.path("teller"), s.path("hook.url"))
	return short(with)
}

// badPairs hands in what is no pair, in every command that takes one.
func (s *silence) badPairs(t *testing.T) {
	p, other := s.Certificates().Issue(t, lab.LeafOptions{}), s.Certificates().Issue(t, lab.LeafOptions{KeyType: lab.RSA})
	key, chain, err := texts(p)
	if err != nil {
		t.Fatal(err)
	}
	otherKey, _, err := texts(other)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(key, "\n")
	bad := map[string]string{
		"cut": key[:len(key)*2/3], "no-end": lines[0] + lines[1], "no-begin": strings.Join(lines[1:], ""), "one-line": strings.ReplaceAll(key, "\n", ""),
		"der": string(der), "base64": strings.Join(lines[1:len(lines)-2], ""), "typo": strings.Replace(key, lines[1][3:5], "!!", 1), "label": strings.ReplaceAll(key, "PRIVATE KEY", lines[1][:40]),
		"two": key + otherKey, "other": otherKey, "bits": strings.Replace(key, lines[2][:4], "AAAA", 1), "header": strings.Replace(key, "\n", "\nProc-Type: 4,ENCRYPTED "+lines[1]+"\n", 1),
		"rsa-bits": strings.Replace(otherKey, "\nM", "\nN", 1), "certificate": chain, "as-certificate": strings.ReplaceAll(key, "PRIVATE KEY", "CERTIFICATE"), "openssh": strings.ReplaceAll(key, "PRIVATE KEY", "OPENSSH PRIVATE KEY"),
	}
	good := s.write(t, "good.pem", chain)
	for name, text := range bad {
		file := s.write(t, "bad-"+name+".pem", text)
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"rollover", "mx1", "--cert", good, "--key", file}, {"hook", "--cert", good, "--key", file}, {"adopt", "mx1", "--cert", good, "--key", file},
			{"rollover", "mx1", "--cert", file, "--key", file}, {"record", file}, {"match", file, "--tlsa", "3 1 1 00"}, {"match", good, "--tlsa", "3 1 1 00", "--roots", file},
			{"record", good, "--scheme", lines[1]}, {"match", good, "--tlsa", "3 1 1 " + lines[1]}, {"explain", lines[1]},
		} {
			code, _, errs := s.tlsaroll(withoutKey(args, lines[1])...)
			if code == exitDone && !strings.Contains(strings.Join(args, " "), "hook") && name != "certificate" && name != "two" {
				t.Errorf("%s: %s is taken\n%s", name, args[0], errs)
			}
		}
	}
	for name, mode := range map[string]os.FileMode{"exposed": 0o644, "shared": 0o660} {
		file := s.write(t, name+".pem", key)
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		s.tlsaroll("rollover", "mx1", "--cert", good, "--key", file, "--dry-run")
	}
	s.tlsaroll("rollover", "mx1", "--cert", good, "--key", s.path("nowhere"))
	s.tlsaroll("rollover", "mx1", "--cert", good, "--key", s.Dir)
}

// withoutKey leaves arguments out that are a secret themselves: whoever writes one
// into a command line has shown it to the whole host.
func withoutKey(args []string, secret string) []string {
	args = append([]string(nil), args...)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], secret, "x")
	}
	return args
}

func texts(p *lab.Pair) (key, chain string, err error) {
	k, err := os.ReadFile(p.Privkey())
	if err != nil {
		return "", "", err
	}
	c, err := os.ReadFile(p.Fullchain())
	return string(k), string(c), err
}

// badSecrets updates with secrets that are none of the server's, or no secrets.
func (s *silence) badSecrets(t *testing.T) {
	next := s.Certificates().Issue(t, lab.LeafOptions{})
	name := s.Key(lab.Domain).Name
	right, err := os.ReadFile(s.Key(lab.Domain).SecretFile)
	if err != nil {
		t.Fatal(err)
	}
	s.Secrets().PlantText("a wrong secret", wrongSecret)
	for label, text := range map[string]string{
		"wrong": wrongSecret, "no-base64": string(right[:20]) + "!!", "named": name + " " + string(right), "bind": "key \"" + name + "\" { algorithm hmac-sha256; secret \"" + string(right) + "\"; };", "none": "",
	} {
		file := s.write(t, "secret-"+label, text)
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		s.configure(s.setting(setting{key: "key: " + name + ", secret-file: " + file}))
		s.tlsaroll("rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey())
		s.tlsaroll("plan", "mx1")
		s.tlsaroll("status", "--json")
	}
	file := s.Key(lab.Domain).SecretFile
	for _, key := range []string{"key: nobody., secret-file: " + file, "key: " + name + ", algorithm: hmac-sha512, secret-file: " + file} {
		s.configure(s.setting(setting{key: key}))
		s.tlsaroll("once")
		s.tlsaroll("status")
	}
}

// talkativeCommands has the commands around a swap print the keys that they are
// given, each in another way.
func (s *silence) talkativeCommands(t *testing.T) {
	next := s.Certificates().Issue(t, lab.LeafOptions{KeyType: lab.RSA})
	for label, script := range map[string]string{
		"cat": `cat "$TLSAROLL_ENTRY/combined.pem" >&2`, "line": `sed -n 7p "$TLSAROLL_ENTRY/privkey.pem"`, "end": `tail -n 3 "$TLSAROLL_ENTRY/privkey.pem"`,
		"text": `openssl pkey -in "$TLSAROLL_ENTRY/privkey.pem" -noout -text`, "slow": `sed -n 7p "$TLSAROLL_ENTRY/privkey.pem"; sleep 600`, "env": `set`,
	} {
		file := s.write(t, "say-"+label, "#!/bin/sh\n"+script+"\nexit 1\n")
		for _, with := range []setting{{check: "[[" + file + "]]", timeout: "1s"}, {reload: "[[" + file + "], " + argv(s.Postfix.Reload) + "]", timeout: "1s"}} {
			if label == "slow" && with.reload != "" {
				continue
			}
			with.settle = "1s"
			s.configure(s.setting(with))
			code, _, errs := s.tlsaroll("rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey(), "--wait")
			if code != exitPerson || !strings.Contains(errs.String(), "say-"+label) {
				t.Errorf("%s: exit %d\n%s", label, code, errs)
			}
		}
		s.tlsaroll("status", "--json")
	}
	s.write(t, "teller", "#!/bin/sh\ncat\ncat "+next.Privkey()+" | head -n 3\nexit 1\n")
}

// daemon runs one through a good rollover, a bad one, bad configurations, torn files
// and rubbish on its sockets, and ends it by a crash.
func (s *silence) daemon(t *testing.T) {
	lego := s.Lego()
	s.configure(s.setting(setting{staged: staged(lego)}))
	d := s.run("GOTRACEBACK=all")
	good := s.Certificates().Issue(t, lab.LeafOptions{})
	lego.Renew(t, good)
	s.eventually(time.Minute, "steady", live(good))

	key, chain, err := texts(s.Certificates().Issue(t, lab.LeafOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, torn := range []string{key[:len(key)/2], strings.ReplaceAll(key, "\n", " "), key + chain} {
		if err := os.WriteFile(lego.Key, []byte(torn), 0o600); err != nil {
			t.Fatal(err)
		}
		s.eventually(20*time.Second, "noticed", func(st rollover.LineageStatus) bool { return len(st.Warnings)+len(st.Waiting) > 0 })
		for _, args := range [][]string{{"plan"}, {"status", "--json"}, {"status"}, {"once"}, {"hook", "--cert", lego.Cert, "--key", lego.Key}, {"rollover", "mx1"}, {"rollover", "mx1", "--dry-run"}} {
			s.tlsaroll(args...)
		}
	}
	s.hangUp(d, "state: "+s.Dir+"\nproviders: {ns1: {type: rfc2136, key: k., secret: "+wrongSecret+"}}\n", "the configuration was not changed")
	s.rubbish(t, key, chain)

	bad := s.Certificates().Issue(t, lab.LeafOptions{})
	s.configure(s.setting(setting{staged: staged(lego), settle: "1s", reload: "[[" + s.path("say-cat") + "]]"}))
	d.Signal(t, syscall.SIGHUP)
	lego.Renew(t, bad)
	s.eventually(time.Minute, "held", func(st rollover.LineageStatus) bool { return st.Held != nil })
	for _, args := range [][]string{{"plan", "mx1"}, {"status", "--json"}, {"freeze"}, {"thaw"}, {"cancel", "mx1"}, {"rollback", "mx1"}, {"withdraw", "mx1"}, {"adopt", "mx1", "--record", "3 1 1 00"}} {
		s.tlsaroll(args...)
	}
	s.pages(t)
	d.Signal(t, syscall.SIGQUIT)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if code, err := d.Wait(ctx); err != nil || code == exitDone {
		t.Errorf("after SIGQUIT: exit %d, %v", code, err)
	}
	if !strings.Contains(d.String(), "goroutine ") {
		t.Errorf("it crashed without a traceback:\n%s", d)
	}
}

// rubbish asks the control socket for what it does not understand, with keys in it.
func (s *silence) rubbish(t *testing.T, key, chain string) {
	inJSON, err := json.Marshal(map[string]any{"chain": []byte(chain), "key": []byte(key)})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		key, `{"protocol":1,"version":"x","command":"hook","pair":` + string(inJSON) + `,"more":1}`, `{"protocol":1,"command":"hook","pair":` + string(inJSON[:len(inJSON)/2]),
		`{"protocol":1,"command":"hook","pair":{"chain":"","key":"` + strings.TrimSpace(key) + `"}}`, `{"protocol":1,"command":"no such","pair":` + string(inJSON) + `}`,
		`{"protocol":9,"command":"hook","pair":` + string(inJSON) + `}`, `{"protocol":1,"command":"rollover","lineage":"mx1","args":` + string(inJSON) + `}`, `{"protocol":1,"command":"hook","args":{},"pair":` + string(inJSON) + `}`,
	} {
		conn, err := net.Dial("unix", s.path("control.sock"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /v1/carry HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		answer, _ := io.ReadAll(conn)
		conn.Close()
		s.tell(answer)
		if len(answer) == 0 {
			t.Errorf("no answer to %.30q", body)
		}
	}
}

// pages reads all that is shown over HTTP, with the token, without it, and with parts of it.
func (s *silence) pages(t *testing.T) {
	for path, want := range map[string]int{"/metrics": 200, "/healthz": 200, "/readyz": 0, "/": 200, "/lineage/mx1": 0, "/" + s.token: 0, "/../journal.db": 0} {
		for _, token := range []string{s.token, s.token[:len(s.token)-1], ""} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.web+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			reply, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(reply.Body)
			reply.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if want > 0 && token == s.token && reply.StatusCode != want || token != s.token && reply.StatusCode != http.StatusUnauthorized {
				t.Errorf("%.8s: %s", path, reply.Status)
			}
			s.tell(fmt.Appendf(body, "%v", reply.Header))
		}
	}
}

// damage changes what is in the stash and in the journal's place.
func (s *silence) damage(t *testing.T) {
	entries, err := filepath.Glob(s.path("tlsaroll/stash/*/privkey.pem"))
	if err != nil || len(entries) == 0 {
		t.Fatalf("stash: %v, %v", entries, err)
	}
	s.configure(s.setting(setting{}))
	for _, file := range entries {
		key, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := s.Secrets().Find(key); len(found) == 0 {
			t.Errorf("%s holds no key that would be found elsewhere", file)
		}
		if err := os.WriteFile(file, key[:len(key)-40], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"once"}, {"status", "--json"}, {"plan"}, {"rollback", "mx1"}} {
		s.tlsaroll(args...)
	}
}

// heard looks through what came to others than who ran the program.
func (s *silence) heard(t *testing.T) {
	notices, err := os.ReadFile(s.notices)
	if err != nil || len(notices) == 0 {
		t.Errorf("notices: %d octets, %v", len(notices), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.webhooks == 0 || s.told.Len() < 10_000 {
		t.Errorf("the webhook was called %d times, %d octets were told", s.webhooks, s.told.Len())
	}
	for _, leak := range s.Secrets().Find(append(notices, s.told.Bytes()...)) {
		t.Errorf("others were told %s", leak)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
