package agent

import (
	"crypto/rand"
	"crypto/rsa"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestEndpointsAreAudited: what a check would find wrong with an endpoint is told
// within one look, and is gone with the one after it was mended. So it is where no
// record matches what is served: whoever is told of that later reads it in the news.
func TestEndpointsAreAudited(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	inWorld(t, func(t *testing.T, w *world) {
		first := w.ca.issue(t, mx1)
		w.lineage("mx1")
		w.serve("mx1", first)
		a := w.open()
		defer w.close(a)
		r := w.goOn(a, time.Hour, isSteady("mx1", first))
		if told := toldOf(r, "mx1"); told != "" {
			t.Errorf("of a healthy endpoint it is told: %s", told)
		}
		time.Sleep(w.config.Timing.Look)
		for _, step := range []struct {
			pair certwatch.Pair
			told bool
		}{{w.ca.issueFor(t, weak, 24*time.Hour, mx1), true}, {first, false}} {
			w.present("192.0.2.25:25", step.pair)
			begun := time.Now()
			w.goOn(a, time.Hour, func(r Report) bool {
				told := toldOf(r, "mx1")
				return strings.Contains(told, string(rollover.CodeKeyWeak)) == step.told && strings.Contains(told, string(rollover.CodeServedUnmatched)) == step.told
			})
			if took := time.Since(begun); took > w.config.Timing.Look+time.Second {
				t.Errorf("told %t after %s, with a look each %s", step.told, took, w.config.Timing.Look)
			}
		}
	})
}

// present has a server present another pair than the one installed.
func (w *world) present(address string, p certwatch.Pair) {
	w.t.Helper()
	s := w.services[address]
	s.path = filepath.Join(w.dir, "other.pem")
	w.write(s.path, slices.Concat(p.Key.PEM(), p.ChainPEM()))
	if err := s.reload(); err != nil {
		w.t.Fatal(err)
	}
}

// toldOf are the codes of what is told of a lineage.
func toldOf(r Report, lineage string) string {
	var codes []string
	for _, warning := range r.State.Lineages[lineage].Warnings {
		codes = append(codes, string(warning.Code))
	}
	return strings.Join(codes, " ")
}
