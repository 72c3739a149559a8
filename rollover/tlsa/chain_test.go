package tlsa_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestChain(t *testing.T) {
	root := issueCA(t, party{}, "Root")
	inter := issueCA(t, root, "Intermediate")
	leaf := issueLeaf(t, inter, dns("MX1.example.org", "*.Example.net"))
	c := present(t, leaf, inter, root)

	hash := func(parts ...[]byte) string {
		sum := sha256.Sum256(slices.Concat(parts...))
		return hex.EncodeToString(sum[:])
	}
	for what, got := range map[string][2]string{
		"ID":     {string(c.ID()), hash(leaf.Raw, inter.Raw, root.Raw)},
		"Short":  {c.ID().Short(), hash(leaf.Raw, inter.Raw, root.Raw)[:8]},
		"LeafID": {c.LeafID(), hash(leaf.Raw)},
		"SPKI":   {c.SPKI(), hash(leaf.RawSubjectPublicKeyInfo)},
		"Names":  {fmt.Sprint(c.Names()), "[mx1.example.org *.example.net]"},
		"ends":   {c.NotAfter().String(), end.String()},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: got %s, want %s", what, got[0], got[1])
		}
	}
	if c.Leaf() != leaf.Certificate || len(c.Certificates()) != 3 {
		t.Error("the certificates are others")
	}
	if other := present(t, leaf, inter); other.ID() == c.ID() || other.LeafID() != c.LeafID() {
		t.Error("the same leaf with another intermediate is another chain")
	}
	if tlsa.ChainID("ab").Short() != "ab" {
		t.Error("a short ID is cut")
	}
}

func TestChainAssociation(t *testing.T) {
	root := issueCA(t, party{}, "Root")
	leaf := issueLeaf(t, root)
	c := present(t, leaf, root)
	for _, test := range []struct {
		combination string
		index       int
		of          party
	}{
		{"3 1 1", 0, leaf}, {"3 1 1", 1, leaf}, {"1 0 2", 1, leaf},
		{"2 1 1", 1, root}, {"2 0 0", 1, root}, {"0 0 1", 1, root}, {"2 1 2", 0, leaf},
	} {
		want := record(t, test.combination, test.of)
		if got, err := c.Association(want.Params, test.index); err != nil || got != want {
			t.Errorf("%s at %d: got %v, %v", test.combination, test.index, got, err)
		}
	}
	for _, index := range []int{-1, 2} {
		want := fmt.Sprintf("certificate chain: no certificate at index %d of 2", index)
		if _, err := c.Association(tlsa.TA, index); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestChainNames(t *testing.T) {
	cn := func(name string) trait { return with(func(c *x509.Certificate) { c.Subject.CommonName = name }) }
	for _, test := range []struct {
		name string
		leaf party
		want []string
	}{
		{"SAN", issueLeaf(t, party{}), []string{host}},
		{"SAN and CN", issueLeaf(t, party{}, cn("www.example.org")), []string{host}},
		{"CN", issueLeaf(t, party{}, dns(), cn("WWW.example.org")), []string{"www.example.org"}},
		{"neither", issueLeaf(t, party{}, dns()), nil},
		{"CN that is no host name", issueLeaf(t, party{}, dns(), cn("Example Mail Server")), nil},
		{"CN with a trailing dot", issueLeaf(t, party{}, dns(), cn("www.example.org.")), nil},
		{"CN that folds to ASCII", issueLeaf(t, party{}, dns(), cn("\u212a.example.org")), nil},
		{"SAN that is no host name, CN that is one", issueLeaf(t, party{}, dns("a b"), cn(host)), nil},
	} {
		if got := present(t, test.leaf).Names(); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestChainPath(t *testing.T) {
	root := issueCA(t, party{}, "Root")
	inter := issueCA(t, root, "Intermediate")
	renewed := issueCA(t, root, "Intermediate", keyed(inter.key), dated(now, end.AddDate(1, 0, 0)))
	leaf := issueLeaf(t, inter)
	c := present(t, leaf, root, renewed, inter)
	for name, test := range map[string]struct{ got, want []*x509.Certificate }{
		"before the renewal": {c.Path(begin), []*x509.Certificate{leaf.Certificate, inter.Certificate, root.Certificate}},
		"after it":           {c.Path(now), []*x509.Certificate{leaf.Certificate, renewed.Certificate, root.Certificate}},
		"when all are over":  {c.Path(end.AddDate(9, 0, 0)), []*x509.Certificate{leaf.Certificate, renewed.Certificate, root.Certificate}},
		"of a leaf alone":    {present(t, leaf, root).Path(now), []*x509.Certificate{leaf.Certificate}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: %d certificates", name, len(test.got))
		}
	}
}

func TestChainOfNothing(t *testing.T) {
	leaf := issueLeaf(t, party{})
	for name, test := range map[string]struct {
		make func() (*tlsa.Chain, error)
		want string
	}{
		"no certificates": {func() (*tlsa.Chain, error) { return tlsa.NewChain() }, "certificate chain: empty"},
		"a nil one":       {func() (*tlsa.Chain, error) { return tlsa.NewChain(leaf.Certificate, nil) }, "certificate 1 of the chain: not parsed from DER"},
		"a made-up one":   {func() (*tlsa.Chain, error) { return tlsa.NewChain(&x509.Certificate{}) }, "certificate 0 of the chain: not parsed from DER"},
		"not DER":         {func() (*tlsa.Chain, error) { return tlsa.ParseChain(leaf.Raw, []byte("x")) }, "certificate 1 of the chain: x509: malformed certificate"},
		"no DER at all":   {func() (*tlsa.Chain, error) { return tlsa.ParseChain() }, "certificate chain: empty"},
	} {
		if c, err := test.make(); c != nil || err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, %v", name, c, err)
		}
	}
}

func TestChainIsImmutable(t *testing.T) {
	root := issueCA(t, party{}, "Root")
	leaf := issueLeaf(t, root)
	certs := []*x509.Certificate{leaf.Certificate, root.Certificate}
	c, err := tlsa.NewChain(certs...)
	if err != nil {
		t.Fatal(err)
	}
	certs[0] = nil
	if c.Leaf() != leaf.Certificate {
		t.Error("the caller's slice is the chain's")
	}
}

func TestChainJSON(t *testing.T) {
	root := issueCA(t, party{}, "Root")
	leaf := issueLeaf(t, root)
	c := present(t, leaf, root)
	type state struct{ Live, Successor *tlsa.Chain }
	b, err := json.Marshal(state{Live: c})
	if err != nil {
		t.Fatal(err)
	}
	var got state
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Successor != nil || got.Live.ID() != c.ID() || !slices.Equal(got.Live.Names(), c.Names()) {
		t.Errorf("got %v", got)
	}
	if _, err := got.Live.Match(record(t, "2 1 1", root), smtp); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`{}`, `[]`, `[""]`, `["AAAA"]`, `[1]`, `"x"`} {
		got := present(t, leaf)
		if err := json.Unmarshal([]byte(bad), got); err == nil {
			t.Errorf("%s was read", bad)
		}
		if got.LeafID() != c.LeafID() {
			t.Errorf("%s: an error changed the chain", bad)
		}
	}
}
