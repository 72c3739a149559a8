package certwatch

import (
	"testing"
)

func TestStashKeepsAPair(t *testing.T) {
	h := issue(t)
	p := pairFor(t, h.leaf, h.intermediate)
	s := Stash{Dir: t.TempDir() + "/stash"}
	if _, err := s.Put(p); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(p.ID())
	if err != nil {
		t.Fatal(err)
	}
	if got.ID() != p.ID() || string(got.Key.PEM()) != string(p.Key.PEM()) {
		t.Errorf("got %v, put %v", got, p)
	}
}
