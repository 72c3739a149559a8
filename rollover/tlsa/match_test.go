package tlsa_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestMatch(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			chain, rrset := present(t, s.chain...), tlsa.NewRRset(0, s.records...)
			_, depth, err := rrset.MatchedBy(chain, s.reference())
			kind := tlsa.Kind("")
			var miss *tlsa.MatchError
			if errors.As(err, &miss) {
				kind, depth = miss.Kind, miss.Depth
			}
			if kind != s.want {
				t.Fatalf("got %q (%v), want %q", kind, err, s.want)
			}
			want := s.depth
			if want == 0 && (kind == tlsa.KindNoMatch || kind == tlsa.KindNoAnchor || kind == tlsa.KindPath) {
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

func TestMatchReasons(t *testing.T) {
	old := issueCA(t, party{}, "Old Root")
	root := issueCA(t, party{}, "Root")
	cross := issueCA(t, old, "Root", keyed(root.key))
	short := issueCA(t, party{}, "Short", with(func(c *x509.Certificate) { c.MaxPathLenZero = true }))
	inter, shortInter := issueCA(t, root, "Intermediate"), issueCA(t, short, "Intermediate")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaRoot := issueCA(t, party{}, "RSA Root", keyed(rsaKey))
	sha1 := issueLeaf(t, rsaRoot, with(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }))
	leaf, nameless := issueLeaf(t, inter), issueLeaf(t, inter, dns())
	several := issueLeaf(t, inter, dns("a.example.org", "*.b.example.org"))
	late := issueLeaf(t, inter, dated(begin, now.Add(-time.Hour)))
	lateInter := issueCA(t, root, "Late intermediate", dated(begin, now.Add(-time.Hour)))
	later := issueCA(t, root, "Intermediate", keyed(inter.key), dated(now.Add(time.Hour), end))
	for _, test := range []struct {
		name        string
		chain       []party
		combination string
		of          party
		names       []string
		want        string
	}{
		{"another leaf", []party{leaf}, "3 0 1", late, nil, "the leaf has another certificate"},
		{"another key", []party{leaf}, "3 1 1", late, nil, "the leaf has another key"},
		{"no anchor", []party{leaf, inter}, "2 0 1", root, []string{host},
			"no certificate above the leaf has this certificate (hint: the chain that the server sends must include the trust anchor)"},
		{"no anchor's key", []party{leaf, inter}, "2 1 1", root, []string{host},
			"no certificate above the leaf has this key (hint: the chain that the server sends must include the trust anchor)"},
		{"a gap", []party{leaf, root}, "2 1 1", root, []string{host},
			`the leaf does not chain up to the trust anchor: the chain lacks a CA certificate of "CN=Intermediate", which issued the certificate at depth 0`},
		{"the path ends", []party{leaf, inter, root, cross, old}, "2 1 1", old, []string{host},
			"the leaf does not chain up to the trust anchor: the path ends at the self-signed certificate at depth 2"},
		{"a weak signature", []party{sha1, rsaRoot}, "2 1 1", rsaRoot, []string{host},
			"the leaf does not chain up to the trust anchor: the signature on the certificate at depth 0: x509: cannot verify signature: insecure algorithm SHA1-RSA"},
		{"a constraint", []party{issueLeaf(t, shortInter), shortInter, short}, "2 1 1", short, []string{host},
			"the leaf does not chain up to the trust anchor: x509: too many intermediates for path length constraint"},
		{"late", []party{late, inter, root}, "2 1 1", root, []string{host}, "the certificate at depth 0 ended at 2026-06-01T11:00:00Z"},
		{"late twice", []party{issueLeaf(t, lateInter, dated(begin, now.Add(-time.Minute))), lateInter}, "2 1 1", lateInter, []string{host},
			"the certificate at depth 0 ended at 2026-06-01T11:59:00Z"},
		{"early", []party{leaf, later, root}, "2 1 1", root, []string{host}, "the certificate at depth 1 begins at 2026-06-01T13:00:00Z"},
		{"names", []party{several, inter}, "2 1 1", inter, []string{host, "example.org"},
			"the leaf is for a.example.org, *.b.example.org, not for mx1.example.org or example.org"},
		{"no names", []party{nameless, inter}, "2 1 1", inter, []string{host}, "the leaf is for no host, not for mx1.example.org"},
		{"no name asked for", []party{leaf, inter}, "2 1 1", inter, nil,
			"the leaf is for mx1.example.org, and no name was asked for (hint: all but DANE-EE needs one)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := record(t, test.combination, test.of)
			_, err := present(t, test.chain...).Match(a, tlsa.Reference{Names: test.names, Time: now, SMTP: true})
			var miss *tlsa.MatchError
			if !errors.As(err, &miss) || miss.Reason() != test.want {
				t.Fatalf("got  %v\nwant %s", err, test.want)
			}
			if want := "tlsa " + shortly(a) + ": " + test.want; err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// RFC 7672, section 3.2.2: the TLSA base domain, the next-hop domain, and what
// that is an alias of; any one of them is enough.
func TestMatchAnyName(t *testing.T) {
	root := issueCA(t, party{}, "Root")
	leaf := issueLeaf(t, root, dns("example.org"))
	chain, ta := present(t, leaf, root), record(t, "2 1 1", root)
	for _, names := range [][]string{{"example.org"}, {host, "example.org"}, {host, "example.com", "example.org"}} {
		if _, err := chain.Match(ta, tlsa.Reference{Names: names, Time: now}); err != nil {
			t.Error(err)
		}
	}
	if _, err := chain.Match(ta, tlsa.Reference{Names: []string{host, "example.com"}, Time: now}); kindOf(err) != tlsa.KindNames {
		t.Errorf("got %v", err)
	}
	if !chain.IsFor("example.org") || chain.IsFor(host) {
		t.Error("IsFor: the leaf is for example.org and no other")
	}
}

// RFC 7673 does not rule usages 0 and 1 out; with them names and dates count,
// for the leaf too.
func TestMatchPKIX(t *testing.T) {
	root := issueCA(t, party{}, "Root")
	leaf, late := issueLeaf(t, root), issueLeaf(t, root, dated(begin, now.Add(-time.Hour)))
	for _, test := range []struct {
		record tlsa.Association
		chain  *tlsa.Chain
		names  []string
		want   tlsa.Kind
	}{
		{record(t, "1 1 1", leaf), present(t, leaf), []string{host}, ""},
		{record(t, "1 1 1", leaf), present(t, leaf), []string{"mx2.example.org"}, tlsa.KindNames},
		{record(t, "1 0 1", late), present(t, late), []string{host}, tlsa.KindDates},
		{record(t, "0 1 1", root), present(t, leaf, root), []string{host}, ""},
		{record(t, "0 1 1", root), present(t, leaf, root), []string{"mx2.example.org"}, tlsa.KindNames},
		{record(t, "0 0 1", root), present(t, late, root), []string{host}, tlsa.KindDates},
		{record(t, "0 0 1", root), present(t, leaf), []string{host}, tlsa.KindNoAnchor},
		{record(t, "0 0 0", root), present(t, leaf), []string{host}, tlsa.KindNoAnchor},
	} {
		ref := tlsa.Reference{Names: test.names, Time: now}
		if _, err := test.chain.Match(test.record, ref); kindOf(err) != test.want {
			t.Errorf("%s: got %v, want %q", test.record.Params, err, test.want)
		}
		ref.SMTP = true
		if _, err := test.chain.Match(test.record, ref); kindOf(err) != tlsa.KindUnusable {
			t.Errorf("%s for SMTP: got %v", test.record.Params, err)
		}
	}
}

// A chain is what a stranger presents: the work for it must have an end.
func TestMatchMaze(t *testing.T) {
	for name, maze := range map[string]func(testing.TB) []party{"mesh": mesh, "ladder": ladder} {
		t.Run(name, func(t *testing.T) {
			parties := maze(t)
			start := time.Now()
			chain := present(t, parties...)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			if _, err := chain.Match(record(t, "3 1 1", parties[0]), smtp); err != nil {
				t.Error(err)
			}
			if depth, err := chain.Match(record(t, "2 1 1", parties[1]), smtp); depth != 1 || err != nil {
				t.Error(depth, err)
			}
			path := chain.Path(now)
			for i, cert := range path {
				if slices.Contains(path[:i], cert) {
					t.Errorf("the path passes hop %d twice", i)
				}
				if i > 0 && path[i-1].CheckSignatureFrom(cert) != nil {
					t.Errorf("hop %d did not issue the one before it", i)
				}
			}
		})
	}
}

// mesh is a leaf and eight CAs that have all certified each other, which makes
// some hundred thousand paths.
func mesh(t testing.TB) []party {
	var cas [8]party
	for i := range cas {
		cas[i] = issueCA(t, party{}, fmt.Sprint("CA ", i))
	}
	parties := []party{issueLeaf(t, cas[0])}
	for i := range cas {
		for j := range cas {
			if i != j {
				parties = append(parties, issueCA(t, cas[j], fmt.Sprint("CA ", i), keyed(cas[i].key)))
			}
		}
	}
	return parties
}

// ladder is a leaf below sixteen CAs of two certificates each: few signatures,
// many ways up.
func ladder(t testing.TB) (parties []party) {
	issuer := issueCA(t, party{}, "Root")
	for i := range 16 {
		name := fmt.Sprint("CA ", i)
		left := issueCA(t, issuer, name)
		right := issueCA(t, issuer, name, keyed(left.key))
		parties = append(parties, right, left)
		issuer = left
	}
	parties = append(parties, issueLeaf(t, issuer))
	slices.Reverse(parties)
	return parties
}
