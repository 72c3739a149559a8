package main

import (
	"context"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// What an idle daemon may use, and how soon it takes up a renewal.
const (
	residentMost = 40 << 20 // octets, with one lineage
	shareMost    = 0.003    // of a core: a third of it on a machine that is not busy with other tests
	takeUpMost   = 500 * time.Millisecond
)

// TestFigures measures the program as it is released. First it looks at everything each
// second, which tells what one look costs. Then it goes by the default timing, as long as
// a minute, for what it uses between looks: the share of a core is that, and a look as
// often as the default has it. At the end a renewal is noticed without waiting for a poll.
func TestFigures(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 1}, setting{})
	h.program = lab.BuildProgram(t, "github.com/tlsaroll/tlsaroll/cmd/tlsaroll")
	h.configure(setting{staged: staged(h.Lego())})
	d := h.run()
	h.eventually(30*time.Second, "calm", calm(h.Live))
	const looks = 20
	busy := h.used(d, looks*time.Second)

	h.configure(setting{staged: staged(h.Lego()), look: "15m", poll: "1m"})
	d = h.stopped(d)
	logged(t, d)
	h.eventually(30*time.Second, "calm", calm(h.Live))
	const idle = 65 * time.Second // there is a poll in it
	quiet := h.used(d, idle)
	perLook := busy.CPU / looks
	share := float64(quiet.CPU)/float64(idle) + float64(perLook)/float64(15*time.Minute)
	t.Logf("resident: %.1f MB after looks each second, %.1f MB idle (most: %.1f MB)", megabytes(busy.RSS), megabytes(quiet.RSS), megabytes(quiet.Peak))
	t.Logf("processor: %s a look, %s in %s between looks: %.4f %% of a core", perLook, quiet.CPU, idle, 100*share)
	if busy.RSS > residentMost || quiet.RSS > residentMost {
		t.Errorf("resident: more than %.0f MB", megabytes(residentMost))
	}
	if share > shareMost {
		t.Errorf("processor: more than %.1f %%", 100*shareMost)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, next)
	renewed := time.Now()
	published, err := d.Line(ctx, renewed, "publish "+lab.Owner(25))
	if err != nil {
		t.Fatal(err)
	}
	took := published.At.Sub(renewed) - time.Second
	t.Logf("from the staged files' replacement to the first update of DNS: quiet and %s", took.Round(time.Millisecond))
	if took > takeUpMost+h.Late(published.At) {
		t.Errorf("from the staged files' replacement to the first update of DNS: quiet and %s, want %s at most", took, takeUpMost)
	}
}

func megabytes(octets int64) float64 { return float64(octets) / (1 << 20) }

// used is what a daemon has resident at the end of a span, and its processor time in it.
func (h *host) used(d *lab.Daemon, span time.Duration) lab.Usage {
	h.t.Helper()
	before, err := d.Usage()
	if err != nil {
		h.t.Fatal(err)
	}
	time.Sleep(span) // this is a measurement
	after, err := d.Usage()
	if err != nil {
		h.t.Fatal(err)
	}
	after.CPU -= before.CPU
	return after
}
