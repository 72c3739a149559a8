package agent

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// BenchmarkSteadyRound looks at 2,000 lineages in 2,000 groups of one zone that have
// nothing on their way: every server, every endpoint, every file. It tells what one
// such round costs for a lineage.
func BenchmarkSteadyRound(b *testing.B) {
	const lineages = 2000
	w := newWorld(b, b.TempDir())
	var ahead atomic.Int64 // the clock is set by hand: what is due is due for all
	begun := time.Now()
	w.config.Clock.Boot = func() time.Duration { return time.Since(begun) + time.Duration(ahead.Load()) }
	w.config.Timing.Look, w.config.Timing.Poll = 15*time.Minute, time.Minute
	key := newKey(b)
	for i := range lineages {
		name := fmt.Sprintf("mx%d", i)
		w.lineage(name, fmt.Sprintf("10.0.%d.%d", i/250, 1+i%250))
		l := &w.config.Lineages[i]
		p := w.ca.issueFor(b, key, 90*24*time.Hour, name+".example.org")
		w.write(w.paths[name], append(p.Key.PEM(), p.ChainPEM()...))
		if err := w.services[fmt.Sprintf("10.0.%d.%d:25", i/250, 1+i%250)].reload(); err != nil {
			b.Fatal(err)
		}
		w.zone.Set(l.Policy.Endpoints[0].Owner, tlsa.NewRRset(recordTTL, record(b, p)))
	}
	w.zone.Transfer("ns2")
	a := w.open()
	defer w.close(a)
	defer w.serving.Wait()
	round := func() {
		left := map[string]bool{}
		for _, name := range a.Lineages() {
			left[name] = true
		}
		if err := a.Run(b.Context(), "", func(r Report) bool {
			l := r.State.Lineages[r.Lineages[0]]
			if !r.Changed && l.Live != "" && a.of[r.Lineages[0]].far == nil {
				delete(left, r.Lineages[0])
			}
			return len(left) == 0
		}); err != nil {
			b.Fatal(err)
		}
	}
	begin := time.Now()
	round()
	b.Logf("adopted %d lineages in %s", lineages, time.Since(begin).Round(time.Millisecond))
	ahead.Add(int64(time.Hour))
	round() // until the first versions are dead

	rounds := 0
	asked, served := w.questions(""), w.connectionsOfAll()
	for b.Loop() {
		ahead.Add(int64(15 * time.Minute))
		round()
		rounds++
	}
	perLineage := float64(rounds * lineages)
	b.ReportMetric(float64(b.Elapsed().Microseconds())/perLineage, "µs/lineage")
	b.ReportMetric(float64(w.questions("")-asked)/perLineage, "questions/lineage")
	b.ReportMetric(float64(w.connectionsOfAll()-served)/perLineage, "connections/lineage")
}

func (w *world) connectionsOfAll() int {
	n := 0
	for _, s := range w.services {
		n += s.connections()
	}
	return n
}

// BenchmarkIdlePoll reads the files of one lineage, and finds them as they were.
func BenchmarkIdlePoll(b *testing.B) {
	w := newWorld(b, b.TempDir())
	w.lineage("mx1")
	p := w.ca.issue(b, mx1)
	w.serve("mx1", p)
	w.stage("mx1", p)
	var ahead atomic.Int64
	begun := time.Now()
	w.config.Clock.Boot = func() time.Duration { return time.Since(begun) + time.Duration(ahead.Load()) }
	w.config.Timing.Look = 1000 * time.Hour
	a := w.open()
	defer w.close(a)
	defer w.serving.Wait()
	settled(b, a, "mx1")
	asked := w.questions("")
	for b.Loop() {
		ahead.Add(int64(time.Minute))
		mustPass(b, a, "mx1")
	}
	b.ReportMetric(float64(w.questions("")-asked)/float64(b.N), "questions/poll")
}
