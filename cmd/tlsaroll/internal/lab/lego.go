package lab

import (
	"os"
	"path/filepath"
	"testing"
)

// Lego are lego's files of mx1.example.org, which are written in place.
type Lego struct {
	Dir       string // lego's --path
	Cert, Key string // the chain and its key
	issuer    string
}

func newLego(dir string) *Lego {
	base := filepath.Join(dir, "certificates", Host)
	return &Lego{Dir: dir, Cert: base + ".crt", Key: base + ".key", issuer: base + ".issuer.crt"}
}

// Renew writes a pair as lego does: first the chain, then its issuer, then the key,
// each over what was there. Who reads meanwhile gets halves.
func (g *Lego) Renew(t testing.TB, p *Pair) {
	t.Helper()
	if err := g.write(p); err != nil {
		t.Fatal(err)
	}
}

func (g *Lego) write(p *Pair) error {
	key, chain, err := p.pem()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(g.Cert), 0o700); err != nil {
		return err
	}
	for _, file := range []struct {
		path string
		data []byte
	}{{g.Cert, chain}, {g.issuer, chainPEM(p.Certificates[1:])}, {g.Key, key}} {
		if err := os.WriteFile(file.path, file.data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Lego is an ACME client on the lab's host whose files no server reads.
func (l *Lab) Lego() *Lego { return newLego(l.path("acme")) }

// SecondLego is one more, for those who have certificates of two kinds.
func (l *Lab) SecondLego() *Lego { return newLego(l.path("acme-2")) }
