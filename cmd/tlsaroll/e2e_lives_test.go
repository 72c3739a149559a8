package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// The lives of a host have a shorter TTL than the rollovers: more happens in them.
const (
	lifeTTL  = 5 * time.Second
	lifeIpub = lifeTTL + labFloor
)

// foreignRecord stands beside ours in every life, and is never touched.
var foreignRecord = []string{lab.Owner(25) + " 5 IN TLSA " + someoneElses}

// statusOf is what status --json says of one lineage, and of no lineage.
func (h *host) statusOf(name string) (rollover.LineageStatus, []rollover.Warning) {
	h.t.Helper()
	out, _ := h.must(exitDone, "status", "--json", name)
	var s rollover.Status
	if err := json.Unmarshal([]byte(out.String()), &s); err != nil {
		h.t.Fatalf("status --json: %v\n%s", err, out)
	}
	return s.Lineages[0], s.Warnings
}

// says is that status has a code, with a sentence that has all the parts in it.
func says(code rollover.Code, parts ...string) func(rollover.LineageStatus) bool {
	fits := func(text string) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
	}
	return func(s rollover.LineageStatus) bool {
		return slices.ContainsFunc(s.Waiting, func(r rollover.Reason) bool { return r.Code == code && fits(r.Text) }) ||
			slices.ContainsFunc(s.Warnings, func(w rollover.Warning) bool { return w.Code == code && fits(w.Text) })
	}
}

// saysNot is that a code is not there, or no longer.
func saysNot(code rollover.Code) func(rollover.LineageStatus) bool {
	return func(s rollover.LineageStatus) bool { return !says(code)(s) }
}

// calm is that a pair is live and served, and there is nothing to say.
func calm(p *lab.Pair) func(rollover.LineageStatus) bool {
	return func(s rollover.LineageStatus) bool { return live(p)(s) && len(s.Warnings) == 0 }
}

// published is that a pair's records are everywhere.
func published(p *lab.Pair) func(rollover.LineageStatus) bool {
	return func(s rollover.LineageStatus) bool {
		return succeeds(p)(s) && s.Successor.Phase == rollover.Published && s.Successor.ReadyAt != nil
	}
}

// eventuallyTold waits until a warning that is about no lineage is there, or gone.
func (h *host) eventuallyTold(limit time.Duration, code rollover.Code, there bool, parts ...string) {
	h.t.Helper()
	for end := time.Now().Add(patience * limit); ; time.Sleep(pollTests) {
		_, told := h.statusOf("mx1")
		if says(code, parts...)(rollover.LineageStatus{Warnings: told}) == there {
			return
		}
		if time.Now().After(end) {
			h.t.Fatalf("%s %v after %s: want %t; told is %v", code, parts, limit, there, told)
		}
	}
}

// isLive is that a pair is the live one.
func isLive(p *lab.Pair) func(rollover.LineageStatus) bool {
	return func(s rollover.LineageStatus) bool { return s.Live != nil && s.Live.Leaf == leafID(p) }
}

// succeeds is that a pair is the successor.
func succeeds(p *lab.Pair) func(rollover.LineageStatus) bool {
	return func(s rollover.LineageStatus) bool { return s.Successor != nil && s.Successor.Leaf == leafID(p) }
}

// swapsInTime waits until a successor is live, and wants its swap when it was ready as
// status said it last: not before, and a second later at most.
func (h *host) swapsInTime(limit time.Duration, p *lab.Pair) (ready, at time.Time) {
	h.t.Helper()
	h.eventually(limit, "swapped", func(s rollover.LineageStatus) bool {
		if succeeds(p)(s) && s.Successor.ReadyAt != nil {
			ready = *s.Successor.ReadyAt
		}
		return isLive(p)(s)
	})
	at = h.switched()
	h.inTime("ready", ready, at)
	return ready, at
}

// inTime wants a swap at most a second after a moment, and not before.
func (h *host) inTime(what string, moment, swapped time.Time) {
	h.t.Helper()
	over := swapped.Sub(moment)
	h.t.Logf("%s at %s, swapped at %s: overhead %s", what, clock(moment), clock(swapped), over.Round(time.Millisecond))
	// The time of a file is that of the kernel's last tick.
	if late := time.Second + h.Late(moment); over < -10*time.Millisecond || over > late {
		h.t.Errorf("swapped %s after it was %s, want 0s to %s", over, what, late)
	}
}

// switched is when the live link was last renamed into its place.
func (h *host) switched() time.Time {
	h.t.Helper()
	link, err := os.Lstat(filepath.Join(h.Dir, "tlsaroll", "live", "mx1"))
	if err != nil {
		h.t.Fatal(err)
	}
	return link.ModTime()
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// ends waits for the end of a daemon.
func (h *host) ends(d *lab.Daemon) (code int) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 15*time.Second)
	defer cancel()
	code, err := d.Wait(ctx)
	if err != nil {
		h.t.Fatalf("%v\n%s", err, d)
	}
	return code
}

// restarted ends the daemon with a signal, and starts it again.
func (h *host) restarted(d *lab.Daemon, sig syscall.Signal) *lab.Daemon {
	h.t.Helper()
	d.Signal(h.t, sig)
	h.ends(d)
	return h.run()
}

// logged shows what a daemon said, if the test fails.
func logged(t *testing.T, d *lab.Daemon) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(d)
		}
	})
}
