package lab

import (
	"context"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// A metronome measures how busy the machine is: again and again it starts a process
// that does nothing, and notes how long that takes. A quiet machine does it within a few
// milliseconds.
type metronome struct {
	mu    sync.Mutex
	beats []beat
}

type beat struct {
	at   time.Time // its end
	took time.Duration
}

// beats a second cost a hundredth of a core.
const metronomeBeat = 500 * time.Millisecond

// startMetronome starts one that ends with the test.
func startMetronome(t testing.TB) *metronome {
	t.Helper()
	m := &metronome{}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	running.Go(func() {
		tick := time.NewTicker(metronomeBeat)
		defer tick.Stop()
		for ctx.Err() == nil {
			begun := time.Now()
			err := exec.CommandContext(ctx, "true").Run()
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				t.Errorf("metronome: %v", err)
				return
			}
			m.note(beat{time.Now(), time.Since(begun)})
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return m
}

func (m *metronome) note(b beat) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.beats = append(m.beats, b)
}

// passOfStarts is how many starts of a process cost about as much as what comes between a
// moment that was waited for and what is done then: every server looked at, the journal
// written, files copied and renamed, all with what else wants the processors in between.
const passOfStarts = 10

// Late is how late things may be around a moment, since the machine is busy: where
// lateness is what a test measures, that is beyond its limit, which is for a quiet one.
func (l *Lab) Late(moment time.Time) time.Duration {
	m := l.metronome
	const around = 10 * time.Second
	m.mu.Lock()
	defer m.mu.Unlock()
	var worst time.Duration
	for _, b := range m.beats {
		if b.at.Sub(moment).Abs() < around {
			worst = max(worst, b.took)
		}
	}
	return passOfStarts * worst
}
