package journal

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// newChain is a leaf with its issuer.
func newChain(t testing.TB, name string) *tlsa.Chain {
	t.Helper()
	make := func(tmpl, parent *x509.Certificate, pub *ecdsa.PublicKey, signer *ecdsa.PrivateKey) *x509.Certificate {
		tmpl.NotBefore, tmpl.NotAfter = epoch, epoch.AddDate(0, 3, 0)
		tmpl.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<60))
		der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, pub, signer)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	caKey := key()
	tmpl := &x509.Certificate{Subject: pkix.Name{CommonName: "Issuer"}, IsCA: true, BasicConstraintsValid: true}
	ca := make(tmpl, tmpl, &caKey.PublicKey, caKey)
	leaf := make(&x509.Certificate{DNSNames: []string{name}}, ca, &key().PublicKey, caKey)
	chain, err := tlsa.NewChain(leaf, ca)
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func owner(host string) tlsa.Owner { return tlsa.Owner("_25._tcp." + host + ".") }

func hostOf(lineage string) string { return lineage + ".example.org" }

// groupOf is a group with everything in it: a successor, a held swap, several
// versions, servers, evidence.
func groupOf(t testing.TB, lineages ...string) Group {
	t.Helper()
	g := Group{Lineages: lineages, State: rollover.State{Lineages: map[string]rollover.Lineage{}, Owners: map[tlsa.Owner]rollover.Ledger{}, Chains: map[tlsa.ChainID]*tlsa.Chain{}}}
	for _, name := range lineages {
		live, next := newChain(t, hostOf(name)), newChain(t, hostOf(name))
		ee := func(c *tlsa.Chain) tlsa.Association {
			a, err := c.Association(tlsa.EE, 0)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		g.State.Chains[live.ID()], g.State.Chains[next.ID()] = live, next
		g.State.Lineages[name] = rollover.Lineage{
			Live: live.ID(), Successor: next.ID(), Phase: rollover.Published, ReadyAt: epoch.Add(2 * time.Hour), Staged: next.ID(), Since: epoch,
			Swapping: &rollover.Swapping{From: live.ID(), To: next.ID(), Began: epoch, Step: rollover.SwapIntended, Judge: []string{"192.0.2.25:25"}},
			Held:     &rollover.Held{Chain: next.ID(), Code: "swap-failed", Text: "no", Since: epoch, Tries: 2, Again: epoch.Add(time.Hour)},
			Waiting:  []rollover.Reason{{Code: rollover.CodeVersionAlive, Text: "may be held in caches", Until: epoch.Add(time.Hour)}},
			Warnings: []rollover.Warning{{Code: rollover.CodeServedUnmatched, Severity: rollover.Danger, Text: "presents another"}},
			Wake:     epoch.Add(time.Minute), Standby: ee(next),
		}
		both := tlsa.NewRRset(time.Hour, ee(live), ee(next))
		g.State.Owners[owner(hostOf(name))] = rollover.Ledger{
			Target: owner(hostOf(name)), Zone: "example.org.", Provider: "ns1", AliasTTL: time.Minute, Security: rollover.Secure, Text: "validated",
			Versions: []rollover.Version{
				{Unknown: true, RRset: tlsa.RRset{TTL: 24 * time.Hour}, Served: epoch},
				{RRset: both, Served: epoch, By: []string{"192.0.2.53:53"}, InCopy: true},
				{RRset: tlsa.RRset{TTL: 5 * time.Minute}, Served: epoch, Left: epoch.Add(time.Second)}},
			Servers: []rollover.Server{{Name: "ns1.example.org.", Address: "192.0.2.53:53", NSTTL: time.Hour, Seen: epoch, SignedUntil: epoch.AddDate(0, 0, 7),
				Holds: []rollover.Hold{{Association: ee(next), Count: 3, Last: epoch}}}},
			Since: epoch, Looked: epoch.Add(time.Minute), Dark: epoch, Ours: []tlsa.Association{ee(live)}, Retired: []tlsa.Association{ee(next)},
			Addresses: []rollover.AddressEvidence{{URL: "smtp://" + hostOf(name), Address: "192.0.2.25:25", TTL: time.Hour, Local: true, Listed: epoch, Looks: [3]time.Time{epoch},
				Cells: []rollover.Cell{{SNI: true, Algorithm: "any", Chain: live.ID(), Outcome: rollover.Served}}}},
			Presented: []rollover.PresentedChain{{Chain: live.ID(), First: epoch, Last: epoch, Where: "192.0.2.25:25"}},
		}
	}
	return g
}

func stampAt(d time.Duration) Stamp {
	return Stamp{BootID: "b00t", Boot: d, Wall: epoch.Add(d), Time: epoch.Add(d)}
}

func pathIn(t testing.TB) string { return filepath.Join(t.TempDir(), "state", "journal.db") }

func mustOpen(t testing.TB, path string) (*Journal, Contents) {
	t.Helper()
	j, c, aside, err := Open(path, time.Second)
	if err != nil || aside != "" {
		t.Fatalf("open: %v, moved aside to %q", err, aside)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j, c
}

func mustSave(t testing.TB, j *Journal, g Group, at time.Duration) {
	t.Helper()
	if err := j.Save(g, stampAt(at)); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t testing.TB, j *Journal) Contents {
	t.Helper()
	c, err := j.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ownersOf are the owner names that a group's lineages have by configuration.
func ownersOf(g Group) []tlsa.Owner {
	var owners []tlsa.Owner
	for _, name := range g.Lineages {
		owners = append(owners, owner(hostOf(name)))
	}
	return owners
}

// differs compares a group's state with what a journal holds of it.
func differs(g Group, c Contents) string {
	return cmp.Diff(g.State, c.State(g.Lineages, ownersOf(g)), cmp.Comparer(func(a, b *tlsa.Chain) bool { return a.ID() == b.ID() }))
}

func expect(t testing.TB, what string, g Group, c Contents) {
	t.Helper()
	if diff := differs(g, c); diff != "" {
		t.Errorf("%s (-saved +loaded):\n%s", what, diff)
	}
}

func idOf(n int) tlsa.ChainID { return tlsa.ChainID(fmt.Sprintf("%064x", n)) }
