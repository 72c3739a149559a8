package exec_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/exec"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// listing is what a read command prints of the records that stand at the owner.
func listing(ttl string, digits ...string) string {
	text, comma := `{"version":1,"records":[`, ""
	for _, d := range digits {
		text += comma + `{"name":"` + string(owner) + `","type":"TLSA","ttl":` + ttl + `,"data":"` + record(d).String() + `"}`
		comma = ","
	}
	return text + "]}"
}

// TestWhatStandsCounts: a change command may say what it likes.
func TestWhatStandsCounts(t *testing.T) {
	said := func(status string) string {
		return `echo '{"version":1,"results":[{"owner":"_25._tcp.MX.example.org","status":"` + status + `","message":"so it is."}]}'`
	}
	one, two := listing("3600", "1"), listing("3600", "1", "2")
	mixed := listing("3600", "2", "f")
	for _, test := range []struct {
		name         string
		does         string // the change command
		before, then string // what the read command prints before and after
		kind         dnsprovider.Kind
		want         string
	}{
		{"done", said("done"), one, two, 0, ""},
		{"done and not", said("done"), one, one, dnsprovider.Ignored, "it says that the change was made, but what is read has not changed (hint: do the commands read and change work on the same copy"},
		{"done and something else", said("done"), one, mixed, dnsprovider.Conflict, `the change was made, and something else stands there now: the RRset is not what was read: "3 1 1 a2a2a2a2a2a2a2a2…" and "3 1 1 afafafafafafafaf…" came`},
		{"done and unreadable", said("done"), one, "oh", dnsprovider.Temporary, "whether the change was made is not known, as it cannot be read back: what it printed is not a JSON object"},
		{"refused and done", said("refused"), one, two, 0, ""},
		{"refused", said("refused"), one, one, dnsprovider.Refused, "exec: /bin/sh: refused: so it is (hint: "},
		{"refused and unreadable", said("refused"), one, "oh", dnsprovider.Refused, "refused: so it is"},
		{"conflict", said("conflict"), one, mixed, dnsprovider.Conflict, "conflict: so it is (hint: look again and plan again)"},
		{"temporary", said("temporary"), one, one, dnsprovider.Temporary, "temporary: so it is"},
		{"failed and done", "exit 1", one, two, 0, ""},
		{"failed", "exit 1", one, one, dnsprovider.Temporary, "exit status 1"},
		{"failed half-way", "exit 1", one, mixed, dnsprovider.Temporary, "exit status 1"},
		{"failed and unreadable", "exit 1", one, "oh", dnsprovider.Temporary, "as it cannot be read back: what it printed is not a JSON object, from octet 1 on (/bin/sh: exit status 1)"},
		{"nonsense and done", "echo ok", one, two, 0, ""},
		{"nonsense", "echo ok", one, one, dnsprovider.Malformed, "what it printed is not a JSON object"},
		{"nonsense half-way", "echo ok", one, mixed, dnsprovider.Temporary, "what it printed is not a JSON object"},
		{"no results", `echo '{"version":1}'`, one, one, dnsprovider.Malformed, "what it printed has no list of results"},
		{"another's result", `echo '{"version":1,"results":[{"owner":"x","status":"done"},{"owner":"..","status":"done"}]}'`, one, one, dnsprovider.Malformed, "what it printed does not say whether this change was made (hint: it has to print one result for each change, with its owner)"},
		{"two results", `echo '{"version":1,"results":[{"owner":"_25._tcp.mx.example.org.","status":"done"},{"owner":"_25._tcp.mx.example.org.","status":"alias"}]}'`, one, one, dnsprovider.Alias, "alias (hint: the records belong where the alias leads)"},
		{"unknown status", said("success"), one, one, dnsprovider.Malformed, `it says the status "success", which is none`},
		{"all refused", `echo '{"version":1,"status":"refused","message":"read only"}'`, one, one, dnsprovider.Refused, "refused: read only"},
		{"not needed", "exit 1", two, two, 0, ""},
		{"conflict before", "exit 1", mixed, mixed, dnsprovider.Conflict, "the RRset is not what was read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"before": test.before, "then": test.then} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p := newProvider(t, exec.Config{
				Env:    []string{"DIR=" + dir},
				Read:   script(t, `if [ -e "$DIR/changed" ]; then cat "$DIR/then"; else cat "$DIR/before"; fi`),
				Change: script(t, `touch "$DIR/changed"`+"\n"+test.does),
			})
			err := p.Apply(t.Context(), zone, []dnsprovider.Change{{Owner: owner, Before: rrset("1"), After: rrset("1", "2")}})[0]
			if test.kind != 0 {
				wants(t, err, test.kind, test.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTTLOfItsOwn: a host may make another TTL of the one that is asked for.
func TestTTLOfItsOwn(t *testing.T) {
	for then, kind := range map[string]dnsprovider.Kind{"60": 0, "300": 0, "3600": dnsprovider.Ignored} {
		flag := filepath.Join(t.TempDir(), "changed")
		p := newProvider(t, exec.Config{
			Env:    []string{"FLAG=" + flag},
			Read:   script(t, `if [ -e "$FLAG" ]; then echo '`+listing(then, "1")+`'; else echo '`+listing("3600", "1")+`'; fi`),
			Change: script(t, `touch "$FLAG"; grep -q '"ttl":60,"before":\["3 1 1 a1.*"\],"after":\["3 1 1 a1.*"\],"add":\[\],"remove":\[\]}' && echo '{"version":1,"results":[{"owner":"`+string(owner)+`","status":"done"}]}'`),
		})
		after := tlsa.NewRRset(time.Minute, record("1"))
		err := p.Apply(t.Context(), zone, []dnsprovider.Change{{Owner: owner, Before: rrset("1"), After: after}})[0]
		if kind != 0 {
			wants(t, err, kind, "what is read has not changed")
		} else if err != nil {
			t.Errorf("TTL %s: %v", then, err)
		}
	}
}
