package oracle

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// atOnce is how many clients run at a time.
const atOnce = 4

// owner is the TLSA owner name of a case.
func (a *assembly) owner(c *testCase) string { return owner(a.port, c) }

func owner(port uint16, c *testCase) string { return fmt.Sprintf("_%d._tcp.%s.", port, c.host()) }

// A reply is what a client answers to a case.
type reply struct {
	client client
	c      *testCase
	answer answer
	said   string
	err    error
}

func TestOracles(t *testing.T) {
	s := startServer(t)
	now := time.Now()
	cases := draw(t, now)
	if len(cases) < 200 {
		t.Errorf("%d cases, want 200 at least", len(cases))
	}
	var lines []string
	for _, c := range cases {
		s.present(c.host(), c.house.chain)
		lines = append(lines, fmt.Sprintf("%s. 3600 A 127.0.0.1", c.host()))
		for _, r := range tlsa.NewRRset(0, c.records...).Associations {
			lines = append(lines, fmt.Sprintf("%s 3600 TLSA %s", owner(s.port, c), r))
		}
	}
	a := &assembly{Lab: lab.Start(t, lab.Options{Oracles: true, Resolvers: atOnce, Records: lines}), server: s, dir: t.TempDir()}
	known := disagreements()
	explained := make([]int, len(known))
	agreed, asked := map[string]int{}, 0
	for _, r := range a.askAll(t.Context(), cases) {
		asked++
		ours := r.c.ours(t, now, r.client.smtp)
		switch {
		case r.err != nil:
			t.Errorf("%s: %v\n%s", r.c, r.err, r.said)
		case r.answer.agrees(ours):
			agreed[r.client.name]++
			if i := slices.IndexFunc(known, func(d disagreement) bool { return d.covers(r, ours) }); i >= 0 {
				t.Errorf("%s: %s %s as here; this is no case of: %s", r.c, r.client.name, r.answer, known[i])
			}
		default:
			i := slices.IndexFunc(known, func(d disagreement) bool { return d.explains(r, ours) })
			if i < 0 {
				t.Errorf("%s: %s %s; here it %s, and nobody knows why\n%s", r.c, r.client.name, r.answer, ours, r.said)
				continue
			}
			explained[i]++
		}
	}
	for i, d := range known {
		if explained[i] == 0 {
			t.Errorf("there is none left: %s", d)
		}
		t.Logf("%d times: %s", explained[i], d)
	}
	t.Logf("%d cases, %d questions, the same answer from %v", len(cases), asked, agreed)
}

// askAll puts every case to every client, a few at once.
func (a *assembly) askAll(ctx context.Context, cases []*testCase) []reply {
	var mu sync.Mutex
	var replies []reply
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, c := range cases {
		for _, cl := range clients() {
			group.Go(func() error {
				answer, said, err := cl.ask(ctx, a, c)
				if err != nil { // a machine that is busy may have no time for a lookup
					answer, said, err = cl.ask(ctx, a, c)
				}
				mu.Lock()
				defer mu.Unlock()
				replies = append(replies, reply{cl, c, answer, said, err})
				return nil
			})
		}
	}
	_ = group.Wait() // each reply has its error
	return replies
}
