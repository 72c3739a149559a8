package tlsa_test

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// With the CAs that the client trusts, the leaf must chain up to one of them (RFC 7671,
// sections 5.3 and 5.4), and that one may be what PKIX-TA names.
func TestMatchTrusted(t *testing.T) {
	root, other := issueCA(t, party{}, "Root"), issueCA(t, party{}, "Other")
	inter := issueCA(t, root, "Intermediate")
	late := issueCA(t, root, "Late", dated(begin, now.Add(-time.Hour)))
	short := issueCA(t, party{}, "Short", with(func(c *x509.Certificate) { c.MaxPathLenZero = true }))
	underShort := issueCA(t, short, "Under short")
	leaf, self := issueLeaf(t, inter), issueLeaf(t, party{})
	lateLeaf := issueLeaf(t, inter, dated(begin, now.Add(-time.Hour)))
	for _, test := range []struct {
		name   string
		record tlsa.Association
		chain  []party
		roots  []party
		want   tlsa.Kind
		depth  int
		reason string
	}{
		{name: "the leaf", record: record(t, "1 1 1", leaf), chain: []party{leaf, inter}, roots: []party{root}},
		{name: "another leaf", record: record(t, "1 0 2", self), chain: []party{leaf, inter}, roots: []party{root}, want: tlsa.KindNoMatch, depth: -1},
		{name: "nobody is trusted", record: record(t, "1 1 1", leaf), chain: []party{leaf, inter, root}, roots: []party{}, want: tlsa.KindUntrusted,
			reason: "the leaf does not chain up to a trusted CA: x509: certificate signed by unknown authority"},
		{name: "another CA is trusted", record: record(t, "0 1 1", root), chain: []party{leaf, inter, root}, roots: []party{other}, want: tlsa.KindUntrusted, depth: -1},
		{name: "a self-signed leaf", record: record(t, "1 1 1", self), chain: []party{self}, roots: []party{root}, want: tlsa.KindUntrusted},
		{name: "a gap", record: record(t, "1 1 1", leaf), chain: []party{leaf}, roots: []party{root}, want: tlsa.KindUntrusted},
		{name: "the root, which only the client holds", record: record(t, "0 0 1", root), chain: []party{leaf, inter}, roots: []party{other, root}, depth: 2},
		{name: "the intermediate", record: record(t, "0 1 0", inter), chain: []party{leaf, inter}, roots: []party{root}, depth: 1},
		{name: "beyond a trusted intermediate", record: record(t, "0 1 1", root), chain: []party{leaf}, roots: []party{inter, root}, depth: 2},
		{name: "the leaf is no trust anchor", record: record(t, "0 1 1", leaf), chain: []party{leaf, inter}, roots: []party{root}, want: tlsa.KindNoAnchor, depth: -1,
			reason: "no certificate between the leaf and a trusted CA has this key"},
		{name: "a CA that is not on the way", record: record(t, "0 0 2", other), chain: []party{leaf, inter, other}, roots: []party{root, other}, want: tlsa.KindNoAnchor, depth: -1},
		{name: "the leaf ended", record: record(t, "1 1 1", lateLeaf), chain: []party{lateLeaf, inter}, roots: []party{root}, want: tlsa.KindDates,
			reason: "the certificate at depth 0 ended at 2026-06-01T11:00:00Z"},
		{name: "the intermediate ended", record: record(t, "0 1 1", root), chain: []party{issueLeaf(t, late), late}, roots: []party{root}, want: tlsa.KindDates, depth: -1,
			reason: "the certificate at depth 1 ended at 2026-06-01T11:00:00Z"},
		{name: "a constraint", record: record(t, "0 1 1", short), chain: []party{issueLeaf(t, underShort), underShort}, roots: []party{short}, want: tlsa.KindUntrusted, depth: -1},
		{name: "another host", record: record(t, "0 1 1", root), chain: []party{issueLeaf(t, root, dns("mx2.example.org"))}, roots: []party{root}, want: tlsa.KindNames, depth: 1,
			reason: "the leaf is for mx2.example.org, not for mx1.example.org"},
		{name: "usages 2 and 3 ask for no trusted CA", record: record(t, "2 1 1", inter), chain: []party{leaf, inter}, roots: []party{other}, depth: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			ref := tlsa.Reference{Names: []string{host}, Time: now, Roots: []*x509.Certificate{}}
			for _, root := range test.roots {
				ref.Roots = append(ref.Roots, root.Certificate)
			}
			depth, err := present(t, test.chain...).Match(test.record, ref)
			var miss *tlsa.MatchError
			if errors.As(err, &miss) {
				depth = miss.Depth
			}
			if kindOf(err) != test.want || depth != test.depth || test.reason != "" && miss.Reason() != test.reason {
				t.Errorf("got depth %d, %v\nwant depth %d, %q %s", depth, err, test.depth, test.want, test.reason)
			}
			ref.SMTP = true
			if _, err := present(t, test.chain...).Match(test.record, ref); test.record.Usage < tlsa.DANETA && kindOf(err) != tlsa.KindUnusable {
				t.Errorf("for SMTP: got %v", err)
			}
		})
	}
}
