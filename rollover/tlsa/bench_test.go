package tlsa_test

import (
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func BenchmarkVouches(b *testing.B) {
	h := newHouse(b)
	for _, bench := range []struct {
		name    string
		records []tlsa.Association
		chain   *tlsa.Chain
		vouches bool
	}{
		{"CurrentAndNext", []tlsa.Association{record(b, "3 1 1", h.now), record(b, "3 1 1", h.next)}, h.nextChain, true},
		{"CurrentAndIssuer", []tlsa.Association{record(b, "3 1 1", h.now), record(b, "2 1 1", h.root)}, h.chain, true},
		{"Neither", []tlsa.Association{record(b, "3 1 1", h.now), record(b, "3 1 1", h.next)}, h.movedChain, false},
		{"FullKey", []tlsa.Association{record(b, "3 1 0", h.now), record(b, "3 1 0", h.next)}, h.nextChain, true},
	} {
		rrset := tlsa.NewRRset(0, bench.records...)
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := rrset.Vouches(bench.chain, smtp); (err == nil) != bench.vouches {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewChain(b *testing.B) {
	root := issueCA(b, party{}, "Root")
	inter := issueCA(b, root, "Intermediate")
	leaf := issueLeaf(b, inter)
	for b.Loop() {
		if _, err := tlsa.ParseChain(leaf.Raw, inter.Raw, root.Raw); err != nil {
			b.Fatal(err)
		}
	}
}
