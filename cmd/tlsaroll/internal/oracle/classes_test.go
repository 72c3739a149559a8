package oracle

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Shapes whose leaf is not for the host.
var elsewhere = []string{"for another host", "wildcard for the wrong level", "common name beside another name", "no name"}

// partial is for the host if part of a label may be a wildcard.
const partial = "wildcard in a part of a label"

// undefined reports whether every record has a usage or selector that no RFC defines.
func undefined(c *testCase) bool {
	return !slices.ContainsFunc(c.records, func(a tlsa.Association) bool { return a.Usage <= tlsa.DANEEE && a.Selector <= tlsa.SPKI })
}

// in reports whether the case is of one of some shapes.
func (c *testCase) in(shapes ...string) bool { return slices.Contains(shapes, c.shape) }

// has reports whether there is that record of p.
func (c *testCase) has(combination string, p party) bool {
	return slices.ContainsFunc(c.records, func(a tlsa.Association) bool { return a.Params == params(combination) && isOf(a, p) })
}

// names reports whether a record of that usage has p's data.
func (c *testCase) names(u tlsa.Usage, p party) bool {
	return slices.ContainsFunc(c.records, func(a tlsa.Association) bool { return a.Usage == u && isOf(a, p) })
}

// hits reports whether a record of one of some usages has the data of a certificate that is
// presented where the usage looks for it.
func (c *testCase) hits(usages ...tlsa.Usage) bool {
	for _, u := range usages {
		where := c.house.chain[1:]
		if u == tlsa.PKIXEE || u == tlsa.DANEEE {
			where = c.house.chain[:1]
		}
		if slices.ContainsFunc(where, func(p party) bool { return c.names(u, p) }) {
			return true
		}
	}
	return false
}

func isOf(a tlsa.Association, p party) bool {
	b, err := tlsa.Associate(a.Params, p.Certificate)
	return err == nil && a == b
}
