package exec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/exec"
	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const owner = tlsa.Owner("_25._tcp.mx.example.org.")

func record(digit string) tlsa.Association {
	return tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("a"+digit, 32)}
}

func rrset(digits ...string) tlsa.RRset {
	s := tlsa.RRset{TTL: time.Hour}
	for _, d := range digits {
		s = s.With(record(d))
	}
	return s
}

// script is a command that runs a text in a shell.
func script(t *testing.T, text string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"/bin/sh", file}
}

func newProvider(t *testing.T, c exec.Config) *exec.Provider {
	t.Helper()
	if c.Zone == "" {
		c.Zone = zone
	}
	if c.Change == nil {
		c.Change = script(t, "exit 1")
	}
	p, err := exec.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wants holds an error to its kind and its words.
func wants(t *testing.T, err error, kind dnsprovider.Kind, want string) {
	t.Helper()
	if err == nil || !errors.Is(err, kind.Err()) || !strings.Contains(err.Error(), want) {
		t.Errorf("error is\n%v, want one of kind %v\n%s", err, kind, want)
	}
}

func TestConfigRefused(t *testing.T) {
	good := exec.Config{Read: []string{"read-zone"}, Change: []string{"/bin/change", ""}}
	for want, change := range map[string]func(*exec.Config){
		"exec: no command read (hint: write a program and its arguments as a list)": func(c *exec.Config) { c.Read = nil },
		"dns: no command change (hint: write a program and its arguments as a list)": func(c *exec.Config) {
			c.Name, c.Change = "dns", []string{""}
		},
		`exec: command read: "bin/read" is a relative path (hint: write it whole)`:                       func(c *exec.Config) { c.Read = []string{"bin/read"} },
		"exec: command change: an argument with a NUL in it":                                             func(c *exec.Config) { c.Change = []string{"/bin/change", "\x00"} },
		"exec: a timeout of -1s and an output of 16777216 octets: below zero":                            func(c *exec.Config) { c.Timeout = -time.Second },
		"exec: env: entry 2 is not a variable (hint: write NAME=value)":                                  func(c *exec.Config) { c.Env = []string{"A=", "geheim"} },
		`exec: zone: name "ä.example": not ASCII (hint: write the A-label, as in xn--bcher-kva.example)`: func(c *exec.Config) { c.Zone = "ä.example" },
	} {
		c := good
		change(&c)
		if _, err := exec.New(c); err == nil || err.Error() != want {
			t.Errorf("error is\n%v, want\n%s", err, want)
		}
	}
	if _, err := exec.New(good); err != nil {
		t.Error(err)
	}
}

// TestReplies: what a read command prints, and what that is worth.
func TestReplies(t *testing.T) {
	const good = `{"name":"_25._tcp.mx.example.org.","type":"TLSA","ttl":3600,"data":"3 1 1 ABCD"}`
	reply := func(records string) string { return `{"version":1,"records":[` + records + `]}` }
	for _, test := range []struct {
		prints, want string
		kind         dnsprovider.Kind // 0: it is read, and want is what stands there
	}{
		{reply(good), "1h0m0s 3 1 1 abcd", 0},
		{reply(`{"name":"_25._TCP.mx.example.org","type":"tlsa","ttl":3600,"data":"DANE-EE SPKI SHA2-256 AB cd","id":7}`), "1h0m0s 3 1 1 abcd", 0},
		{reply(good + `,{"name":"_25._tcp.mx.example.org.","type":"TLSA","ttl":60,"data":"3 1 1 abcd"}`), "1m0s 3 1 1 abcd", 0},
		{reply(good + `,{"name":"_25._tcp.other.example.org.","type":"TLSA","data":"nonsense"}`), "1h0m0s 3 1 1 abcd", 0},
		{reply(good + `,{"name":"@","type":"SOA","ttl":"1h","data":7}`), "no list of records", dnsprovider.Malformed},
		{reply(good + `,{"name":"@","type":"SOA","data":"…"}`), "1h0m0s 3 1 1 abcd", 0},
		{reply(good + `,{"name":"www.example.net.","type":"TXT","data":"…"},{"name":"\\052.example.org.","type":"TXT","data":"…"}`), "1h0m0s 3 1 1 abcd", 0},
		{reply(""), "0s", 0},
		{reply(`{"name":"example.org.","type":"NS","ttl":1,"data":"ns1.example.org."},{"name":"mx.example.org.","type":"CNAME","ttl":1,"data":"a."}`), "0s", 0},
		{reply(`{"name":"_25._tcp.mx","type":"TLSA","ttl":3600,"data":"3 1 1 abcd"}`), `zone example.org.: a record's name is not absolute: "_25._tcp.mx"`, dnsprovider.Malformed},
		{reply(`{"name":"@","type":"NS","ttl":3600,"data":"ns1"}`), `a record's name is not absolute: "@"`, dnsprovider.Malformed},
		{reply(`{"name":"_25._tcp.mx.example.org.","type":"TLSA","ttl":3600,"data":"3 1 1"}`), "a record that stands there cannot be read: tlsa record", dnsprovider.Malformed},
		{reply(`{"name":"_25._tcp.mx.example.org.","type":"TLSA","data":"3 1 1 ab"}`), "cannot be read: no TTL", dnsprovider.Malformed},
		{reply(`{"name":"_25._tcp.mx.example.org.","type":"TLSA","ttl":2147483648,"data":"3 1 1 ab"}`), "cannot be read: TTL 2147483648: a TTL is from 0 to 2147483647", dnsprovider.Malformed},
		{reply(`{"name":"_tcp.mx.example.org.","type":"NS","ttl":1,"data":"ns.example.net"}`),
			"below the zone cut at _tcp.mx.example.org. and so not in the zone example.org. (hint: the provider has to name the zone _tcp.mx.example.org.; its servers are ns.example.net. and such)", dnsprovider.OutsideZone},
		{reply(`{"name":"mx.example.org.","type":"DNAME","ttl":1,"data":"mx.example.net."}`), "a DNAME at mx.example.org. leads to mx.example.net.", dnsprovider.Alias},
		{reply(`{"name":"_25._tcp.mx.example.org.","type":"CNAME","ttl":1,"data":"dane.example.org."}`), "a CNAME at _25._tcp.mx.example.org. leads to dane.example.org.", dnsprovider.Alias},
		{"", "it ended well and printed nothing", dnsprovider.Malformed},
		{"<!DOCTYPE html>", "what it printed is not a JSON object, from octet 1 on", dnsprovider.Malformed},
		{"[]", "what it printed is not a JSON object", dnsprovider.Malformed},
		{"null", "what it printed is not a JSON object", dnsprovider.Malformed},
		{`{"version":1,"records":[`, "what it printed is not a JSON object", dnsprovider.Malformed},
		{reply("") + reply(""), "it printed something after its JSON object", dnsprovider.Malformed},
		{reply("") + " done", "it printed something after its JSON object", dnsprovider.Malformed},
		{`{"records":[]}`, "what it printed says no version", dnsprovider.Malformed},
		{`{"version":2,"entries":[]}`, "what it printed is of version 2, and this is understood: 1", dnsprovider.Malformed},
		{`{"version":"1","records":[]}`, `what it printed is of version "1", and this is understood: 1`, dnsprovider.Malformed},
		{`{"version":1}`, "no list of records", dnsprovider.Malformed},
		{`{"version":1,"records":null}`, "no list of records", dnsprovider.Malformed},
		{`{"version":1,"records":{}}`, "no list of records", dnsprovider.Malformed},
		{`{"version":1,"records":[],"whole":"yes"}`, "whole has to be true or false", dnsprovider.Malformed},
		{`{"version":1,"status":7,"records":[]}`, "status and message have to be texts", dnsprovider.Malformed},
		{`{"version":1,"status":"refused","message":"the key\nis old."}`, "refused: the key is old (hint: what the command works with does not let it", dnsprovider.Refused},
		{`{"version":1,"status":"no-zone"}`, "no-zone (hint: is that the name of the zone", dnsprovider.NoZone},
		{`{"version":1,"status":"temporary","records":[]}`, "temporary (hint: it is tried again later)", dnsprovider.Temporary},
		{`{"version":1,"status":"great"}`, `it says the status "great", which is none (hint: it is one of done, conflict, refused, no-zone, outside-zone, alias, unsupported, malformed, temporary)`, dnsprovider.Malformed},
		{`{"version":1,"status":"done","records":[]}`, "0s", 0},
	} {
		p := newProvider(t, exec.Config{Read: script(t, "cat <<'END'\n"+test.prints+"\nEND\n")})
		got, err := p.RRset(t.Context(), zone, owner)
		if test.kind != 0 {
			wants(t, err, test.kind, test.want)
			continue
		}
		text := got.TTL.String()
		for _, a := range got.Associations {
			text += " " + a.String()
		}
		if err != nil || text != test.want {
			t.Errorf("%s:\nread %s, %v, want %s", test.prints, text, err, test.want)
		}
	}
}

// TestCommandsThatFail: nothing is known of what they did, and the error says what they
// said last.
func TestCommandsThatFail(t *testing.T) {
	const nothing = `{"version":1,"records":[]}`
	for _, test := range []struct {
		text, want string
		kind       dnsprovider.Kind
	}{
		{"echo '" + nothing + "'; exit 1", "read _25._tcp.mx.example.org.: exec: /bin/sh: exit status 1 (hint: it is called again later", dnsprovider.Temporary},
		{"echo one >&2; printf 'the \\033[2Jserver is <down>.\\r\\n\\n' >&2; exit 75", "/bin/sh: exit status 75: the  [2Jserver is <down> (hint:", dnsprovider.Temporary},
		{"echo no such token: $TOKEN >&2; exit 1", "exit status 1: no such token: $TOKEN (hint:", dnsprovider.Temporary},
		{"echo '-----BEGIN PRIVATE KEY-----' >&2; echo ab >&2; exit 1", "exit status 1: (its output holds a private key and is not shown) (hint:", dnsprovider.Temporary},
		{"kill -9 $$", "/bin/sh: signal: killed (hint:", dnsprovider.Temporary},
		{"sleep 60", "/bin/sh: not done after 500ms, killed with all it started (hint: raise timeout, or find out what it waits for)", dnsprovider.Temporary},
		{"yes | head -c 70000", "it printed more than 65536 octets and was killed (hint:", dnsprovider.Malformed},
		{"exec yes", "it printed more than 65536 octets and was killed (hint:", dnsprovider.Malformed},
	} {
		p := newProvider(t, exec.Config{Read: script(t, test.text), Env: []string{"TOKEN=geheim/1"}, Timeout: 500 * time.Millisecond, MaxOutput: 1 << 16})
		_, err := p.RRset(t.Context(), zone, owner)
		wants(t, err, test.kind, test.want)
		if err != nil && strings.ContainsAny(err.Error(), "\n\r\x1b") {
			t.Errorf("the error is %q", err)
		}
	}
	for name, want := range map[string]string{
		"no-such-program":  "no-such-program: not found in " + subprocess.Path,
		"/no/such/program": "/no/such/program: no such file or directory",
		"/etc/passwd":      "/etc/passwd: not a program",
	} {
		_, err := newProvider(t, exec.Config{Read: []string{name}}).RRset(t.Context(), zone, owner)
		wants(t, err, dnsprovider.Refused, want)
	}
}

// TestCommandIsCalled: with what, where and as what.
func TestCommandIsCalled(t *testing.T) {
	t.Setenv("TLSAROLL_SECRET", "geheim")
	out := filepath.Join(t.TempDir(), "out")
	read := script(t, `{ echo "$*"; pwd; env; cat; echo; cut -d" " -f5 /proc/$$/stat; echo $$; } >"$OUT"; echo a warning >&2; echo '{"version":1,"records":[]}'`)
	var log bytes.Buffer
	p := newProvider(t, exec.Config{
		Read: append(read, "a b", "$(date)"), Env: []string{"OUT=" + out},
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if _, err := p.RRset(t.Context(), "EXAMPLE.org", owner); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a b $(date)", "/", "LC_ALL=C", "PATH=" + subprocess.Path, "OUT=" + out,
		`{"version":1,"zone":"example.org.","owners":["_25._tcp.mx.example.org."]}`,
	} {
		if !strings.Contains("\n"+string(text), "\n"+want+"\n") {
			t.Errorf("%s lacks %s", text, want)
		}
	}
	if strings.Contains(string(text), "geheim") {
		t.Error("our environment is in its")
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if n := len(lines); lines[n-2] != lines[n-1] {
		t.Errorf("process %s is in group %s", lines[n-1], lines[n-2])
	}
	if !strings.Contains(log.String(), `text="a warning"`) {
		t.Errorf("the log is %s", &log)
	}
}

// TestTimeoutEndsTheGroup: what a command started ends with it.
func TestTimeoutEndsTheGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	p := newProvider(t, exec.Config{Read: script(t, `sleep 60 & echo $! >"$OUT.new"; mv "$OUT.new" "$OUT"; wait`), Env: []string{"OUT=" + file}, Timeout: time.Second})
	_, err := p.RRset(t.Context(), zone, owner)
	wants(t, err, dnsprovider.Temporary, "not done after 1s")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d runs on: %v", pid, syscall.Kill(pid, 0))
}

// TestCallerLeaves: who does not wait any more gets away at once, and the command ends.
func TestCallerLeaves(t *testing.T) {
	p := newProvider(t, exec.Config{Read: script(t, "sleep 60")})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := p.RRset(ctx, zone, owner)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 10*time.Second {
		t.Errorf("error is %v after %s", err, time.Since(begin))
	}
}

// TestByName: a command that does not list the zone is told of all owners, and asked again
// for one that comes later in a pass.
func TestByName(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	p := newProvider(t, exec.Config{Read: script(t, `cat >>"$OUT"; echo '{"version":1,"records":[]}'`), Env: []string{"OUT=" + out}})
	const other = tlsa.Owner("_25._tcp.other.example.org.")
	for range 2 {
		ctx := dnsprovider.OnePass(t.Context())
		for _, o := range []tlsa.Owner{owner, other, owner} {
			if _, err := p.RRset(ctx, zone, o); err != nil {
				t.Fatal(err)
			}
		}
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	const both = `{"version":1,"zone":"example.org.","owners":["_25._tcp.mx.example.org.","_25._tcp.other.example.org."]}` + "\n"
	want := `{"version":1,"zone":"example.org.","owners":["_25._tcp.mx.example.org."]}` + "\n" + both + both
	if string(text) != want {
		t.Errorf("asked\n%swant\n%s", text, want)
	}
}

// TestNoZone: a command cannot look for one.
func TestNoZone(t *testing.T) {
	p, err := exec.New(exec.Config{Read: []string{"read"}, Change: []string{"change"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.RRset(t.Context(), "", owner)
	wants(t, err, dnsprovider.NoZone, "commands cannot find the zone that a name lies in (hint: configure the zone)")
	_, err = newProvider(t, exec.Config{Read: []string{"read"}}).RRset(t.Context(), "example.net", owner)
	wants(t, err, dnsprovider.NoZone, "the zone example.net. is asked for, and the provider is for example.org. alone")
	_, err = newProvider(t, exec.Config{Read: []string{"read"}}).RRset(t.Context(), "", "_25._TCP.mx.example.org.")
	wants(t, err, dnsprovider.Malformed, "not canonical")
}
