package tlsa_test

import (
	"errors"
	"testing"

	. "github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestMatch(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			chain, rrset := present(t, s.chain...), NewRRset(0, s.records...)
			_, depth, err := rrset.MatchedBy(chain, s.reference())
			kind := Kind("")
			var miss *MatchError
			if errors.As(err, &miss) {
				kind, depth = miss.Kind, miss.Depth
			}
			if kind != s.want {
				t.Fatalf("got %q (%v), want %q", kind, err, s.want)
			}
			want := s.depth
			if want == 0 && (kind == KindNoMatch || kind == KindNoAnchor || kind == KindPath) {
				want = -1
			}
			if depth != want {
				t.Errorf("got depth %d, want %d", depth, want)
			}
			if auth := rrset.Authenticates(chain, s.reference()); (auth == nil) != (s.want == "") {
				t.Errorf("Authenticates: %v", auth)
			}
			t.Log(err)
		})
	}
}
