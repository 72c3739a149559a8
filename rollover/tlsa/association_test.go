package tlsa_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestParseAssociation(t *testing.T) {
	abcd := tlsa.Association{tlsa.EE, "abcd"}
	for in, want := range map[string]tlsa.Association{
		"3 1 1 abcd":                          abcd,
		"3 1 1 ABCD":                          abcd,
		"  3\t1  1 ab\ncd ":                   abcd,
		"3 1 1 a b c d":                       abcd,
		"DANE-EE SPKI SHA2-256 abcd":          abcd,
		"dane-ee spki sha2-256 abcd":          abcd,
		"DANE-TA Cert Full 00":                {tlsa.Params{tlsa.DANETA, tlsa.Cert, tlsa.Full}, "00"},
		"PKIX-TA 1 SHA2-512 00":               {tlsa.Params{tlsa.PKIXTA, tlsa.SPKI, tlsa.SHA512}, "00"},
		"1 0 0 00":                            {tlsa.Params{tlsa.PKIXEE, tlsa.Cert, tlsa.Full}, "00"},
		"255 255 255 00":                      {tlsa.Params{255, 255, 255}, "00"},
		"PrivCert PrivSel PrivMatch 00":       {tlsa.Params{255, 255, 255}, "00"},
		`\# 5 030101abcd`:                     abcd,
		` \# 5 03 0101 AB CD`:                 abcd,
		`\# 4 ffffff00`:                       {tlsa.Params{255, 255, 255}, "00"},
		"4 2 3 " + strings.Repeat("0", 1<<16): {tlsa.Params{4, 2, 3}, strings.Repeat("0", 1<<16)},
	} {
		got, err := tlsa.ParseAssociation(in)
		if err != nil || got != want {
			t.Errorf("%.40q: got %.40v, %v, want %.40v", in, got, err, want)
		}
		again, err := tlsa.ParseAssociation(got.String())
		if err != nil || again != got {
			t.Errorf("%.40q: printed and read again: %.40v, %v", in, again, err)
		}
	}
	for in, want := range map[string]string{
		"":                     `tlsa record "": want usage, selector, matching type and hex data, as in "3 1 1 ab…"`,
		"3 1 1":                `tlsa record "3 1 1": want usage, selector, matching type and hex data, as in "3 1 1 ab…"`,
		"x 1 1 ab":             `tlsa record "x 1 1 ab": usage "x" is not a number from 0 to 255`,
		"256 1 1 ab":           `tlsa record "256 1 1 ab": usage "256" is not a number from 0 to 255`,
		"03 1 1 ab":            `tlsa record "03 1 1 ab": usage "03" is not a number from 0 to 255`,
		"3 -1 1 ab":            `tlsa record "3 -1 1 ab": selector "-1" is not a number from 0 to 255`,
		"3 DANE-EE 1 ab":       `tlsa record "3 DANE-EE 1 ab": selector "DANE-EE" is not a number from 0 to 255`,
		"3 1 +1 ab":            `tlsa record "3 1 +1 ab": matching type "+1" is not a number from 0 to 255`,
		"3 1 1 abc":            `tlsa record "3 1 1 abc": the association data is not hex: encoding/hex: odd length hex string`,
		"3 1 1 ab:cd":          `tlsa record "3 1 1 ab:cd": the association data is not hex: encoding/hex: invalid byte: U+003A ':'`,
		"3 1 1 ( ab )":         `tlsa record "3 1 1 ( ab )": the association data is not hex: encoding/hex: invalid byte: U+0028 '('`,
		`\#`:                   `tlsa record "\\#": no length (hint: \# 35 030101…, RFC 3597)`,
		`\# 65536 030101`:      `tlsa record "\\# 65536 030101": the length "65536" is not a number from 0 to 65535`,
		`\# 5 030101abc`:       `tlsa record "\\# 5 030101abc": the data is not hex: encoding/hex: odd length hex string`,
		`\# 6 030101abcd`:      `tlsa record "\\# 6 030101abcd": the length is given as 6 octets, and there are 5`,
		`\# 3 030101`:          `tlsa record "\\# 3 030101": no association data behind usage, selector and matching type`,
		`\# 0`:                 `tlsa record "\\# 0": no association data behind usage, selector and matching type`,
		`\#5 030101abcd`:       `tlsa record "\\#5 030101abcd": want usage, selector, matching type and hex data, as in "3 1 1 ab…"`,
		"_25._tcp.mx 3 1 1 ab": `tlsa record "_25._tcp.mx 3 1 1 ab": usage "_25._tcp.mx" is not a number from 0 to 255`,
	} {
		if got, err := tlsa.ParseAssociation(in); err == nil || err.Error() != want || got != (tlsa.Association{}) {
			t.Errorf("got  %v, %v\nwant %s", got, err, want)
		}
	}
	for _, long := range []string{strings.Repeat("x", 1<<16), `\# 5 ` + strings.Repeat("ab", 1<<16)} {
		if _, err := tlsa.ParseAssociation(long); err == nil || len(err.Error()) > 300 {
			t.Error("an error repeats all of a long line")
		}
	}
}

func TestAssociationJSON(t *testing.T) {
	var got []tlsa.Association
	if err := json.Unmarshal([]byte(`["3 1 1 ABCD","2 0 1 ef"]`), &got); err != nil {
		t.Fatal(err)
	}
	if want := []tlsa.Association{{tlsa.EE, "abcd"}, {tlsa.Params{tlsa.DANETA, tlsa.Cert, tlsa.SHA256}, "ef"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if b, err := json.Marshal(got); err != nil || string(b) != `["3 1 1 abcd","2 0 1 ef"]` {
		t.Errorf("got %s, %v", b, err)
	}
	if err := json.Unmarshal([]byte(`["3 1 1"]`), &got); err == nil {
		t.Error("a record without data was read")
	}
}

func TestAssociate(t *testing.T) {
	leaf := issueLeaf(t, party{})
	chain := present(t, leaf)
	for p, want := range map[tlsa.Params]string{
		{tlsa.DANEEE, 2, tlsa.SHA256}: "tlsa 3 2 1: the selector 2 is unknown (RFC 6698, section 2.1.2)",
		{tlsa.DANEEE, tlsa.SPKI, 3}:   "tlsa 3 1 3: the matching type 3 is unknown (RFC 6698, section 2.1.3)",
		{tlsa.DANEEE, 255, 255}:       "tlsa 3 255 255: the selector 255 is for private use (RFC 6698, section 2.1.2)",
	} {
		if _, err := tlsa.Associate(p, leaf.Certificate); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := chain.Association(p, 0); err == nil || err.Error() != want {
			t.Errorf("of a chain: got %v, want %s", err, want)
		}
	}
	// The usage is not looked at: a record of a usage yet unknown can be made.
	if a, err := tlsa.Associate(tlsa.Params{7, tlsa.SPKI, tlsa.SHA256}, leaf.Certificate); err != nil || a.Data != chain.SPKI() {
		t.Errorf("got %v, %v", a, err)
	}
}

// RFC 6698, section 2.1.2: selector 1 is the SubjectPublicKeyInfo, so a renewal
// with the same key keeps 3 1 1 and changes 3 0 1.
func TestAssociateSameKey(t *testing.T) {
	root := issueCA(t, party{}, "Root")
	old := issueLeaf(t, root)
	renewed := issueLeaf(t, root, keyed(old.key))
	if record(t, "3 1 1", old) != record(t, "3 1 1", renewed) {
		t.Error("3 1 1 changed with the certificate")
	}
	if record(t, "3 0 1", old) == record(t, "3 0 1", renewed) {
		t.Error("3 0 1 did not change with the certificate")
	}
}

func TestCompare(t *testing.T) {
	sorted := []tlsa.Association{
		{tlsa.Params{0, 1, 1}, "ff"}, {tlsa.Params{2, 0, 2}, "00"}, {tlsa.Params{2, 1, 0}, "ff"}, {tlsa.Params{2, 1, 1}, "00"},
		{tlsa.Params{2, 1, 1}, "0000"}, {tlsa.Params{2, 1, 1}, "01"}, {tlsa.Params{3, 0, 1}, "00"}, {tlsa.Params{255, 0, 0}, "00"},
	}
	for i, a := range sorted {
		for j, b := range sorted {
			if got := tlsa.Compare(a, b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("Compare(%v, %v) = %d", a, b, got)
			}
		}
	}
}

func TestParamsString(t *testing.T) {
	for p, want := range map[tlsa.Params]string{tlsa.EE: "3 1 1", tlsa.TA: "2 1 1", {255, 0, 2}: "255 0 2"} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
