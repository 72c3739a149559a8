package finder

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

const someSecret = "c29tZSBzZWNyZXQ="

// TestReadTSIG holds the forms in which keys come, and what is said of files that have none.
func TestReadTSIG(t *testing.T) {
	bind := "key \"tlsaroll.example.org\" {\n\talgorithm hmac-sha512;\n\tsecret \"" + someSecret + "\";\n};\n"
	knot := "# hmac-sha256:tlsaroll.example.org:" + someSecret + "\nkey:\n  - id: tlsaroll.example.org.\n    algorithm: hmac-sha256\n    secret: " + someSecret + "\n"
	for _, test := range []struct{ name, text, wanted, key, algorithm, wrong string }{
		{name: "tsig-keygen", text: bind, key: "tlsaroll.example.org.", algorithm: "hmac-sha512"},
		{name: "keymgr", text: knot, key: "tlsaroll.example.org.", algorithm: "hmac-sha256"},
		{name: "knot.conf", text: "server:\n    listen: 192.0.2.53@53\nkey:\n  - id: a.\n    secret: eA==\n  - id: \"tlsaroll.example.org.\"\n    secret: \"" + someSecret + "\"\nzone:\n  - domain: example.org\n", wanted: "TLSAroll.example.org", key: "tlsaroll.example.org.", algorithm: "hmac-sha256"},
		{name: "named.conf", text: "key other { algorithm hmac-sha256; secret eA==; };\n" + bind, wanted: "tlsaroll.example.org.", key: "tlsaroll.example.org.", algorithm: "hmac-sha512"},
		{name: "-y of nsupdate", text: "hmac-sha384:tlsaroll.example.org:" + someSecret + "\n", key: "tlsaroll.example.org.", algorithm: "hmac-sha384"},
		{name: "a comment", text: "/* key \"tlsaroll.example.org\" {\n secret \"b2xk\";\n}; */\nkey \"tlsaroll.example.org\" {\n\talgorithm hmac-sha512; // } as of 2026\n\t# secret \"b2xk\";\n\tsecret \"" + someSecret + "\"; // secret \"b2xk\";\n};\n", key: "tlsaroll.example.org.", algorithm: "hmac-sha512"},
		{name: "slashes in a secret", text: "key a { algorithm hmac-sha256; secret \"//8=\"; };\n" + bind, wanted: "tlsaroll.example.org.", key: "tlsaroll.example.org.", algorithm: "hmac-sha512"},
		{name: "another", text: bind, wanted: "x.", wrong: "/k: no TSIG key x. in it, but tlsaroll.example.org."},
		{name: "several", text: bind + "key b { algorithm hmac-sha256; secret eA==; };", wrong: "/k: several TSIG keys in it: tlsaroll.example.org., b. (hint: put the one for TLSA records into a file of its own)"},
		{name: "the secret alone", text: someSecret + "\n", wrong: "/k: no TSIG key in it (hint: tsig-keygen prints one as it is wanted)"},
		{name: "nothing", wrong: "/k: file does not exist"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := fstest.MapFS{}
			if test.text != "" {
				files["k"] = &fstest.MapFile{Data: []byte(test.text)}
			}
			k, err := Host{Files: files}.ReadTSIG("/k", test.wanted)
			if test.wrong != "" {
				if err == nil || err.Error() != test.wrong {
					t.Errorf("%v, want %s", err, test.wrong)
				}
				return
			}
			if err != nil || k.Name != test.key || k.Algorithm != test.algorithm || k.Secret != someSecret || k.File != "/k" {
				t.Errorf("%+v %v", k.Key, err)
			}
			if text := fmt.Sprintf("%v %+v %#v", k, k, k); strings.Contains(text, someSecret) {
				t.Errorf("it prints the secret: %s", text)
			}
		})
	}
}
