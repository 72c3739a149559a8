package tlsa_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A house is what the tests of RFC 7671, section 8 are about: a server that
// changes from one chain to another.
type house struct {
	root, otherRoot    party
	now, next          party // same issuer
	moved              party // another issuer
	chain, nextChain   *tlsa.Chain
	movedChain, noRoot *tlsa.Chain
}

func newHouse(t testing.TB) house {
	h := house{root: issueCA(t, party{}, "Root"), otherRoot: issueCA(t, party{}, "Other Root")}
	h.now, h.next, h.moved = issueLeaf(t, h.root), issueLeaf(t, h.root), issueLeaf(t, h.otherRoot)
	h.chain, h.nextChain = present(t, h.now, h.root), present(t, h.next, h.root)
	h.movedChain, h.noRoot = present(t, h.moved, h.otherRoot), present(t, h.now)
	return h
}

var smtp = tlsa.Reference{Names: []string{host}, Time: now, SMTP: true}

func TestVouches(t *testing.T) {
	h := newHouse(t)
	r := func(combination string, p party) tlsa.Association { return record(t, combination, p) }
	short := r("3 1 1", h.now)
	short.Data = short.Data[:40]
	private := tlsa.Association{tlsa.Params{tlsa.DANEEE, tlsa.SPKI, 255}, "ab"}
	for _, test := range []struct {
		name          string
		records       []tlsa.Association
		chain         *tlsa.Chain
		vouches       tlsa.Kind // empty: it does
		combination   string
		authenticates tlsa.Kind
	}{
		{name: "a denial vouches for anything", chain: h.chain},
		{name: "8.1: the current key alone", records: []tlsa.Association{r("3 1 1", h.now)}, chain: h.chain},
		{name: "8.1: the current key alone, for the next chain", records: []tlsa.Association{r("3 1 1", h.now)}, chain: h.nextChain,
			vouches: tlsa.KindNoMatch, combination: "3 1 1", authenticates: tlsa.KindNoMatch},
		{name: "8.1: the future key beside the current one", records: []tlsa.Association{r("3 1 1", h.now), r("3 1 1", h.next)}, chain: h.chain},
		{name: "8.1: the same, for the next chain", records: []tlsa.Association{r("3 1 1", h.now), r("3 1 1", h.next)}, chain: h.nextChain},
		{name: "8.1: a new combination for the existing chain", records: []tlsa.Association{r("3 1 1", h.now), r("3 0 1", h.now)}, chain: h.chain},
		{name: "8.1: a new combination for a future chain only", records: []tlsa.Association{r("3 1 1", h.now), r("3 0 1", h.next)}, chain: h.chain,
			vouches: tlsa.KindNoMatch, combination: "3 0 1"},
		{name: "8.2: 3 1 1 of both chains", records: []tlsa.Association{r("3 1 1", h.now), r("3 1 1", h.moved)}, chain: h.movedChain},
		{name: "8.2: 3 1 1 matches only the current key and 2 0 1 only the future chain", records: []tlsa.Association{r("3 1 1", h.now), r("2 0 1", h.otherRoot)}, chain: h.chain,
			vouches: tlsa.KindNoAnchor, combination: "2 0 1"},
		{name: "8.2: the same, for the future chain", records: []tlsa.Association{r("3 1 1", h.now), r("2 0 1", h.otherRoot)}, chain: h.movedChain,
			vouches: tlsa.KindNoMatch, combination: "3 1 1"},
		{name: "8.3: a new digest for each key", records: []tlsa.Association{r("3 1 1", h.now), r("3 1 2", h.now), r("3 1 1", h.next), r("3 1 2", h.next)}, chain: h.nextChain},
		{name: "8.3: a new digest for the next key only breaks clients at once", records: []tlsa.Association{r("3 1 1", h.now), r("3 1 1", h.next), r("3 1 2", h.next)}, chain: h.chain,
			vouches: tlsa.KindNoMatch, combination: "3 1 2", authenticates: tlsa.KindNoMatch},
		{name: "8.3: an old digest for the next key only", records: []tlsa.Association{r("3 1 2", h.now), r("3 1 1", h.next)}, chain: h.chain,
			vouches: tlsa.KindNoMatch, combination: "3 1 1"},
		{name: "8.4: the issuer beside the key", records: []tlsa.Association{r("3 1 1", h.now), r("2 1 1", h.root)}, chain: h.chain},
		{name: "8.4: a renewal under the same issuer with an unknown key", records: []tlsa.Association{r("3 1 1", h.now), r("2 1 1", h.root)}, chain: h.nextChain,
			vouches: tlsa.KindNoMatch, combination: "3 1 1"},
		{name: "an issuer that is not in the current chain", records: []tlsa.Association{r("3 1 1", h.now), r("2 1 1", h.otherRoot)}, chain: h.chain,
			vouches: tlsa.KindNoAnchor, combination: "2 1 1"},
		{name: "a spare issuer beside the current one", records: []tlsa.Association{r("2 1 1", h.root), r("2 1 1", h.otherRoot)}, chain: h.chain},
		{name: "5.2: the anchor is left out of the chain", records: []tlsa.Association{r("2 1 1", h.root)}, chain: h.noRoot,
			vouches: tlsa.KindNoAnchor, combination: "2 1 1", authenticates: tlsa.KindNoAnchor},
		{name: "5.2.2: the anchor is in 2 0 0", records: []tlsa.Association{r("2 0 0", h.root)}, chain: h.noRoot},
		{name: "5.2.2: other records need it in the chain all the same", records: []tlsa.Association{r("2 0 0", h.root), r("2 0 1", h.root)}, chain: h.noRoot,
			vouches: tlsa.KindNoAnchor, combination: "2 0 1"},
		{name: "5.2.3: servers cannot rely on 2 1 0 without it", records: []tlsa.Association{r("2 1 0", h.root)}, chain: h.noRoot,
			vouches: tlsa.KindNoAnchor, combination: "2 1 0"},
		{name: "5.2.3: 2 1 0 with it", records: []tlsa.Association{r("2 1 0", h.root)}, chain: h.chain},
		{name: "a malformed record beside a good one", records: []tlsa.Association{short, r("3 1 1", h.now)}, chain: h.chain},
		{name: "a malformed record beside another key's", records: []tlsa.Association{short, r("3 1 1", h.next)}, chain: h.chain,
			vouches: tlsa.KindNoMatch, combination: "3 1 1", authenticates: tlsa.KindNoMatch},
		{name: "a private matching type beside a good record", records: []tlsa.Association{private, r("3 1 1", h.now)}, chain: h.chain},
		{name: "all is unusable", records: []tlsa.Association{short, private, r("1 1 1", h.next), r("0 0 1", h.otherRoot)}, chain: h.chain},
	} {
		t.Run(test.name, func(t *testing.T) {
			rrset := tlsa.NewRRset(0, test.records...)
			err := rrset.Vouches(test.chain, smtp)
			if got := kindOf(err); got != test.vouches {
				t.Fatalf("Vouches: got %q (%v), want %q", got, err, test.vouches)
			}
			var miss *tlsa.MatchError
			if errors.As(err, &miss) && miss.Association.Params.String() != test.combination {
				t.Errorf("Vouches blames %v, want %s", miss.Association, test.combination)
			}
			if got := kindOf(rrset.Authenticates(test.chain, smtp)); got != test.authenticates {
				t.Errorf("Authenticates: got %q, want %q", got, test.authenticates)
			}
			for _, p := range rrset.Combinations(smtp) {
				err := rrset.VouchesFor(p, test.chain, smtp)
				if kindOf(err) == tlsa.KindUnusable || err != nil && test.vouches == "" {
					t.Errorf("VouchesFor(%s): %v", p, err)
				}
			}
		})
	}
}

func kindOf(err error) tlsa.Kind {
	var miss *tlsa.MatchError
	if errors.As(err, &miss) {
		return miss.Kind
	}
	return ""
}

// TestVouchesForEveryClient holds Vouches against the clients of RFC 7671, section
// 8: each supports some of the combinations, with digest agility or without.
func TestVouchesForEveryClient(t *testing.T) {
	h := newHouse(t)
	var pool []tlsa.Association
	for _, p := range []party{h.now, h.next, h.root, h.otherRoot} {
		for _, combination := range []string{"2 0 1", "2 1 1", "2 1 2", "3 0 1", "3 0 2", "3 1 0", "3 1 1", "3 1 2"} {
			pool = append(pool, record(t, combination, p))
		}
	}
	rng := rand.New(rand.NewPCG(7671, 8))
	vouched := 0
	for range 3000 {
		var records []tlsa.Association
		for _, i := range rng.Perm(len(pool))[:1+rng.IntN(6)] {
			records = append(records, pool[i])
		}
		rrset := tlsa.NewRRset(0, records...)
		combinations := rrset.Combinations(smtp)
		all := true
		for supported := 1; supported < 1<<len(combinations); supported++ {
			var seen []tlsa.Association
			for _, a := range rrset.Associations {
				if supported>>slices.Index(combinations, a.Params)&1 == 1 {
					seen = append(seen, a)
				}
			}
			plain := slices.ContainsFunc(seen, func(a tlsa.Association) bool {
				_, err := h.chain.Match(a, smtp)
				return err == nil
			})
			agile := tlsa.NewRRset(0, seen...).Authenticates(h.chain, smtp) == nil
			if agile && !plain {
				t.Fatalf("%v: accepted with digest agility, refused without", seen)
			}
			all = all && plain && agile
		}
		err := rrset.Vouches(h.chain, smtp)
		if (err == nil) != all {
			t.Fatalf("%v: every client accepts: %t; Vouches: %v", rrset.Associations, all, err)
		}
		if all {
			vouched++
		}
	}
	if vouched < 30 {
		t.Errorf("only %d RRsets vouched: nothing much was tested", vouched)
	}
}

func TestVouchesForUnusable(t *testing.T) {
	h := newHouse(t)
	rrset := tlsa.NewRRset(0, record(t, "1 1 1", h.now), record(t, "3 1 1", h.next))
	for p, want := range map[tlsa.Params]string{
		tlsa.EE:                               "tlsa " + shortly(record(t, "3 1 1", h.next)) + ": the leaf has another key",
		tlsa.TA:                               "tlsa 2 1 1: unusable: there is no record",
		{tlsa.PKIXEE, tlsa.SPKI, tlsa.SHA256}: "tlsa " + shortly(record(t, "1 1 1", h.now)) + ": unusable: the PKIX usages are not for SMTP (RFC 7672, section 3.1.3)",
	} {
		if err := rrset.VouchesFor(p, h.chain, smtp); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", p, err, want)
		}
	}
	if _, _, err := (tlsa.RRset{}).MatchedBy(h.chain, smtp); err == nil || err.Error() != "tlsa: unusable: there is no record" {
		t.Errorf("a denial: %v", err)
	}
	want := []tlsa.Params{{tlsa.PKIXEE, tlsa.SPKI, tlsa.SHA256}, tlsa.EE}
	if got := rrset.Combinations(tlsa.Reference{}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := rrset.Combinations(smtp); !slices.Equal(got, want[1:]) {
		t.Errorf("got %v, want %v", got, want[1:])
	}
}

func shortly(a tlsa.Association) string { return a.Params.String() + " " + a.Data[:16] + "…" }
