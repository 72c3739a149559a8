package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// post is a command that writes down what it is told, and fails as asked.
type post struct {
	mu    sync.Mutex
	start time.Time
	heard []string
	hang  bool // until it is killed
	begun []time.Duration
	ended []time.Duration
	fail  func(command string, m Message) error
}

func (p *post) run(ctx context.Context, argv []string, stdin []byte) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun = append(p.begun, time.Since(p.start))
	if p.hang {
		p.mu.Unlock()
		<-ctx.Done()
		p.mu.Lock()
		p.ended = append(p.ended, time.Since(p.start))
		return nil, ctx.Err()
	}
	var m Message
	if err := json.Unmarshal(stdin, &m); err != nil {
		return nil, err
	}
	if p.fail != nil {
		if err := p.fail(argv[0], m); err != nil {
			return []byte("no\n"), err
		}
	}
	p.heard = append(p.heard, fmt.Sprintf("%v %s %s %s", time.Since(p.start).Round(time.Second), argv[0], m.Event, m.About))
	return nil, nil
}

// runs are when it was run, and when it was killed.
func (p *post) runs() (begun, ended []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.begun), slices.Clone(p.ended)
}

// taken are what was heard since the last call.
func (p *post) taken() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := p.heard
	p.heard = nil
	return heard
}

// daemon is a teller that runs in a bubble.
type daemon struct {
	*Teller
	post *post
	log  bytes.Buffer
	stop func() error
}

func begin(t *testing.T, file string, p *post, commands ...string) *daemon {
	t.Helper()
	d := &daemon{post: p}
	if p.start.IsZero() {
		p.start = time.Now()
	}
	cfg := Config{At: rollover.Warn, Remind: daily, File: file, Host: "mx.example.org", Now: time.Now, Run: p.run,
		Log: slog.New(slog.NewTextHandler(&d.log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))}
	for _, c := range commands {
		cfg.Notifiers = append(cfg.Notifiers, config.Notifier{Command: []string{c, "--token=geheim"}})
	}
	var err error
	if d.Teller, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	d.stop = func() error {
		cancel()
		return <-done
	}
	return d
}

// after looks once after some time, and gives what is heard of that at once.
func (d *daemon) after(t time.Duration, seen ...Notice) []string {
	time.Sleep(t)
	d.See(seen)
	synctest.Wait()
	return d.post.taken()
}

func heard(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}

func TestTellerTellsEveryoneAcrossRestarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	synctest.Test(t, func(t *testing.T) {
		p := &post{}
		a, b := notice("a", rollover.Danger), notice("b", rollover.Info)
		d := begin(t, file, p, "one", "two")
		heard(t, d.after(0, a, b), "0s one new a", "0s two new a")
		heard(t, d.after(time.Minute, a))
		if err := d.stop(); err != nil {
			t.Error(err)
		}
		d = begin(t, file, p, "one", "two")
		heard(t, d.after(time.Minute, a))
		heard(t, d.after(24*time.Hour, a), "24h2m0s one reminder a", "24h2m0s two reminder a")
		heard(t, d.after(time.Minute))
		d.stop()
		d = begin(t, file, p, "one", "two")
		heard(t, d.after(time.Minute))
		d.stop()
		d = begin(t, file, p, "one", "two") // one that starts again and again, as from a timer, clears it too
		heard(t, d.after(hold), "24h9m0s one cleared a", "24h9m0s two cleared a")
		d.stop()
		if text, err := os.ReadFile(file); err != nil || string(text) != "{\n\t\"version\": 1,\n\t\"told\": null,\n\t\"pending\": []\n}\n" {
			t.Errorf("%s, %v", text, err)
		}
		if d.log.Len() > 0 || d.Troubles() != nil {
			t.Errorf("%s%v", d.log.String(), d.Troubles())
		}
	})
}

func TestTellerTriesAgainLaterEachTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	synctest.Test(t, func(t *testing.T) {
		var tried []time.Duration
		down := true
		p := &post{}
		p.fail = func(command string, _ Message) error {
			if command != "one" || !down {
				return nil
			}
			tried = append(tried, time.Since(p.start))
			return errors.New("exit status 1")
		}
		d := begin(t, file, p, "one", "two")
		heard(t, d.after(0, notice("a", rollover.Danger), notice("b", rollover.Danger)), "0s two new a", "0s two new b")
		heard(t, d.after(time.Hour))
		if len(tried) != tries+1 { // and one for what stood behind
			t.Errorf("tried at %v", tried)
		}
		for i, wait := 1, 10*time.Second; i < tries; i, wait = i+1, min(3*wait, 15*time.Minute) {
			if got := tried[i] - tried[i-1]; got < wait*8/10 || got > wait*12/10 {
				t.Errorf("try %d came after %v, want %v or so", i+1, got, wait)
			}
		}
		if last := tried[len(tried)-1]; last < 15*time.Minute || last > 30*time.Minute {
			t.Errorf("given up after %v", last)
		}
		if diff := cmp.Diff([]string{"notify[0] (one): exit status 1: no"}, d.Troubles()); diff != "" {
			t.Error(diff)
		}
		want := `level=ERROR msg="people could not be told of a warning: given up until it changes, or its next reminder" to="notify[0] (one)" err="exit status 1: no"` + "\n"
		if diff := cmp.Diff(want, d.log.String()); diff != "" {
			t.Error(diff)
		}
		tried = nil
		heard(t, d.after(0, notice("a", rollover.Danger), notice("b", rollover.Danger), notice("c", rollover.Danger)), "1h0m0s two new c")
		heard(t, d.after(time.Hour, notice("c", rollover.Danger)))
		if len(tried) != tries {
			t.Errorf("the next one was tried at %v", tried)
		}
		down = false
		heard(t, d.after(hold, notice("c", rollover.Danger)), "2h5m0s one cleared a", "2h5m0s one cleared b", "2h5m0s two cleared a", "2h5m0s two cleared b")
		if d.Troubles() != nil {
			t.Errorf("there is still %v", d.Troubles())
		}
		if err := d.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestTellerDeliversAfterARestartWhatItCouldNotBefore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	synctest.Test(t, func(t *testing.T) {
		a := notice("a", rollover.Danger)
		p := &post{fail: func(string, Message) error { return errors.New("exit status 1") }}
		d := begin(t, file, p, "one", "two")
		heard(t, d.after(0, a))
		d.stop()
		p.fail = nil
		d = begin(t, file, p, "one", "another")
		synctest.Wait()
		heard(t, p.taken(), "0s one new a")
		heard(t, d.after(time.Minute, a))
		d.stop()
	})
}

// TestTellerLosesNothingInACrash kills the program while a message is being delivered.
func TestTellerLosesNothingInACrash(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	synctest.Test(t, func(t *testing.T) {
		a := notice("a", rollover.Danger)
		var atCrash []byte
		p := &post{fail: func(string, Message) error {
			atCrash, _ = os.ReadFile(file)
			return nil
		}}
		d := begin(t, file, p, "one")
		heard(t, d.after(0, a), "0s one new a")
		d.stop()
		if err := os.WriteFile(file, atCrash, 0o600); err != nil {
			t.Fatal(err)
		}
		d = begin(t, file, p, "one")
		heard(t, d.after(0, a), "0s one new a")
		d.stop()
	})
}

func TestTellerIsNotHeldUpByOneMessage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	synctest.Test(t, func(t *testing.T) {
		p := &post{fail: func(_ string, m Message) error {
			if m.About == "a" {
				return errors.New("exit status 1")
			}
			return nil
		}}
		d := begin(t, file, p, "one")
		heard(t, d.after(0, notice("a", rollover.Danger), notice("b", rollover.Danger)))
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := p.taken(); len(got) != 1 || !strings.HasSuffix(got[0], "one new b") {
			t.Errorf("heard %v", got)
		}
		if d.Troubles() != nil {
			t.Errorf("%v, although the last one went through", d.Troubles())
		}
		d.stop()
	})
}

// TestTellerNeverBlocks looks while a command takes its minute.
func TestTellerNeverBlocks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	synctest.Test(t, func(t *testing.T) {
		p := &post{hang: true}
		d := begin(t, file, p, "slow")
		heard(t, d.after(0, notice("a", rollover.Danger)))
		heard(t, d.after(0, notice("a", rollover.Danger), notice("b", rollover.Danger)))
		begun, ended := p.runs()
		if len(begun) != 1 || len(ended) != 0 || time.Since(p.start) != 0 {
			t.Errorf("begun at %v, ended at %v", begun, ended)
		}
		for len(begun) < tries {
			time.Sleep(time.Second)
			synctest.Wait()
			begun, ended = p.runs()
		}
		for i, at := range ended {
			if took := at - begun[i]; took != timeout {
				t.Errorf("try %d took %v", i+1, took)
			}
		}
		stopping := time.Now()
		if err := d.stop(); err != nil || time.Since(stopping) != grace { // in the midst of the last try
			t.Errorf("stopped after %v: %v", time.Since(stopping), err)
		}
		c, _, why, err := load(file)
		if why != nil || err != nil || len(c.Pending) != 2 {
			t.Errorf("%+v, %v, %v", c, why, err)
		}
	})
}

func TestTellerGoesOnWhereItCannotWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "told.json")
	synctest.Test(t, func(t *testing.T) {
		p := &post{}
		d := begin(t, file, p, "one")
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		a := notice("a", rollover.Danger)
		heard(t, d.after(0, a), "0s one new a")
		heard(t, d.after(time.Hour, a))
		if got := d.Troubles(); len(got) != 1 || !strings.Contains(got[0], "cannot be written down") {
			t.Errorf("troubles: %v", got)
		}
		if n := strings.Count(d.log.String(), "\n"); n != 1 {
			t.Errorf("logged %d lines:\n%s", n, d.log.String())
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		heard(t, d.after(2*keepAgain, a))
		if got := d.Troubles(); got != nil {
			t.Errorf("troubles: %v", got)
		}
		if c, _, _, err := load(file); err != nil || len(c.Told) != 1 {
			t.Errorf("%+v, %v", c, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		d.See([]Notice{a, notice("b", rollover.Danger)})
		if err := d.stop(); err == nil {
			t.Error("what could not be written is no error")
		}
	})
}

func TestTellerStartsAnewWithoutItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		p := &post{}
		d := begin(t, file, p, "one")
		want := `level=WARN msg="what people were told before cannot be read: it was moved aside, and they are told anew" moved=` + file + `.corrupt-1 err="unexpected end of JSON input"` + "\n"
		if diff := cmp.Diff(want, d.log.String()); diff != "" {
			t.Error(diff)
		}
		heard(t, d.after(0, notice("a", rollover.Danger)), "0s one new a")
		d.stop()
	})
}

func TestTellerForgetsWhatNobodyAsksFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	known, _ := Told{}.Next([]Notice{notice("a", rollover.Info), notice("b", rollover.Danger)}, daily, time.Now())
	if err := store(file, known, nil); err != nil {
		t.Fatal(err)
	}
	teller, err := New(Config{File: file, At: rollover.Danger, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil || len(teller.told) != 1 {
		t.Errorf("%v, %v", teller.told, err)
	}
	teller.See([]Notice{notice("c", rollover.Danger)})
	if len(teller.letters) != 0 || teller.changed {
		t.Error("wrote to nobody")
	}
}

func TestMessageIsTheContract(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	var got []byte
	teller, err := New(Config{Notifiers: []config.Notifier{{Command: []string{"one"}}}, File: file, At: rollover.Info, Host: "mx.example.org",
		Now: func() time.Time { return start.Add(time.Millisecond) }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	teller.See(Of("mx1", []rollover.Warning{{Code: rollover.CodeServerUnknown, Severity: rollover.Warn, About: "192.0.2.53", Text: "192.0.2.53 gives no answer"}}))
	got, err = teller.letters[0].Message.line()
	want := `{"event":"new","lineage":"mx1","code":"server-unknown","severity":"warning","about":"192.0.2.53","text":"192.0.2.53 gives no answer",` +
		`"fix":"Repair the server, or take it out of the NS records; if it is gone for good, name it under exclude: of its zone in the configuration.","since":"2026-03-01T12:00:00Z","host":"mx.example.org"}` + "\n"
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Error(err, diff)
	}
}
