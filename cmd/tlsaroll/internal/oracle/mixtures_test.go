package oracle

import (
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A named set of records.
type set struct {
	name    string
	records func(c *testCase) []tlsa.Association
}

// params reads a combination that is written right here.
func params(s string) tlsa.Params {
	p, err := tlsa.ParseParams(s)
	if err != nil {
		panic(err)
	}
	return p
}

// rec is a record of the case's.
func (d *drawing) rec(combination string, p party) tlsa.Association {
	return p.data(d.t, params(combination))
}

// cut and stretched are malformed: a digest with an octet too few, and one with one too many.
func cut(a tlsa.Association) tlsa.Association {
	a.Data = a.Data[:len(a.Data)-2]
	return a
}

func stretched(a tlsa.Association) tlsa.Association {
	a.Data += "00"
	return a
}

// as has the same data stand under other parameters.
func as(a tlsa.Association, combination string) tlsa.Association {
	a.Params = params(combination)
	return a
}

// malformed has records that no client can use, alone and beside others.
func (d *drawing) malformed() {
	digest := strings.Repeat("5a", 32)
	broken := []set{
		{"a digest cut short", func(c *testCase) []tlsa.Association { return []tlsa.Association{cut(d.rec("3 1 1", c.house.leaf))} }},
		{"a digest too long", func(c *testCase) []tlsa.Association {
			return []tlsa.Association{stretched(d.rec("3 1 1", c.house.leaf))}
		}},
		{"SHA2-256 as SHA2-512", func(c *testCase) []tlsa.Association {
			return []tlsa.Association{as(d.rec("3 1 1", c.house.leaf), "3 1 2")}
		}},
		{"a digest in full", func(c *testCase) []tlsa.Association {
			return []tlsa.Association{as(d.rec("3 1 1", c.house.leaf), "3 1 0")}
		}},
		{"a certificate in full, cut short", func(c *testCase) []tlsa.Association {
			return []tlsa.Association{cut(d.rec("3 0 0", c.house.leaf))}
		}},
		{"a CA's key in full, cut short", func(c *testCase) []tlsa.Association {
			return []tlsa.Association{cut(d.rec("2 1 0", c.house.inter))}
		}},
		{"usage 4", func(c *testCase) []tlsa.Association {
			return []tlsa.Association{as(d.rec("3 1 1", c.house.leaf), "4 1 1")}
		}},
		{"usage 255", func(c *testCase) []tlsa.Association {
			return []tlsa.Association{as(d.rec("3 1 1", c.house.leaf), "255 1 1")}
		}},
		{"selector 2", func(c *testCase) []tlsa.Association {
			return []tlsa.Association{as(d.rec("3 1 1", c.house.leaf), "3 2 1")}
		}},
		{"matching type 3", func(c *testCase) []tlsa.Association {
			return []tlsa.Association{as(d.rec("3 1 1", c.house.leaf), "3 1 3")}
		}},
	}
	for _, b := range broken {
		d.add(ordinary, b.name, b.records)
		d.add(ordinary, b.name+", beside a good one", func(c *testCase) []tlsa.Association {
			return append(b.records(c), d.rec("3 1 1", c.house.leaf))
		})
		d.add(ordinary, b.name+", beside a wrong one", func(c *testCase) []tlsa.Association {
			return append(b.records(c), tlsa.Association{Params: tlsa.EE, Data: digest})
		})
	}
	d.add(ordinary, "the key's digest as the certificate's", func(c *testCase) []tlsa.Association {
		return []tlsa.Association{as(d.rec("3 1 1", c.house.leaf), "3 0 1")}
	})
	d.add(ordinary, "the certificate's digest as the key's", func(c *testCase) []tlsa.Association {
		return []tlsa.Association{as(d.rec("2 0 1", c.house.inter), "2 1 1")}
	})
}

// mixtures has sets in which one record matters to another.
func (d *drawing) mixtures() {
	for _, s := range []set{
		{"agility: only the weaker digest is right", d.these("3 1 1", leaf, "3 1 2", next)},
		{"agility: only the stronger digest is right", d.these("3 1 1", next, "3 1 2", leaf)},
		{"agility: the full key is never passed over", d.these("3 1 0", leaf, "3 1 2", next)},
		{"agility: another selector is another question", d.these("3 0 1", leaf, "3 1 2", next)},
		{"agility: another usage is another question", d.these("2 1 1", inter, "3 1 2", next)},
		{"agility: DANE-TA, only the weaker digest is right", d.these("2 0 1", inter, "2 0 2", strange)},
		{"agility: DANE-TA, the weaker digest is of another CA in the chain", d.these("2 1 1", root, "2 1 2", inter)},
		{"agility: a malformed digest does not outdo another", func(c *testCase) []tlsa.Association {
			return []tlsa.Association{d.rec("3 1 1", c.house.leaf), cut(d.rec("3 1 2", c.next))}
		}},
		{"agility: PKIX usages", d.these("1 1 1", leaf, "1 1 2", next)},
		{"the leaf that comes and the one that is", d.these("3 1 1", next, "3 1 1", leaf)},
		{"another leaf, and the issuer", d.these("3 1 1", next, "2 1 1", inter)},
		{"the leaf, and another issuer", d.these("3 1 1", leaf, "2 1 1", strange)},
		{"the leaf and its issuer", d.these("3 1 1", leaf, "2 1 1", inter)},
		{"two of the CAs", d.these("2 1 1", root, "2 0 1", inter)},
		{"a PKIX usage that is right, and another leaf", d.these("1 1 1", leaf, "3 1 1", next)},
		{"a PKIX usage that is wrong, and the leaf", d.these("1 1 1", next, "3 1 1", leaf)},
		{"a PKIX usage of the root, and another issuer", d.these("0 0 1", root, "2 0 1", strange)},
		{"two PKIX usages", d.these("0 1 1", inter, "1 0 1", leaf)},
		{"every usage at once", d.these("0 1 1", strange, "1 1 1", next, "2 1 1", root, "3 1 1", next)},
	} {
		d.add(ordinary, s.name, s.records)
	}
	for _, s := range []set{
		{"another host, the leaf and its issuer", d.these("3 1 1", leaf, "2 1 1", inter)},
		{"another host, another leaf and the issuer", d.these("3 1 1", next, "2 1 1", inter)},
	} {
		d.add("for another host", s.name, s.records)
	}
	d.add("the leaf alone", "two CA certificates, in DNS alone", d.these("2 0 0", inter, "2 0 0", root))
	d.add("the leaf alone", "the intermediate in full lends the root its way", d.these("2 0 0", inter, "2 0 1", root))
	d.add("the leaf alone", "a PKIX usage finds its way by a record", d.these("1 1 1", leaf, "0 0 0", inter))
	d.add("the leaf ended", "the leaf and its issuer", d.these("3 1 1", leaf, "2 1 1", inter))
}

// these are records by turns of combination and whom it names.
func (d *drawing) these(pairs ...any) func(c *testCase) []tlsa.Association {
	return func(c *testCase) (as []tlsa.Association) {
		for i := 0; i < len(pairs); i += 2 {
			as = append(as, d.rec(pairs[i].(string), pairs[i+1].(func(*testCase) party)(c)))
		}
		return as
	}
}
