package certwatch

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOrder has the chains of administrators' lives. Certificates are named by
// letters: L leaf, I its issuer, R the root, C another certificate of R's key by
// the root D, X and Y of another hierarchy, O an older leaf of the same key.
func TestOrder(t *testing.T) {
	r := ca(t, "R", nil)
	d := ca(t, "D", nil)
	i := ca(t, "I", &r)
	l := leaf(t, "mx1.example.org", &i)
	asCA := x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	named := func(name string) x509.Certificate {
		template := asCA
		template.Subject = pkix.Name{CommonName: name}
		return template
	}
	c := certify(t, named("R"), r.key, &d)
	i2 := certify(t, named("I"), i.key, &d)
	x := ca(t, "X", nil)
	y := leaf(t, "y.example.org", &x)
	o := certify(t, x509.Certificate{DNSNames: []string{"old.example.org"}}, l.key, &x)
	same := ca(t, "I", nil) // the issuer's name with another key
	all := map[string]party{"L": l, "I": i, "J": i2, "R": r, "C": c, "D": d, "X": x, "Y": y, "O": o, "S": same}

	reordered := "certificate: the certificates were not in order (leaf first, then each one's issuer) and have been put in order"
	left := func(name string) string {
		return fmt.Sprintf("certificate: the certificate of %q issued none of this chain and is left out", name)
	}
	twice := func(name string) string {
		return fmt.Sprintf("certificate: the certificate of %q stands there more than once and is taken once", name)
	}
	tests := []struct {
		in, want string
		findings []string
	}{
		{"LI", "LI", nil},
		{"LIR", "LIR", nil},
		{"LICD", "LICD", nil},
		{"LIRC", "LIRC", nil}, // the second way up follows
		{"LICDR", "LICDR", nil},
		{"LIJ", "LIJ", nil},
		{"LJI", "LJI", nil}, // the order of equal ways is the operator's
		{"LIJR", "LIRJ", []string{reordered}},
		{"IL", "LI", []string{reordered}},
		{"RIL", "LIR", []string{reordered}},
		{"LRI", "LIR", []string{reordered}},
		{"LLI", "LI", []string{twice("mx1.example.org")}},
		{"LIL", "LI", []string{twice("mx1.example.org")}},
		{"LIIR", "LIR", []string{twice("I")}},
		{"LIX", "LI", []string{left("X")}},
		{"LXI", "LI", []string{left("X")}},
		{"XLI", "LI", []string{left("X")}},
		{"XIL", "LI", []string{left("X"), reordered}},
		{"LIYX", "LI", []string{left("y.example.org"), left("X")}},
		{"LIO", "LI", []string{left("old.example.org")}},
		{"LSI", "LI", []string{left("I")}},
		{"L", "L", []string{`certificate: the issuer of the certificate, "I", is not in the file (hint: give the full chain)`}},
		{"LR", "L", []string{left("R"), `certificate: the issuer of the certificate, "I", is not in the file (hint: give the full chain)`}},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			var in []party
			for _, letter := range tt.in {
				in = append(in, all[string(letter)])
			}
			p, err := FromPEM(chainPEM(in...), keyPEM(t, l))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, cert := range p.Chain.Certificates() {
				for letter, party := range all {
					if party.cert.Equal(cert) {
						got += letter
					}
				}
			}
			if got != tt.want {
				t.Errorf("chain %s, want %s", got, tt.want)
			}
			var texts []string
			for _, f := range p.Findings {
				texts = append(texts, f.Text)
			}
			if diff := cmp.Diff(tt.findings, texts); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if len(p.AsFound.Certificates()) != len(in) {
				t.Errorf("%d certificates as found, want %d", len(p.AsFound.Certificates()), len(in))
			}
			checkInstallable(t, p)
		})
	}
}

// checkInstallable holds a pair to what is promised: what is written is read back
// as the same chain with nothing left to repair, and a TLS server can serve it.
func checkInstallable(t testing.TB, p Pair) {
	t.Helper()
	if _, err := tls.X509KeyPair(p.ChainPEM(), p.Key.PEM()); err != nil {
		t.Errorf("no TLS server can serve it: %v", err)
	}
	again, err := FromPEM(p.ChainPEM(), p.Key.PEM())
	if err != nil {
		t.Fatalf("read back: %v", err)
	}
	if again.ID() != p.ID() || again.AsFound.ID() != p.ID() {
		t.Errorf("read back as %s (as found %s), written as %s", again.ID(), again.AsFound.ID(), p.ID())
	}
	for _, f := range again.Findings {
		if f.Code != CodeNoIssuer {
			t.Errorf("read back with something to repair: %s", f.Text)
		}
	}
}
