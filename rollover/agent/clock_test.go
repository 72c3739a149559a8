package agent

import (
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
)

// TestBegin: no jump of a clock, and no reboot, shortens a wait.
func TestBegin(t *testing.T) {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	last := journal.Stamp{BootID: "one", Boot: time.Hour, Wall: epoch, Time: epoch.Add(3 * time.Second), Vouched: true}
	behind := last // when nobody vouched for the wall clock
	behind.Vouched = false
	for _, test := range []struct {
		name         string
		last         journal.Stamp
		bootID       string
		boot         time.Duration
		wall         time.Time
		synchronised bool
		want         time.Time
		trusted      bool
	}{
		{"first start", journal.Stamp{}, "one", time.Hour, epoch, true, epoch, true},
		{"first start, not synchronised", journal.Stamp{}, "one", time.Hour, epoch, false, epoch, true},

		{"same boot", last, "one", 2 * time.Hour, epoch.Add(time.Hour), true, epoch.Add(time.Hour + 3*time.Second), true},
		{"same boot, at once", last, "one", time.Hour, epoch, true, epoch.Add(3 * time.Second), true},
		{"same boot, not synchronised", last, "one", 2 * time.Hour, epoch.Add(time.Hour), false, epoch.Add(time.Hour + 3*time.Second), true},
		{"same boot, the wall drifted a little", last, "one", 2 * time.Hour, epoch.Add(time.Hour + 50*time.Second), true, epoch.Add(time.Hour + 3*time.Second), true},
		{"same boot, the wall was set forward", last, "one", 2 * time.Hour, epoch.Add(25 * time.Hour), true, epoch.Add(25 * time.Hour), false},
		{"same boot, the wall was set back", last, "one", 2 * time.Hour, epoch.Add(-23 * time.Hour), true, epoch.Add(-23 * time.Hour), false},
		{"same boot, an unsynchronised wall says forward", last, "one", 2 * time.Hour, epoch.Add(25 * time.Hour), false, epoch.Add(time.Hour + 3*time.Second), true},
		{"same boot, an unsynchronised wall says back", last, "one", 2 * time.Hour, epoch.Add(-25 * time.Hour), false, epoch.Add(time.Hour + 3*time.Second), true},

		{"reboot", last, "two", time.Minute, epoch.Add(10 * time.Minute), true, epoch.Add(10*time.Minute + 3*time.Second), true},
		{"reboot, not synchronised", last, "two", time.Minute, epoch.Add(10 * time.Minute), false, epoch.Add(10 * time.Minute), false},
		{"reboot, not synchronised, a dead battery", last, "two", time.Minute, time.Unix(0, 0), false, last.Time, false},
		{"reboot, the wall is before the last written one", last, "two", time.Minute, epoch.Add(-time.Minute), true, epoch.Add(-time.Minute), false},
		{"reboot, the wall is between the last one and our own", last, "two", time.Minute, epoch.Add(time.Second), true, epoch.Add(4 * time.Second), true},
		{"reboot, nobody vouched for the last one", behind, "two", time.Minute, epoch.Add(33 * time.Hour), true, epoch.Add(33 * time.Hour), false},
		{"same boot, nobody vouched for the last one", behind, "one", 2 * time.Hour, epoch.Add(time.Hour), true, epoch.Add(time.Hour + 3*time.Second), true},
		{"reboot, our own time was behind the wall", journal.Stamp{BootID: "one", Boot: time.Hour, Wall: epoch, Time: epoch.Add(-20 * time.Second), Vouched: true}, "two", time.Minute, epoch.Add(10 * time.Minute), true, epoch.Add(10*time.Minute - 20*time.Second), true},
		{"no boot id", last, "", 2 * time.Hour, epoch.Add(time.Hour), true, epoch.Add(time.Hour + 3*time.Second), true},
		{"no boot id, then or now", journal.Stamp{Boot: time.Hour, Wall: epoch, Time: epoch}, "", 2 * time.Hour, epoch.Add(time.Hour), false, epoch.Add(time.Hour), false},
		{"a snapshot was restored: same boot id, an earlier boot clock", last, "one", time.Minute, epoch.Add(time.Hour), true, epoch.Add(time.Hour + 3*time.Second), true},
		{"a snapshot was restored, not synchronised", last, "one", time.Minute, epoch.Add(time.Hour), false, epoch.Add(time.Hour), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			boot := test.boot
			c := Clock{Wall: func() time.Time { return test.wall }, Boot: func() time.Duration { return boot }, BootID: test.bootID, Synchronised: func() bool { return test.synchronised }}
			s, trusted := begin(c, test.last)
			if got := s.now(); !got.Equal(test.want) || trusted != test.trusted {
				t.Errorf("it is %s (trusted: %t), want %s (%t)", got, trusted, test.want, test.trusted)
			}
			boot += time.Minute
			if got, want := s.now(), test.want.Add(time.Minute); !got.Equal(want) {
				t.Errorf("a minute later it is %s, want %s", got, want)
			}
			if got, want := s.stamp(), (journal.Stamp{BootID: test.bootID, Boot: boot, Wall: test.wall.UTC(), Time: test.want.Add(time.Minute).UTC(), Vouched: test.synchronised && test.want.Add(time.Minute).Sub(test.wall).Abs() <= tolerance}); got != want {
				t.Errorf("stamp %+v, want %+v", got, want)
			}
		})
	}
}

// TestWallClockIsSet: a process goes on by its own time, and says so once.
func TestWallClockIsSet(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var jump time.Duration
		w.config.Clock.Wall = func() time.Time { return time.Now().Add(jump) }
		a, _ := adopted(w)
		defer w.close(a)
		before := a.Now()
		jump = 48 * time.Hour
		for range 3 {
			mustPass(t, a, "mx1")
			time.Sleep(time.Minute)
		}
		if got := a.Now().Sub(before); got > 4*time.Minute {
			t.Errorf("three minutes took %s", got)
		}
		if n := w.log.count("the wall clock was set"); n != 1 || !strings.Contains(w.log.String(), "ahead=48h0m0s") {
			t.Errorf("told %d times: %s", n, w.log)
		}
		jump = 0
		mustPass(t, a, "mx1")
		if n := w.log.count("the wall clock is right again"); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

// TestWaitsStartAgain: a host that was rebooted with a clock that nobody vouches
// for waits again, one with a good clock does not.
func TestWaitsStartAgain(t *testing.T) {
	for _, synchronised := range []bool{true, false} {
		inWorld(t, func(t *testing.T, w *world) {
			a, _ := adopted(w)
			second := w.ca.issue(t, mx1)
			w.stage("mx1", second)
			w.goOn(a, 10*time.Minute, func(r Report) bool { return !r.State.Lineages["mx1"].ReadyAt.IsZero() })
			w.close(a)
			time.Sleep(ipub - 10*time.Second)
			w.config.Clock.BootID, w.config.Clock.Synchronised = "another boot", func() bool { return synchronised }
			begun := time.Now()
			a = w.open()
			defer w.close(a)
			w.goOn(a, 10*time.Minute, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
			took := time.Since(begun)
			if synchronised && took > 20*time.Second || !synchronised && took < ipub {
				t.Errorf("synchronised %t: swapped %s after the reboot", synchronised, took)
			}
			if told := w.log.count("cannot be trusted: open waits start again") == 1; told == synchronised {
				t.Errorf("synchronised %t: told is %t", synchronised, told)
			}
		})
	}
}
