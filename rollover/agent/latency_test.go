package agent

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// heard tells when a provider was first asked for a change.
type heard struct {
	dnsprovider.Provider
	at chan time.Time
}

func (h heard) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	select {
	case h.at <- time.Now():
	default: // not the first one
	}
	return h.Provider.Apply(ctx, zone, changes)
}

// TestFirstUpdateComesSoon: from when the last staged file is written, quiet passes,
// and then a moment until the provider has the change. Files, inotify and
// the clock are real here.
func TestFirstUpdateComesSoon(t *testing.T) {
	const quiet = time.Second
	w := newWorld(t, t.TempDir())
	defer w.serving.Wait()
	w.config.Quiet = quiet
	w.config.Watch = nil // as in a program
	h := heard{w.config.Providers[0].Provider, make(chan time.Time, 1)}
	w.config.Providers[0].Provider = h
	w.lineage("mx1")
	first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
	w.serve("mx1", first)
	w.stage("mx1", first)
	a := w.open()
	defer w.close(a)
	w.goOn(a, time.Minute, isSteady("mx1", first))

	ctx, stop := context.WithCancel(t.Context())
	ended, begun := make(chan error), make(chan struct{}, 1)
	go func() {
		ended <- a.Run(ctx, "", func(Report) bool {
			select {
			case begun <- struct{}{}:
			default:
			}
			return false
		})
	}()
	<-begun // files are watched
	w.stage("mx1", second)
	written := time.Now()
	select {
	case at := <-h.at:
		late := at.Sub(written) - quiet
		t.Logf("%s after the files were quiet", late)
		if late < -100*time.Millisecond || late > 10*time.Second { // a poll would come after a minute
			t.Errorf("the first update came %s after the files were quiet", late)
		}
	case <-time.After(time.Minute):
		t.Error("no update came")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !slices.Contains(w.stands(owner25(mx1)), record(t, second)) {
		t.Errorf("the zone holds %v", w.stands(owner25(mx1)))
	}
}
