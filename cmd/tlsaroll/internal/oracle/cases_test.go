package oracle

import (
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A testCase is a question to a DANE client.
type testCase struct {
	number  int
	name    string
	shape   string
	house   house
	records []tlsa.Association
	strange party // a CA certificate that has to do with none of the chain
	next    party // another leaf of the same host
}

func (c *testCase) label() string { return fmt.Sprintf("c%03d", c.number) }

// host is its place in the lab's zone.
func (c *testCase) host() string { return c.label() + ".example.org" }

func (c *testCase) String() string {
	var rs []string
	for _, a := range c.records {
		rs = append(rs, fmt.Sprintf("%s %.12s…(%d)", a.Params, a.Data, len(a.Data)/2))
	}
	return fmt.Sprintf("%s (%s, %s): %s", c.name, c.shape, c.label(), strings.Join(rs, ", "))
}

// uses reports whether a record has one of some usages.
func (c *testCase) uses(usages ...tlsa.Usage) bool {
	return slices.ContainsFunc(c.records, func(a tlsa.Association) bool { return slices.Contains(usages, a.Usage) })
}

// ours is what rollover/tlsa answers.
func (c *testCase) ours(t testing.TB, at time.Time, smtp bool) answer {
	t.Helper()
	certs := make([]*x509.Certificate, len(c.house.chain))
	for i, p := range c.house.chain {
		certs[i] = p.Certificate
	}
	chain, err := tlsa.NewChain(certs...)
	if err != nil {
		t.Fatal(err)
	}
	ref := tlsa.Reference{Names: []string{c.host()}, Time: at, SMTP: smtp, Roots: []*x509.Certificate{c.house.root.Certificate}}
	_, depth, err := tlsa.NewRRset(0, c.records...).MatchedBy(chain, ref)
	return judged(depth, err)
}

// seed makes the draws the same ones each time.
const seed = 7671

// A drawing draws cases.
type drawing struct {
	*pki
	rng    *rand.Rand
	shapes []shape
	cases  []*testCase
}

// draw gives every case.
func draw(t testing.TB, now time.Time) []*testCase {
	p := &pki{t: t, now: now}
	d := &drawing{pki: p, rng: rand.New(rand.NewPCG(seed, seed)), shapes: p.shapes()}
	d.everyCombination()
	d.everyShape()
	d.malformed()
	d.mixtures()
	d.lots(40)
	return d.cases
}

// add adds a case of a shape, whose records are made when its chain is.
func (d *drawing) add(shapeName, name string, records func(c *testCase) []tlsa.Association) {
	d.t.Helper()
	for _, s := range d.shapes {
		if s.name != shapeName {
			continue
		}
		c := &testCase{number: len(d.cases) + 1, name: name, shape: shapeName}
		c.house = s.build(c.host())
		c.next, c.strange = d.leaf(c.house.inter, c.host()), d.ca(party{}, "Strange")
		c.records = records(c)
		d.cases = append(d.cases, c)
		return
	}
	d.t.Fatalf("no shape %q", shapeName)
}

// one is the case of one record.
func (d *drawing) one(shapeName, name string, p tlsa.Params, of func(c *testCase) party) {
	d.t.Helper()
	d.add(shapeName, p.String()+" of "+name, func(c *testCase) []tlsa.Association { return []tlsa.Association{of(c).data(d.t, p)} })
}

// Whom a record names.
func leaf(c *testCase) party    { return c.house.leaf }
func inter(c *testCase) party   { return c.house.inter }
func root(c *testCase) party    { return c.house.root }
func next(c *testCase) party    { return c.next }
func strange(c *testCase) party { return c.strange }

// everyCombination has all usages, selectors and matching types, of the right certificate
// and of a wrong one.
func (d *drawing) everyCombination() {
	for usage := range tlsa.Usage(4) {
		for selector := range tlsa.Selector(2) {
			for matching := range tlsa.MatchingType(3) {
				p := tlsa.Params{Usage: usage, Selector: selector, Matching: matching}
				if usage == tlsa.PKIXEE || usage == tlsa.DANEEE {
					d.one(ordinary, "the leaf", p, leaf)
					d.one(ordinary, "another leaf", p, next)
					continue
				}
				d.one(ordinary, "the intermediate", p, inter)
				d.one(ordinary, "the root", p, root)
				d.one(ordinary, "a stranger", p, strange)
			}
		}
	}
}

// everyShape has for each shape a record of the leaf, of the CAs, of a CA in full, and one
// of the PKIX usages; how, is drawn.
func (d *drawing) everyShape() {
	for _, s := range d.shapes {
		if s.name == ordinary {
			continue
		}
		selector := func() tlsa.Selector { return tlsa.Selector(d.rng.IntN(2)) }
		digest := func() tlsa.MatchingType { return tlsa.MatchingType(1 + d.rng.IntN(2)) }
		d.one(s.name, "the leaf", tlsa.Params{Usage: tlsa.DANEEE, Selector: selector(), Matching: tlsa.MatchingType(d.rng.IntN(3))}, leaf)
		d.one(s.name, "the intermediate", tlsa.Params{Usage: tlsa.DANETA, Selector: selector(), Matching: digest()}, inter)
		d.one(s.name, "the root", tlsa.Params{Usage: tlsa.DANETA, Selector: selector(), Matching: digest()}, root)
		d.one(s.name, "the root", tlsa.Params{Usage: tlsa.DANETA, Selector: selector(), Matching: tlsa.Full}, root)
		if d.rng.IntN(2) == 0 {
			d.one(s.name, "the leaf", tlsa.Params{Usage: tlsa.PKIXEE, Selector: selector(), Matching: digest()}, leaf)
		} else {
			d.one(s.name, "the root", tlsa.Params{Usage: tlsa.PKIXTA, Selector: selector(), Matching: digest()}, root)
		}
	}
	// A trust anchor that is in DNS alone, above a leaf that stands alone.
	d.one("the leaf alone", "the intermediate", tlsa.Params{Usage: tlsa.DANETA, Selector: tlsa.Cert, Matching: tlsa.Full}, inter)
	d.one("the leaf alone", "the intermediate", tlsa.Params{Usage: tlsa.DANETA, Selector: tlsa.SPKI, Matching: tlsa.Full}, inter)
	for _, s := range []string{"without the root", "cross-signed"} {
		d.one(s, "the root", tlsa.Params{Usage: tlsa.DANETA, Selector: tlsa.Cert, Matching: tlsa.Full}, root)
		d.one(s, "the root", tlsa.Params{Usage: tlsa.DANETA, Selector: tlsa.SPKI, Matching: tlsa.Full}, root)
	}
}

// lots mixes two to four records of any kind, right and wrong, beside any chain.
func (d *drawing) lots(n int) {
	whom := []func(*testCase) party{leaf, inter, root, next, strange}
	for range n {
		s := d.shapes[d.rng.IntN(len(d.shapes))]
		d.add(s.name, "a lot", func(c *testCase) []tlsa.Association {
			var as []tlsa.Association
			for range 2 + d.rng.IntN(3) {
				p := tlsa.Params{Usage: tlsa.Usage(d.rng.IntN(4)), Selector: tlsa.Selector(d.rng.IntN(2)), Matching: tlsa.MatchingType(d.rng.IntN(3))}
				as = append(as, whom[d.rng.IntN(len(whom))](c).data(d.t, p))
			}
			return as
		})
	}
}
