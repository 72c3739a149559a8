package tlsa_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestUnusable(t *testing.T) {
	leaf := issueLeaf(t, party{})
	// A key of a kind that nobody knows is a key all the same.
	ed25519, unknown := []byte{6, 3, 43, 101, 112}, []byte{6, 3, 43, 101, 127}
	edSPKI, err := hex.DecodeString("302a300506032b6570032100" + strings.Repeat("ab", 32))
	if err != nil {
		t.Fatal(err)
	}
	unknownSPKI := hex.EncodeToString(bytes.Replace(edSPKI, ed25519, unknown, 1))

	d32, d64 := strings.Repeat("ab", 32), strings.Repeat("ab", 64)
	for _, test := range []struct {
		record string
		smtp   bool
		want   string // empty: usable
	}{
		{record: "3 1 1 " + d32},
		{record: "3 0 2 " + d64},
		{record: "2 0 1 " + d32, smtp: true},
		{record: "0 0 1 " + d32},
		{record: "1 1 2 " + d64},
		{record: "3 1 0 " + unknownSPKI},
		{record: record(t, "2 0 0", leaf).String()},
		{record: record(t, "2 1 0", leaf).String()},
		{record: "4 1 1 " + d32, want: "the certificate usage 4 is unknown (RFC 6698, section 2.1.1)"},
		{record: "255 1 1 " + d32, want: "the certificate usage 255 is for private use (RFC 6698, section 2.1.1)"},
		{record: "3 2 1 " + d32, want: "the selector 2 is unknown (RFC 6698, section 2.1.2)"},
		{record: "3 1 3 " + d32, want: "the matching type 3 is unknown (RFC 6698, section 2.1.3)"},
		{record: "3 1 255 " + d32, want: "the matching type 255 is for private use (RFC 6698, section 2.1.3)"},
		{record: "0 2 1 " + d32, smtp: true, want: "the selector 2 is unknown (RFC 6698, section 2.1.2)"},
		{record: "3 255 1 " + d32, want: "the selector 255 is for private use (RFC 6698, section 2.1.2)"},
		{record: "0 1 1 " + d32, smtp: true, want: "the PKIX usages are not for SMTP (RFC 7672, section 3.1.3)"},
		{record: "1 1 1 " + d32, smtp: true, want: "the PKIX usages are not for SMTP (RFC 7672, section 3.1.3)"},
		{record: "3 1 1 " + d64, want: "a SHA2-256 digest has 32 octets, this has not"},
		{record: "3 1 1 " + d32[2:], want: "a SHA2-256 digest has 32 octets, this has not"},
		{record: "3 1 2 " + d32, want: "a SHA2-512 digest has 64 octets, this has not"},
		{record: "3 0 0 " + d32, want: "the data is no certificate: x509: "},
		{record: "3 0 0 " + record(t, "3 1 0", leaf).Data, want: "the data is no certificate: x509: "},
		{record: "3 1 0 " + d32, want: "the data is not a SubjectPublicKeyInfo: asn1: "},
		{record: "3 1 0 " + unknownSPKI + "00", want: "the data is not a SubjectPublicKeyInfo: it is too long"},
	} {
		a, err := tlsa.ParseAssociation(test.record)
		if err != nil {
			t.Fatal(err)
		}
		err = a.Unusable(tlsa.Reference{SMTP: test.smtp})
		if test.want == "" {
			if err != nil {
				t.Errorf("%.40s: %v", test.record, err)
			}
			continue
		}
		want := "tlsa " + shortly(a) + ": unusable: " + test.want
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %s", test.record, err, want)
		}
		var miss *tlsa.MatchError
		if !errors.As(err, &miss) || miss.Kind != tlsa.KindUnusable || miss.Association != a || miss.Depth != -1 || errors.Unwrap(err) == nil {
			t.Errorf("%.40s: got %#v", test.record, err)
		}
		if _, err := present(t, leaf).Match(a, tlsa.Reference{SMTP: test.smtp}); kindOf(err) != tlsa.KindUnusable {
			t.Errorf("%.40s: Match: %v", test.record, err)
		}
	}
}
