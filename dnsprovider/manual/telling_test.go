package manual_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/manual"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bench is a provider whose clock stands and whose notices are kept.
type bench struct {
	*testing.T
	zone    *fakeapi.Zone
	server  string
	now     time.Time
	notices []manual.Notice
	fails   error
	log     bytes.Buffer
	told    string
	*manual.Provider
}

func newBench(t *testing.T) *bench {
	b := &bench{T: t, zone: fakeapi.NewZone(zone), now: start, told: filepath.Join(t.TempDir(), "told.json")}
	b.server = serve(t, primary(t, b.zone))
	b.restart()
	return b
}

// restart makes the provider anew.
func (b *bench) restart() {
	b.Helper()
	p, err := manual.New(manual.Config{
		Name: "registrar", Zone: zone, Server: b.server, Host: "mx1.example.org", Told: b.told,
		Tell: []manual.Tell{func(_ context.Context, n manual.Notice) error {
			b.notices = append(b.notices, n)
			return b.fails
		}},
		Now: func() time.Time { return b.now }, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Provider = p
}

// stand puts an RRset into the zone.
func (b *bench) stand(s tlsa.RRset) {
	var data []string
	for _, a := range s.Associations {
		data = append(data, a.String())
	}
	b.zone.Replace(string(owner), "TLSA", int(s.TTL/time.Second), data...)
}

// waits applies a change that has to wait for the person, and gives what is said of it.
func (b *bench) waits(before, after tlsa.RRset) *dnsprovider.ByHandError {
	b.Helper()
	err := b.Apply(b.Context(), zone, []dnsprovider.Change{{Owner: owner, Before: before, After: after}})[0]
	var byHand *dnsprovider.ByHandError
	if !errors.As(err, &byHand) || dnsprovider.KindOf(err) != dnsprovider.Temporary {
		b.Fatalf("error is %v", err)
	}
	return byHand
}

// told wants so many notices since it was last asked.
func (b *bench) wasTold(n int) {
	b.Helper()
	if len(b.notices) != n {
		b.Errorf("told %d times, want %d", len(b.notices), n)
	}
	b.notices = nil
}

// TestToldOnce: however often a change is asked for, also after a restart; and again daily
// while records are missing.
func TestToldOnce(t *testing.T) {
	b := newBench(t)
	b.stand(rrset("1"))
	for range 3 {
		b.waits(rrset("1"), rrset("1", "2"))
	}
	b.wasTold(1)
	b.now = b.now.Add(23 * time.Hour)
	b.restart()
	b.waits(rrset("1"), rrset("1", "2"))
	b.wasTold(0)
	b.now = b.now.Add(time.Hour)
	b.waits(rrset("1"), rrset("1", "2"))
	if len(b.notices) != 1 || !b.notices[0].Changes[0].Reminder || !strings.HasPrefix(b.notices[0].Title(), "reminder: zone example.org: 1 record to add") {
		t.Errorf("the reminder is %+v", b.notices)
	}
	b.wasTold(1)
	b.now = b.now.Add(23 * time.Hour)
	b.waits(rrset("1"), rrset("1", "2"))
	b.wasTold(0)

	b.now = start.Add(-time.Hour) // somebody put the clock back
	b.waits(rrset("1"), rrset("1", "2"))
	b.wasTold(0)
	b.now = start.Add(23 * time.Hour)
	b.waits(rrset("1"), rrset("1", "2"))
	b.wasTold(1)
}

// TestRemovalIsNotUrgent: nothing waits for it.
func TestRemovalIsNotUrgent(t *testing.T) {
	b := newBench(t)
	b.stand(rrset("1", "2"))
	short := rrset("1", "2")
	short.TTL = time.Minute
	for _, after := range []tlsa.RRset{rrset("2"), short} {
		b.now = start
		if e := b.waits(rrset("1", "2"), after); e.Urgent() {
			t.Errorf("%v is urgent", e)
		}
		if len(b.notices) != 1 || b.notices[0].Changes[0].Urgent {
			t.Errorf("told %+v", b.notices)
		}
		b.wasTold(1)
		b.now = start.Add(6 * 24 * time.Hour)
		b.waits(rrset("1", "2"), after)
		b.wasTold(0)
		b.now = start.Add(7 * 24 * time.Hour)
		b.waits(rrset("1", "2"), after)
		b.wasTold(1)
	}
}

// TestUndoneIsToldAgain: the person did it, it was seen, and somebody took it out.
func TestUndoneIsToldAgain(t *testing.T) {
	b := newBench(t)
	b.stand(rrset("1"))
	b.waits(rrset("1"), rrset("1", "2"))
	b.wasTold(1)
	b.stand(rrset("1", "2"))
	if _, err := b.RRset(t.Context(), zone, owner); err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.stand(rrset("1"))
	e := b.waits(rrset("1"), rrset("1", "2"))
	if len(b.notices) != 1 || b.notices[0].Changes[0].Reminder || !e.Urgent() {
		t.Errorf("told %+v", b.notices)
	}
}

// TestHalfDone: what is left is another change, and told as one.
func TestHalfDone(t *testing.T) {
	b := newBench(t)
	b.stand(rrset("1"))
	b.waits(rrset("1"), rrset("1", "2", "3"))
	b.wasTold(1)
	b.stand(rrset("1", "3"))
	err := b.Apply(t.Context(), zone, []dnsprovider.Change{{Owner: owner, Before: rrset("1"), After: rrset("1", "2", "3")}})[0]
	if !errors.Is(err, dnsprovider.ErrConflict) {
		t.Errorf("error is %v", err)
	}
	b.wasTold(0)
	b.waits(rrset("1", "3"), rrset("1", "2", "3"))
	if diff := cmp.Diff([]string{string(owner) + " 3600 IN TLSA " + record("2").String()}, b.notices[0].Changes[0].Add); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.wasTold(1)
}

// TestNobodyCouldBeTold: it is tried with each call, and the change says so.
func TestNobodyCouldBeTold(t *testing.T) {
	b := newBench(t)
	b.fails = errors.New("mail:\nno such user")
	for range 2 {
		e := b.waits(tlsa.RRset{}, rrset("1"))
		const want = "; and nobody could be told: mail: no such user"
		if !strings.HasSuffix(e.Error(), want) {
			t.Errorf("error is %s, want …%s", e, want)
		}
	}
	b.wasTold(2)
	b.fails = nil
	if e := b.waits(tlsa.RRset{}, rrset("1")); e.Untold != nil {
		t.Errorf("error is %v", e)
	}
	b.wasTold(1)
	b.waits(tlsa.RRset{}, rrset("1"))
	b.wasTold(0)
}

// TestOneWayIsEnough: of several.
func TestOneWayIsEnough(t *testing.T) {
	b := newBench(t)
	calls := 0
	ok := func(context.Context, manual.Notice) error { calls++; return nil }
	bad := func(context.Context, manual.Notice) error { calls++; return errors.New("the disk is full") }
	for _, test := range []struct {
		ways   []manual.Tell
		untold string
		calls  int
	}{
		{[]manual.Tell{bad, ok}, "", 2}, {[]manual.Tell{bad, bad}, "the disk is full; the disk is full", 4}, {nil, "", 0},
	} {
		calls = 0
		p, err := manual.New(manual.Config{Server: b.server, Tell: test.ways, Now: time.Now, Log: slog.New(slog.NewTextHandler(&b.log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			err = p.Apply(t.Context(), zone, []dnsprovider.Change{{Owner: owner, After: rrset("1")}})[0]
		}
		if calls != test.calls || strings.Contains(err.Error(), "nobody could be told") != (test.untold != "") || !strings.Contains(err.Error(), test.untold) {
			t.Errorf("%d calls, %v", calls, err)
		}
	}
	for _, want := range []string{`level=ERROR msg="a person was told in one way and not in another" provider=manual err="the disk is full"`, `level=WARN msg="a person has to change the zone" provider=manual zone=example.org. owner=_25._tcp.mx.example.org.`} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("the log is\n%s, want\n%s", &b.log, want)
		}
	}
}

// TestToldFile: what cannot be read is told again, and what cannot be written is said.
func TestToldFile(t *testing.T) {
	for name, damage := range map[string]func(b *bench){
		"nonsense":        func(b *bench) { b.write("{") },
		"another version": func(b *bench) { b.write(`{"version":2}`) },
		"empty":           func(b *bench) { b.write("") },
		"too large":       func(b *bench) { b.write(strings.Repeat(" ", 2<<20)) },
		"a directory":     func(b *bench) { os.Remove(b.told); os.Mkdir(b.told, 0o700) },
		"gone":            func(b *bench) { os.Remove(b.told) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.waits(tlsa.RRset{}, rrset("1"))
			b.wasTold(1)
			if info, err := os.Stat(b.told); err != nil || info.Mode() != 0o600 {
				t.Errorf("the file: %v, %v", info, err)
			}
			damage(b)
			b.restart()
			for range 2 {
				b.waits(tlsa.RRset{}, rrset("1"))
			}
			b.wasTold(1)
			read, unkept := strings.Contains(b.log.String(), "cannot be read, and is told again"), strings.Count(b.log.String(), "cannot be written down")
			if read != (name != "gone") || unkept != map[bool]int{true: 1}[name == "a directory"] {
				t.Errorf("the log is\n%s", &b.log)
			}
		})
	}
	b := newBench(t)
	b.told = filepath.Join(t.TempDir(), "none", "told")
	b.restart()
	for i := range 3 {
		b.now = b.now.Add(time.Duration(i) * 24 * time.Hour)
		b.waits(tlsa.RRset{}, rrset("1"))
	}
	if n := strings.Count(b.log.String(), "cannot be written down"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &b.log)
	}
	b.told = ""
	b.notices = nil
	b.restart()
	b.waits(tlsa.RRset{}, rrset("1"))
	b.waits(tlsa.RRset{}, rrset("1"))
	b.wasTold(1)
}

func (b *bench) write(text string) {
	b.Helper()
	if err := os.WriteFile(b.told, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// TestForgotten: what nobody has asked for in a fortnight.
func TestForgotten(t *testing.T) {
	b := newBench(t)
	b.waits(tlsa.RRset{}, rrset("1"))
	b.now = b.now.Add(13 * 24 * time.Hour)
	b.waits(tlsa.RRset{}, rrset("2"))
	if text, _ := os.ReadFile(b.told); strings.Count(string(text), `"at"`) != 2 {
		t.Errorf("the file has %s", text)
	}
	b.now = b.now.Add(24 * time.Hour)
	b.waits(tlsa.RRset{}, rrset("2"))
	if text, _ := os.ReadFile(b.told); strings.Count(string(text), `"at"`) != 1 {
		t.Errorf("the file has %s", text)
	}
}

// TestNotice: what the person reads.
func TestNotice(t *testing.T) {
	b := newBench(t)
	const other, third = tlsa.Owner("_25._tcp.other.example.org."), tlsa.Owner("_25._tcp.third.example.org.")
	b.stand(rrset("1"))
	for _, o := range []tlsa.Owner{other, third} {
		b.zone.Replace(string(o), "TLSA", 3600, record("1").String(), record("2").String())
	}
	long := rrset("1", "2")
	long.TTL = 2 * time.Hour
	b.Apply(t.Context(), zone, []dnsprovider.Change{
		{Owner: third, Before: rrset("1", "2"), After: long},
		{Owner: other, Before: rrset("1", "2"), After: rrset("2")},
		{Owner: owner, Before: rrset("1"), After: rrset("2", "3")},
	})
	b.wasTold(1)
	b.restart()
	os.Remove(b.told)
	b.Apply(t.Context(), zone, []dnsprovider.Change{
		{Owner: third, Before: rrset("1", "2"), After: long},
		{Owner: other, Before: rrset("1", "2"), After: rrset("2")},
		{Owner: owner, Before: rrset("1"), After: rrset("2", "3")},
	})
	n := b.notices[0]
	a := func(digit string) string { return strings.Repeat("a"+digit, 32) }
	want := `tlsaroll on mx1.example.org wants records changed in the zone example.org, and has no means to do it itself.

Add, and leave all other records at this name as they are: the next certificate waits for it.

_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 ` + a("2") + `
_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 ` + a("3") + `

Remove, not before the others are there:

_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 ` + a("1") + `

Remove, when you like, and leave all other records at this name as they are:

_25._tcp.other.example.org. 3600 IN TLSA 3 1 1 ` + a("1") + `

Give these records another TTL, when you like. Now they are:

_25._tcp.third.example.org. 3600 IN TLSA 3 1 1 ` + a("1") + `
_25._tcp.third.example.org. 3600 IN TLSA 3 1 1 ` + a("2") + `

They are to be:

_25._tcp.third.example.org. 7200 IN TLSA 3 1 1 ` + a("1") + `
_25._tcp.third.example.org. 7200 IN TLSA 3 1 1 ` + a("2") + `

There is nothing else to do: once the name servers have it, all goes on by itself.
`
	if diff := cmp.Diff(want, n.Text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := n.Title(), "zone example.org: 2 records to add, 2 records to remove, 2 records to get another TTL"; got != want {
		t.Errorf("the title is %q, want %q", got, want)
	}
	text, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"version":1,"provider":"registrar","host":"mx1.example.org","zone":"example.org.","changes":[{"owner":"_25._tcp.third.example.org.","add":[`,
		`{"owner":"_25._tcp.other.example.org.","add":[],"remove":["_25._tcp.other.example.org. 3600 IN TLSA 3 1 1 ` + a("1") + `"],"ttl_only":false,"urgent":false,"reminder":false},`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the JSON is\n%s, want\n%s", text, want)
		}
	}
}

// TestError: what stands in the status of who waits.
func TestError(t *testing.T) {
	b := newBench(t)
	b.stand(rrset("1"))
	err := b.Apply(t.Context(), zone, []dnsprovider.Change{{Owner: owner, Before: rrset("1"), After: rrset("2")}})[0]
	want := "change _25._tcp.mx.example.org.: registrar: a person has to change the zone example.org.: " +
		"add _25._tcp.mx.example.org. 3600 IN TLSA " + record("2").String() + ", remove _25._tcp.mx.example.org. 3600 IN TLSA " + record("1").String() +
		" (hint: leave all other records at that name as they are; once the primary has it so, all goes on by itself)"
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}

// TestTTLOfItsOwn: the host's web interface made another TTL of the one that was asked for.
func TestTTLOfItsOwn(t *testing.T) {
	b := newBench(t)
	b.stand(rrset("1"))
	after := rrset("1")
	after.TTL = time.Minute
	b.waits(rrset("1"), after)
	other := rrset("1")
	other.TTL = 5 * time.Minute
	b.stand(other)
	if err := b.Apply(t.Context(), zone, []dnsprovider.Change{{Owner: owner, Before: rrset("1"), After: after}})[0]; err != nil {
		t.Error(err)
	}
}
