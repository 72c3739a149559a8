package main

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// anyMoment is where the daemon is killed that does not kill itself.
const anyMoment = "at any moment"

// A score is what all lives came to.
type score struct {
	mu                 sync.Mutex
	kills              map[string]int  // by point
	open               map[string]bool // points at which nobody was killed yet
	lives              int
	rollovers, undone  int
	handshakes, failed int
}

func newScore(t *testing.T) *score {
	t.Helper()
	text, err := os.ReadFile("../../rollover/internal/failpoint/points.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := &score{kills: map[string]int{}, open: map[string]bool{}}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			s.open[line] = true
		}
	}
	for _, point := range orderPoints { // TestKilledInOrders passes those
		if !s.open[point] {
			t.Errorf("points.txt: there is no %q", point)
		}
		delete(s.open, point)
	}
	return s
}

func (s *score) killed(point string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kills[point]++
	delete(s.open, point)
}

// first reports whether a life is the first to ask.
func (s *score) first() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lives++
	return s.lives == 1
}

func (s *score) ended(undone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if undone {
		s.undone++
	} else {
		s.rollovers++
	}
}

func (s *score) shook(c lab.Counts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handshakes += c.Total
	s.failed += c.Failed
}

// unhit are the points at which nobody was killed yet.
func (s *score) unhit() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.open))
}

// rarest are the points, those first at which the fewest were killed.
func (s *score) rarest(random *rand.Rand) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	points := slices.AppendSeq(slices.Collect(maps.Keys(s.open)), maps.Keys(s.kills))
	points = slices.DeleteFunc(points, func(point string) bool { return point == anyMoment })
	slices.Sort(points)
	random.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	slices.SortStableFunc(points, func(a, b string) int { return cmp.Compare(s.kills[a], s.kills[b]) })
	return points
}

// at is how often the daemon was killed at a point.
func (s *score) at(point string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kills[point]
}

func (s *score) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, kills := range s.kills {
		n += kills
	}
	return n
}

// String are the figures.
func (s *score) String() string {
	total := s.total()
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%d kills at %d points and at any moment, %d rollovers finished, %d more undone, %d handshakes, %d failed",
		total, len(s.kills)-1, s.rollovers, s.undone, s.handshakes, s.failed)
	for _, point := range slices.Sorted(maps.Keys(s.kills)) {
		fmt.Fprintf(&b, "\n  %5d %s", s.kills[point], point)
	}
	return b.String()
}
