package tlsa_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestParseOwner(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 62)+".", 4) // 253 octets on the wire
	for _, test := range []struct {
		in   string
		want tlsa.Owner
		port uint16
		base string
	}{
		{"_25._tcp.mx1.example.org.", "_25._tcp.mx1.example.org.", 25, "mx1.example.org"},
		{"_25._TCP.MX1.Example.ORG", "_25._tcp.mx1.example.org.", 25, "mx1.example.org"},
		{"_443._sctp.example.org", "_443._sctp.example.org.", 443, "example.org"},
		{"_65535._tcp.a", "_65535._tcp.a.", 65535, "a"},
		{"_25._tcp._under.example.org", "_25._tcp._under.example.org.", 25, "_under.example.org"},
		{"_25._tcp.xn--bcher-kva.example", "_25._tcp.xn--bcher-kva.example.", 25, "xn--bcher-kva.example"},
		// What aliases lead to has any shape (RFC 7671, section 7).
		{"tlsa._dane.example.net", "tlsa._dane.example.net.", 0, ""},
		{"*._tcp.mx1.example.org", "*._tcp.mx1.example.org.", 0, ""},
		{"_25._tcp", "_25._tcp.", 0, ""},
		// RFC 6698, section 3: the port has no leading zeros.
		{"_025._tcp.example.org", "_025._tcp.example.org.", 0, ""},
		{"_0._tcp.example.org", "_0._tcp.example.org.", 0, ""},
		{"_65536._tcp.example.org", "_65536._tcp.example.org.", 0, ""},
		{"25._tcp.example.org", "25._tcp.example.org.", 0, ""},
		{"_25.tcp.example.org", "_25.tcp.example.org.", 0, ""},
		{"_25._.example.org", "_25._.example.org.", 0, ""},
		{long, tlsa.Owner(long), 0, ""},
	} {
		got, err := tlsa.ParseOwner(test.in)
		if err != nil || got != test.want || got.Port() != test.port || got.Base() != test.base {
			t.Errorf("%s: got %q, port %d, base %q, %v", test.in, got, got.Port(), got.Base(), err)
		}
		if again, err := tlsa.ParseOwner(got.String()); err != nil || again != got {
			t.Errorf("%s: again: %q, %v", test.in, again, err)
		}
	}
	label := strings.Repeat("a", 64)
	for in, want := range map[string]string{
		"":               `name "": empty (hint: write it whole, as in mx1.example.org)`,
		".":              `name ".": empty (hint: write it whole, as in mx1.example.org)`,
		"a..b":           `name "a..b": an empty label`,
		".a":             `name ".a": an empty label`,
		"a..":            `name "a..": an empty label`,
		label:            `name "` + label + `": the label "` + label + `" has 64 octets, 63 are allowed (RFC 1035, section 2.3.4)`,
		"bücher.example": `name "bücher.example": not ASCII (hint: write the A-label, as in xn--bcher-kva.example)`,
		"\u212a.example": "name \"\u212a.example\": not ASCII (hint: write the A-label, as in xn--bcher-kva.example)", // folds to k
		"a b.example":    `name "a b.example": ' ' is not allowed in a name`,
		"a\n.example":    `name "a\n.example": '\n' is not allowed in a name`,
		`a\.b.example`:   `name "a\\.b.example": '\\' is not allowed in a name`,
		"a;b":            `name "a;b": ';' is not allowed in a name`,
		"aaa." + long:    `name "aaa.` + long + `": 257 octets, 255 are allowed (RFC 1035, section 2.3.4)`,
	} {
		if got, err := tlsa.ParseOwner(in); err == nil || err.Error() != want || got != "" {
			t.Errorf("%q: got %q, %v\nwant %s", in, got, err, want)
		}
	}
}

func TestOwnerOf(t *testing.T) {
	if got, err := tlsa.OwnerOf(25, "MX1.example.org."); err != nil || got != "_25._tcp.mx1.example.org." {
		t.Errorf("got %q, %v", got, err)
	}
	long := strings.Repeat("a.", 126)
	for _, test := range []struct {
		port uint16
		base string
		want string
	}{
		{0, "mx1.example.org", `owner name for "mx1.example.org": port 0 is not a port`},
		{25, "", `name "": empty (hint: write it whole, as in mx1.example.org)`},
		{25, long, `name "_25._tcp.` + long + `": 262 octets, 255 are allowed (RFC 1035, section 2.3.4)`},
	} {
		if got, err := tlsa.OwnerOf(test.port, test.base); err == nil || err.Error() != test.want || got != "" {
			t.Errorf("got %q, %v\nwant %s", got, err, test.want)
		}
	}
}

func TestCanonicalHost(t *testing.T) {
	for in, want := range map[string]string{"MX1.Example.ORG.": host, host: host, "a": "a"} {
		if got, err := tlsa.CanonicalHost(in); err != nil || got != want {
			t.Errorf("%s: got %q, %v", in, got, err)
		}
	}
	if got, err := tlsa.CanonicalHost("mx1..example"); err == nil || got != "" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestOwnerJSON(t *testing.T) {
	var got map[tlsa.Owner]tlsa.Owner
	if err := json.Unmarshal([]byte(`{"_25._TCP.a":"B"}`), &got); err != nil || got["_25._tcp.a."] != "b." {
		t.Errorf("got %q, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`{"a..b":"B"}`), &got); err == nil {
		t.Error("an empty label was read")
	}
}
