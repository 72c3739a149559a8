package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A fuse ends the process, as far as a test can, at one of the points that it
// passes: the first, the second and so on.
type fuse struct {
	passed []string
	blowAt int // 0: never
}

type crash struct{ point string }

func (f *fuse) point(name string) {
	f.passed = append(f.passed, name)
	if len(f.passed) == f.blowAt {
		panic(crash{name})
	}
}

type fusedStore struct {
	Store
	fuse *fuse
}

func (s fusedStore) Save(g journal.Group, stamp journal.Stamp) error {
	s.fuse.point("before save")
	err := s.Store.Save(g, stamp)
	s.fuse.point("after save")
	return err
}

func (s fusedStore) Forget(ids []tlsa.ChainID) ([]tlsa.ChainID, error) {
	s.fuse.point("before forget")
	gone, err := s.Store.Forget(ids)
	s.fuse.point("after forget")
	return gone, err
}

type fusedProvider struct {
	dnsprovider.Provider
	fuse *fuse
}

func (p fusedProvider) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	p.fuse.point("before apply")
	errs := p.Provider.Apply(ctx, zone, changes)
	p.fuse.point("after apply")
	return errs
}

// given is an answer that some server gave at some time.
type given struct {
	at    time.Time
	rrset tlsa.RRset
}

// A witness looks every second whether every answer that may still be held
// vouches for what is presented.
type witness struct {
	w      *world
	held   []given
	failed bool
}

func (v *witness) look(t testing.TB) {
	for _, name := range []string{"ns1", "ns2"} {
		if a, up := v.w.zone.Answer(name, owner25(mx1)); up {
			v.held = append(v.held, given{time.Now(), a.RRset})
		}
	}
	v.held = slices.DeleteFunc(v.held, func(g given) bool { return time.Since(g.at) > g.rrset.TTL+time.Second })
	s := v.w.services["192.0.2.25:25"]
	if s.cert == nil || v.failed {
		return
	}
	chain, err := v.w.chain(s.cert.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range v.held {
		if err := g.rrset.Vouches(chain, tlsa.Reference{Names: []string{mx1}, Time: time.Now(), SMTP: true}); err != nil {
			v.failed = true
			t.Errorf("%s is presented, and an answer given %s ago does not match: %v", chain.ID().Short(), time.Since(g.at), err)
		}
	}
}

// live runs an agent, and another one whenever that crashes, until the pair is
// live and everything is steady.
func (f *fuse) live(t testing.TB, w *world, want certwatch.Pair) {
	t.Helper()
	v := &witness{w: w}
	for deadline := time.Now().Add(time.Hour); ; {
		a := w.open()
		a.rooms.Store = fusedStore{a.rooms.Store, f}
		done := false
		crashed := func() (crashed bool) {
			defer func() {
				if p := recover(); p != nil {
					if _, ok := p.(crash); !ok {
						panic(p)
					}
					crashed = true
				}
			}()
			for {
				p, err := a.passOver(t.Context(), a.of["mx1"], true)
				if err != nil {
					t.Fatal(err)
				}
				if done = isSteady("mx1", want)(p); done {
					return false
				}
				for next := later(p.Again, time.Now().Add(time.Millisecond)); time.Now().Before(next); {
					v.look(t)
					time.Sleep(min(time.Second, time.Until(next)))
				}
				if time.Now().After(deadline) {
					t.Fatalf("never steady; %s", w.story(p))
				}
			}
		}()
		v.look(t)
		w.close(a)
		if done && !crashed {
			return
		}
	}
}

// TestCrashAnywhere ends the process before and after every save, change and
// reload of a renewal: the next one comes to the same end, and no sender ever
// met a pair that its answer does not vouch for.
func TestCrashAnywhere(t *testing.T) {
	renewal := func(t *testing.T, blowAt int) *fuse {
		f := &fuse{}
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, dir)
			defer w.serving.Wait()
			w.config.Providers[0].Provider = fusedProvider{w.zone, f}
			w.config.Run = func(ctx context.Context, argv []string) ([]byte, error) {
				f.point("before " + argv[0])
				out, err := w.run(ctx, argv)
				f.point("after " + argv[0])
				return out, err
			}
			w.lineage("mx1")
			first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
			w.serve("mx1", first)
			f.live(t, w, first)
			time.Sleep(2 * time.Minute)
			w.stage("mx1", second)
			f.passed, f.blowAt = nil, blowAt
			f.live(t, w, second)
			w.served("mx1", second)
			w.whole("mx1", second)
		})
		return f
	}
	whole := renewal(t, 0)
	for _, point := range []string{"before apply", "after apply", "before reload", "after reload", "before save", "after save"} {
		if !slices.Contains(whole.passed, point) {
			t.Fatalf("a renewal without %q: %q", point, whole.passed)
		}
	}
	t.Logf("%d points", len(whole.passed))
	for n, point := range whole.passed {
		t.Run(fmt.Sprintf("%d %s", n+1, point), func(t *testing.T) {
			if f := renewal(t, n+1); len(f.passed) <= n {
				t.Errorf("it came to %d points only", len(f.passed))
			}
		})
	}
}

// TestCrashInAdoption ends the process before and after every save of an adoption: the
// record that was there is ours all the same, and goes with the pair.
func TestCrashInAdoption(t *testing.T) {
	adoption := func(t *testing.T, blowAt int) *fuse {
		f := &fuse{blowAt: blowAt}
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, dir)
			defer w.serving.Wait()
			w.lineage("mx1")
			first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
			w.serve("mx1", first)
			w.publish(owner25(mx1), record(t, first))
			f.live(t, w, first)
			time.Sleep(2 * time.Minute)
			w.stage("mx1", second)
			before := len(f.passed)
			f.live(t, w, second)
			w.whole("mx1", second)
			if got, want := w.stands(owner25(mx1)), []tlsa.Association{record(t, second)}; !slices.Equal(got, want) {
				t.Errorf("%v stand, want %v", got, want)
			}
			f.passed = f.passed[:before]
		})
		return f
	}
	whole := adoption(t, 0)
	if len(whole.passed) < 4 {
		t.Fatalf("an adoption without points: %q", whole.passed)
	}
	for n, point := range whole.passed {
		t.Run(fmt.Sprintf("%d %s", n+1, point), func(t *testing.T) {
			if f := adoption(t, n+1); len(f.passed) <= n {
				t.Errorf("it came to %d points only", len(f.passed))
			}
		})
	}
}

// whole wants the live link, the stash entry and the install file to agree.
func (w *world) whole(name string, p certwatch.Pair) {
	w.t.Helper()
	link, err := filepath.EvalSymlinks(filepath.Join(w.config.State, "live", name))
	if err != nil || filepath.Base(link) != string(p.ID()) {
		w.t.Errorf("the live link leads to %s, %v", link, err)
	}
	installed, err := certwatch.Load(certwatch.Files{Cert: w.paths[name]})
	if err != nil || installed.ID() != p.ID() {
		w.t.Errorf("the install file holds %v, %v", installed.Chain, err)
	}
}

var errFull = errors.New("no space left on device")

// fullStore cannot write until there is room again.
type fullStore struct {
	Store
	room atomic.Bool
}

func (s *fullStore) Save(g journal.Group, stamp journal.Stamp) error {
	if !s.room.Load() {
		return errFull
	}
	return s.Store.Save(g, stamp)
}

// TestJournalCannotBeWritten: then nothing is done, and later it goes on.
func TestJournalCannotBeWritten(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		disk := &fullStore{Store: a.rooms.Store}
		a.rooms.Store = disk
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		if _, err := a.Offer("mx1", second); err != nil {
			t.Fatal(err)
		}
		before, _, _ := a.State("mx1")
		for range 3 {
			_, err := a.Pass(t.Context(), "mx1")
			if !errors.Is(err, errFull) || err.Error() != "nothing was done: no space left on device" {
				t.Fatalf("got %v", err)
			}
			time.Sleep(time.Minute)
		}
		if after, _, _ := a.State("mx1"); after.Lineages["mx1"].Successor != before.Lineages["mx1"].Successor {
			t.Error("something was remembered")
		}
		w.served("mx1", first)

		// the daemon goes on trying, and does not fill the log
		time.AfterFunc(20*time.Minute, func() { disk.room.Store(true) })
		w.goOn(a, time.Hour, isSteady("mx1", second))
		w.served("mx1", second)
		if n := w.log.count("pass failed"); n != 1 {
			t.Errorf("the same failure was logged %d times", n)
		}
	})
}

// TestRunForOneLineage: who waits for one lineage alone is told what is wrong.
func TestRunForOneLineage(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		a.rooms.Store = &fullStore{Store: a.rooms.Store}
		w.stage("mx1", w.ca.issue(t, mx1))
		if err := a.Run(t.Context(), "mx1", nil); !errors.Is(err, errFull) {
			t.Errorf("got %v", err)
		}
	})
}

// TestNotRecorded: an action whose end could not be recorded is the last of its pass.
func TestNotRecorded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		disk := a.rooms.Store
		a.rooms.Store = &secondFails{Store: disk}
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		_, err := a.Pass(t.Context(), "mx1")
		if want := "publish _25._tcp.mx1.example.org.: +(" + record(t, second).String() + ") was done and could not be recorded: no space left on device"; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		a.rooms.Store = disk
		w.close(a) // nothing more was written
		a = w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", second))
		w.served("mx1", second)
	})
}

type secondFails struct {
	Store
	saves int
}

func (s *secondFails) Save(g journal.Group, stamp journal.Stamp) error {
	if s.saves++; s.saves == 2 {
		return errFull
	}
	return s.Store.Save(g, stamp)
}

func TestSecondInstance(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		a := w.open()
		defer w.close(a)
		want := "journal " + filepath.Join(w.config.State, "journal.db") + ": in use by another tlsaroll (hint: ask again when the rollover or once that is at work has ended; a daemon that is not to be reached needs a restart)"
		for what, open := range map[string]func(Config) (*Agent, error){"open": Open, "dry": OpenDry} {
			begun := time.Now()
			if _, err := open(w.config); !errors.Is(err, ErrLocked) || err.Error() != want {
				t.Errorf("%s: got  %v\nwant %s", what, err, want)
			}
			if took := time.Since(begun); took > lockTimeout+time.Second {
				t.Errorf("%s: it took %s", what, took)
			}
		}
	})
}

func TestJournalIsCorrupt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		w.close(a)
		path := filepath.Join(w.config.State, "journal.db")
		if err := os.WriteFile(path, []byte("damage"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenDry(w.config); err == nil {
			t.Error("a look at a corrupt journal succeeded")
		}
		a = w.open()
		defer w.close(a)
		if w.log.count("the journal was corrupt: it was moved aside and every wait starts again") != 1 {
			t.Errorf("nobody was told: %s", w.log)
		}
		r := w.goOn(a, time.Hour, isSteady("mx1", first)) // what is live is seen again
		if got := r.State.Lineages["mx1"].Live; got != first.ID() {
			t.Errorf("live is %s", got)
		}
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
	})
}

// TestOfferSurvives: a pair that was handed in is not lost with the process.
func TestOfferSurvives(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		second, third := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		for _, p := range []certwatch.Pair{second, third} {
			if id, err := a.Offer("mx1", p); err != nil || id != p.ID() {
				t.Fatal(id, err)
			}
		}
		w.close(a)
		a = w.open()
		if err := a.rooms.Stash.Remove(second.ID()); err != nil {
			t.Fatal(err)
		}
		w.close(a)
		a = w.open()
		defer w.close(a)
		if w.log.count("a pair that was handed in is lost") != 1 {
			t.Errorf("nobody was told: %s", w.log)
		}
		w.goOn(a, time.Hour, isSteady("mx1", third))
		if left := a.inbox.look([]string{"mx1"}); left.any() {
			t.Errorf("taken up, and still there: %v", left)
		}
	})
}

// TestOrphansAreRemoved: a crash came when a pair had been let go by the state
// and not by the stash.
func TestOrphansAreRemoved(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		orphan := w.ca.issue(t, mx1)
		if err := a.keep(orphan); err != nil {
			t.Fatal(err)
		}
		state, _, _ := a.State("mx1")
		state.Chains = map[tlsa.ChainID]*tlsa.Chain{orphan.ID(): orphan.Chain, first.ID(): first.Chain}
		if err := a.rooms.Store.Save(journal.Group{Lineages: []string{"mx1"}, State: state}, a.clock.stamp()); err != nil {
			t.Fatal(err)
		}
		w.close(a)
		a = w.open()
		defer w.close(a)
		if ids, err := a.rooms.Stash.(certwatch.Stash).List(); err != nil || !slices.Equal(ids, []tlsa.ChainID{first.ID()}) {
			t.Errorf("the stash holds %v, %v", ids, err)
		}
	})
}

// TestStrangersInTheStash: a crash came when a pair had been copied there and nothing
// named it yet, or when the journal had let it go. What a live link leads to stays, and
// all else where the journal itself is lost.
func TestStrangersInTheStash(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		stranger, linked := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		for _, p := range []certwatch.Pair{stranger, linked} {
			if err := a.keep(p); err != nil {
				t.Fatal(err)
			}
		}
		link := filepath.Join(w.config.State, "live", "mx9") // of a lineage that is not configured now
		if err := os.Symlink(filepath.Join("..", "stash", string(linked.ID())), link); err != nil {
			t.Fatal(err)
		}
		w.close(a)
		stashed := func(what string, want ...certwatch.Pair) {
			t.Helper()
			a := w.open()
			defer w.close(a)
			var ids []tlsa.ChainID
			for _, p := range want {
				ids = append(ids, p.ID())
			}
			slices.Sort(ids)
			if got, err := a.rooms.Stash.List(); err != nil || !slices.Equal(got, ids) {
				t.Errorf("%s: the stash holds %v, %v; want %v", what, got, err, ids)
			}
		}
		path := filepath.Join(w.config.State, "journal.db")
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		stashed("the journal is lost", first, stranger, linked)
		a = w.open()
		w.goOn(a, time.Hour, isSteady("mx1", first)) // by now the new journal knows something
		w.close(a)
		stashed("the journal is new", first, stranger, linked)
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
		stashed("started again", first, linked)
	})
}
