package tlsa_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// leaveOut skips a test and says what is lost; where everything is required
// that is a failure.
func leaveOut(t *testing.T, format string, args ...any) {
	t.Helper()
	what := "left out: " + t.Name() + ": " + fmt.Sprintf(format, args...)
	if os.Getenv("TLSAROLL_E2E") == "require" {
		t.Fatal(what + " (TLSAROLL_E2E=require)")
	}
	t.Skip(what)
}

// vector reads one of the vectors that others wrote. They are not part of this
// module, as their licences are their own: the folder stands beside it, or is
// named by TLSAROLL_VECTORS. Where it is named it must be there; a checkout alone
// has only the vectors of our own.
func vector(t *testing.T, name, what string) []byte {
	t.Helper()
	dir := os.Getenv("TLSAROLL_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if errors.Is(err, os.ErrNotExist) && os.Getenv("TLSAROLL_VECTORS") == "" {
		t.Skipf("left out: %s: %s: %v (hint: TLSAROLL_VECTORS names the folder; vectors of our own run in TestMatch)", t.Name(), what, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestRFC6698AppendixC(t *testing.T) {
	const what = "the 6 associations of RFC 6698, appendix C"
	der := vector(t, "rfc6698-appendix-c/cert.der", what)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Selector tlsa.Selector     `json:"selector"`
		Matching tlsa.MatchingType `json:"matching_type"`
		Data     string            `json:"data_hex"`
	}
	if err := json.Unmarshal(vector(t, "rfc6698-appendix-c/vectors.json", what), &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 6 {
		t.Fatalf("%d vectors, want 6", len(vectors))
	}
	chain, err := tlsa.NewChain(cert)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		p := tlsa.Params{tlsa.DANEEE, v.Selector, v.Matching}
		got, err := tlsa.Associate(p, cert)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.ToLower(v.Data); got.Data != want {
			t.Errorf("%s: got %s, want %s", p, got.Data, want)
		}
		printed, err := tlsa.ParseAssociation(p.String() + " " + v.Data)
		if err != nil || printed != got {
			t.Errorf("%s: as printed: %v, %v", p, printed, err)
		}
		if _, err := chain.Match(printed, tlsa.Reference{SMTP: true}); err != nil {
			t.Error(err)
		}
	}
}

// A daneTest is a block of danetest.in: records, a chain, and OpenSSL's verdict.
type daneTest struct {
	number  int
	counted int // records that the block says it has
	records []tlsa.Association
	chain   *tlsa.Chain
	result  int // an X509_V_ number
	depth   int
}

const (
	resultOK           = 0
	resultNoIssuer     = 20
	resultNameMismatch = 62
	resultNoMatch      = 65
)

// Of OpenSSL's 54 tests, 34 have usages 2 and 3 alone. All have the same end here, but
// for two.
func TestOpenSSLVectors(t *testing.T) {
	block, _ := pem.Decode(vector(t, "openssl/danetest.pem", "the trusted root of OpenSSL's DANE tests"))
	trusted, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	tests := readDANETests(t, "openssl/danetest.in", 54)
	dane := 0
	for _, test := range tests {
		if !test.pkix() {
			dane++
		}
		switch test.number {
		case 39:
			// OpenSSL takes the certificate in a 0 0 0 for a step on the way that a
			// 1 1 1 asks for. No RFC says so, and each record is judged by itself here.
			test.result, test.depth = resultNoIssuer, -1
		case 54:
			// OpenSSL checks names for DANE-EE unless told not to; RFC 7671, section
			// 5.1 and RFC 7672, section 3.2.1 forbid it.
			test.result = resultOK
		}
		t.Run(fmt.Sprint(test.number), func(t *testing.T) { test.check(t, "example.com", trusted) })
	}
	if dane != 34 {
		t.Errorf("%d of the tests have usages 2 and 3 alone, want 34", dane)
	}
	for _, test := range readDANETests(t, "openssl/dane-cross.in", 1) {
		t.Run("cross", func(t *testing.T) { test.check(t, "server.example", trusted) })
	}
}

// pkix reports whether a record needs what public CAs say.
func (test daneTest) pkix() bool {
	return slices.ContainsFunc(test.records[:test.counted], func(a tlsa.Association) bool { return a.Usage < tlsa.DANETA })
}

func (test daneTest) check(t *testing.T, name string, trusted *x509.Certificate) {
	ref := tlsa.Reference{Names: []string{name}, Time: now, Roots: []*x509.Certificate{trusted}}
	// Four blocks have a record more than they count. With it or without, the
	// verdict is the same.
	for _, rrset := range []tlsa.RRset{tlsa.NewRRset(0, test.records[:test.counted]...), tlsa.NewRRset(0, test.records...)} {
		a, depth, err := rrset.MatchedBy(test.chain, ref)
		switch result, missDepth := verdict(err); {
		case result != test.result:
			t.Errorf("got %d (%v), want %d", result, err, test.result)
		case err == nil && depth != test.depth:
			t.Errorf("%s matches at depth %d, want %d", a.Params, depth, test.depth)
		case err != nil && missDepth != test.depth:
			t.Errorf("got depth %d (%v), want %d", missDepth, err, test.depth)
		}
		if pkixOnly(rrset) {
			ref := ref
			ref.SMTP = true
			if err := rrset.Authenticates(test.chain, ref); err != nil {
				t.Errorf("usages 0 and 1 are unusable for SMTP: %v", err)
			}
		}
	}
}

func verdict(err error) (result, depth int) {
	var miss *tlsa.MatchError
	if !errors.As(err, &miss) {
		return resultOK, 0
	}
	switch miss.Kind {
	case tlsa.KindNoMatch, tlsa.KindNoAnchor:
		return resultNoMatch, miss.Depth
	case tlsa.KindNames:
		return resultNameMismatch, miss.Depth
	case tlsa.KindPath, tlsa.KindUntrusted:
		return resultNoIssuer, miss.Depth
	}
	return -1, miss.Depth
}

func pkixOnly(s tlsa.RRset) bool {
	for _, p := range s.Combinations(tlsa.Reference{}) {
		if p.Usage > tlsa.PKIXEE {
			return false
		}
	}
	return true
}

// readDANETests reads a file of OpenSSL's. A block begins with five numbers:
// of records, of certificates, whether names are checked, the result and the depth.
func readDANETests(t *testing.T, name string, want int) (tests []daneTest) {
	t.Helper()
	content := string(vector(t, name, fmt.Sprintf("%d DANE tests of OpenSSL", want)))
	var certs [][]byte // of the last block
	var announced int
	finish := func() {
		if len(tests) == 0 {
			return
		}
		test := &tests[len(tests)-1]
		chain, err := tlsa.ParseChain(certs...)
		if err != nil || len(certs) != announced || len(test.records) < test.counted {
			t.Fatalf("%s: test %d: %d certificates, want %d: %v", name, test.number, len(certs), announced, err)
		}
		test.chain, certs = chain, nil
	}
	for rest := content; rest != ""; {
		if strings.HasPrefix(rest, "-----BEGIN") {
			block, after := pem.Decode([]byte(rest))
			if block == nil {
				t.Fatalf("%s: no PEM", name)
			}
			certs, rest = append(certs, block.Bytes), string(after)
			continue
		}
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		switch fields := strings.Fields(line); {
		case strings.HasPrefix(line, "#"):
		case len(fields) == 5:
			var count, nameless int
			test := daneTest{number: len(tests) + 1}
			if _, err := fmt.Sscan(line, &test.counted, &count, &nameless, &test.result, &test.depth); err == nil {
				finish()
				announced = count
				tests = append(tests, test)
			}
		case len(fields) == 4:
			if a, err := tlsa.ParseAssociation(line); err == nil {
				test := &tests[len(tests)-1]
				test.records = append(test.records, a)
			}
		}
	}
	finish()
	if len(tests) != want {
		t.Fatalf("%s: %d tests, want %d", name, len(tests), want)
	}
	return tests
}
