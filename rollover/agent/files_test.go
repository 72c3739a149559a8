package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// says is what a lineage says of a code that it waits for, "" if it does not.
func says(r Report, name string, code rollover.Code) string {
	for _, reason := range r.State.Lineages[name].Waiting {
		if reason.Code == code {
			return reason.Text
		}
	}
	return ""
}

func TestStagedFiles(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		l := w.config.Lineages[0]
		poll := func() Report { // passes as the daemon makes them, until the files were read
			t.Helper()
			read := a.of["mx1"].book.polled
			return w.goOn(a, 2*time.Minute, func(Report) bool { return a.of["mx1"].book.polled.After(read) })
		}
		one, two := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		for _, step := range []struct {
			name string
			do   func()
			want string // in what is said; "": nothing
		}{
			{"torn: the new certificate with the old key", func() { w.stage("mx1", one); w.write(l.Staged.Cert, two.ChainPEM()) }, "the private key does not fit"},
			{"no certificate", func() { w.write(l.Staged.Cert, []byte("nothing")) }, l.Staged.Cert},
			{"open to everybody", func() {
				w.stage("mx1", two)
				if err := os.Chmod(l.Staged.Key, 0o644); err != nil {
					t.Fatal(err)
				}
			}, "opens the private key to everybody"},
			{"whole", func() {
				if err := os.Chmod(l.Staged.Key, 0o600); err != nil {
					t.Fatal(err)
				}
			}, ""},
			{"gone after it was seen", func() {
				if err := os.Remove(l.Staged.Cert); err != nil {
					t.Fatal(err)
				}
			}, "no such file"},
			{"back again", func() { w.stage("mx1", two) }, ""},
		} {
			step.do()
			r := poll()
			got := says(r, "mx1", rollover.CodeStagedUnreadable)
			if step.want == "" && got != "" || !strings.Contains(got, step.want) {
				t.Errorf("%s: it says %q, want %q", step.name, got, step.want)
			}
			time.Sleep(time.Second)
		}
		w.goOn(a, time.Hour, isSteady("mx1", two))
	})
}

// What is to be said of staged files that are taken all the same is told as long as
// they are like that.
func TestStagedFindings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		key := w.config.Lineages[0].Staged.Key
		mode := func(mode os.FileMode) {
			if err := os.Chmod(key, mode); err != nil {
				t.Fatal(err)
			}
		}
		tells := func(r Report) bool {
			return slices.ContainsFunc(r.State.Lineages["mx1"].Warnings, func(v rollover.Warning) bool {
				return v.Code == certwatch.CodeGroupReadable && v.Severity == rollover.Warn && strings.HasPrefix(v.Text, key+": mode 0640")
			})
		}
		w.stage("mx1", w.ca.issue(t, mx1))
		mode(0o640)
		w.goOn(a, 5*time.Minute, tells)
		mode(0o600)
		w.goOn(a, 5*time.Minute, func(r Report) bool { return !tells(r) })
	})
}

// TestUnsettled: files that are being written are read as soon as they may have
// settled, not at the next poll.
func TestUnsettled(t *testing.T) {
	today := time.Now() // the disk's clock is not that of the bubble
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Quiet = 20 * time.Minute
		w.ahead(time.Until(today))
		a, _ := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second) // on the disk, that is when it all began
		begun := time.Now()
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Successor == second.ID() })
		if took, want := time.Since(begun), 15*time.Minute; took < want-time.Minute || took > want+time.Minute {
			t.Errorf("taken after %s, want %s", took, want)
		}
	})
}

// TestRecheck: the pass that reads files which may have settled comes then, and not
// with the next poll.
func TestRecheck(t *testing.T) {
	today := time.Now()
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Quiet = 7*time.Minute + 20*time.Second
		w.config.Timing.Poll = time.Hour
		w.ahead(time.Until(today))
		a, _ := adopted(w) // five minutes
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		begun := time.Now()
		time.AfterFunc(time.Second, func() { a.Nudge("mx1") }) // somebody has seen them change
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Successor == second.ID() })
		if took, want := time.Since(begun), 2*time.Minute+20*time.Second; took < want-20*time.Second || took > want+20*time.Second {
			t.Errorf("taken after %s, want %s", took, want)
		}
	})
}

// TestStashIsMended: whoever damages an entry of the stash is told, and the next
// poll of the staged files mends it.
func TestStashIsMended(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Phase == rollover.Published })
		entry := filepath.Join(a.rooms.Stash.Path(second.ID()), "privkey.pem")
		w.write(entry, []byte("damage"))
		r := w.goOn(a, time.Minute, func(r Report) bool { return says(r, "mx1", rollover.CodeStashUnreadable) != "" })
		if text := says(r, "mx1", rollover.CodeStashUnreadable); !strings.Contains(text, entry) {
			t.Errorf("it says %q", text)
		}
		w.goOn(a, time.Hour, isSteady("mx1", second))
		w.served("mx1", second)
	})
}

func TestLivePairIsDamaged(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		w.write(filepath.Join(a.rooms.Stash.Path(first.ID()), "fullchain.pem"), []byte("damage"))
		w.goOn(a, 2*time.Minute, func(r Report) bool { return slices.Contains(waits(r, "mx1"), rollover.CodeLiveUnreadable) })
		if r := mustPass(t, a, "mx1"); !slices.Contains(waits(r, "mx1"), rollover.CodeLiveUnreadable) {
			t.Errorf("between polls it is forgotten: waits for %v", waits(r, "mx1"))
		}
		w.stage("mx1", first)
		w.goOn(a, 2*time.Minute, isSteady("mx1", first))
	})
}

// TestSomebodyTurnsTheLink: whatever the live link leads to is live.
func TestSomebodyTurnsTheLink(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		second := w.ca.issue(t, mx1)
		if err := a.keep(second); err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(w.config.State, "live", "mx1")
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("..", "stash", string(second.ID())), link); err != nil {
			t.Fatal(err)
		}
		r := w.goOn(a, 2*time.Minute, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
		if l := r.State.Lineages["mx1"]; l.Previous != first.ID() {
			t.Errorf("previous is %s", l.Previous)
		}
	})
}
