package acme

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// TestEveryKeyType: the leaf's key is the ordered one, whatever its kind.
func TestEveryKeyType(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	i, _ := p.issuer(t, p.ca())
	for _, kind := range certwatch.KeyTypes() {
		r := certwatch.Request{Names: []string{"mx1.example.org", "mx2.example.org"}, Key: newKey(t, kind)}
		pair := issue(t, i, r)
		leaf := pair.Chain.Leaf()
		if got := certwatch.KeyTypeOf(leaf.PublicKey); got != kind {
			t.Errorf("%s: the leaf's key is %s", kind, got)
		}
		if !leaf.PublicKey.(interface{ Equal(x crypto.PublicKey) bool }).Equal(r.Key.Public()) {
			t.Errorf("%s: the leaf's key is another one", kind)
		}
		if !pair.HasIssuer() || len(pair.Findings) > 0 {
			t.Errorf("%s: issuer in the chain: %v, findings %v", kind, pair.HasIssuer(), pair.Findings)
		}
	}
	p.dns.holds(t, nil)
}

// TestEd25519 goes the way of CSRs as well; it is the CA that does not take it, and the
// sentence says so.
func TestEd25519(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	i, _ := p.issuer(t, p.ca())
	_, err := i.Issue(t.Context(), certwatch.Request{Names: []string{"mx1.example.org"}, Key: ed25519Key(t)})
	var e *Error
	if !errors.As(err, &e) || e.Step != "finalize" || !ends(err) || !strings.Contains(err.Error(), "does the CA take keys of this kind") {
		t.Errorf("error is %v", err)
	}
	p.dns.holds(t, nil)
}

func TestHTTP01(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	ca := p.ca()
	ca.Challenge, ca.Address = HTTP01, net.JoinHostPort("127.0.0.1", strconv.Itoa(p.httpPort))
	i, _ := newIssuer(t, Config{Dir: t.TempDir(), Lineage: "mx1", CAs: []CA{ca}})
	issue(t, i, certwatch.Request{Names: []string{"mx1.example.org", "mx2.example.org"}, Key: newKey(t, certwatch.EC256)})
	if conn, err := net.Dial("tcp", ca.Address); err == nil {
		conn.Close()
		t.Error("something listens still")
	}
}

func TestTLSALPN01(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	ca := p.ca()
	ca.Challenge, ca.Address = TLSALPN01, net.JoinHostPort("127.0.0.1", strconv.Itoa(p.tlsPort))
	i, _ := newIssuer(t, Config{Dir: t.TempDir(), Lineage: "mx1", CAs: []CA{ca}})
	issue(t, i, certwatch.Request{Names: []string{"mx1.example.org", "mx2.example.org"}, Key: newKey(t, certwatch.EC256)})
}

// TestNobodyListens: the CA comes to a port where we are not. Nobody else need be asked.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	ca := p.ca()
	ca.Challenge, ca.Address = HTTP01, "127.0.0.1:0"
	i, log := newIssuer(t, Config{Dir: t.TempDir(), Lineage: "mx1", CAs: []CA{ca, ca}})
	_, err := i.Issue(t.Context(), newRequest(t))
	var e *Error
	if !errors.As(err, &e) || e.Type != "connection" || !ends(err) || !strings.Contains(e.Step, "mx1.example.org") {
		t.Errorf("error is %v", err)
	}
	if strings.Contains(err.Error(), "acme-challenge/") && !strings.Contains(err.Error(), "acme-challenge/"+hidden) {
		t.Errorf("the token is shown: %v", err)
	}
	if strings.Contains(log.String(), "a CA gives no certificate") {
		t.Error("the next CA was asked")
	}
}

// TestPortIsTaken: the sentence names the address.
func TestPortIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	l := &listening{address: taken.Addr().String(), serve: serveHTTP}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := l.up(ctx, nil); err == nil || !strings.HasPrefix(err.Error(), "listen on "+l.address+": another program has the address (hint: ") {
		t.Errorf("error is %v", err)
	}
	l.down(t.Context())
}

// TestAliasOfTheChallenge: the record stands where the CNAME leads.
func TestAliasOfTheChallenge(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	p.dns.aliases["_acme-challenge.mx1.example.org."] = "mx1.acme.example.net."
	i, _ := p.issuer(t, p.ca())
	issue(t, i, newRequest(t))
	if len(p.dns.added) != 1 || p.dns.added[0] != "mx1.acme.example.net." {
		t.Errorf("added at %v", p.dns.added)
	}
	p.dns.holds(t, nil)
}

// TestWildcard: the challenges of a name and of its wildcard stand at one owner name.
func TestWildcard(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	i, _ := p.issuer(t, p.ca())
	issue(t, i, certwatch.Request{Names: []string{"example.org", "*.example.org"}, Key: newKey(t, certwatch.EC256)})
	if len(p.dns.added) != 2 || p.dns.added[0] != p.dns.added[1] {
		t.Errorf("added at %v", p.dns.added)
	}
	p.dns.holds(t, nil)
}

// TestPacedByTheCA: the CA says how soon it wants to be asked again, in seconds or as a date.
func TestPacedByTheCA(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	x := p.proxy(t)
	ca := p.ca()
	ca.Directory = x.directory
	for name, header := range map[string]func() string{
		"seconds": func() string { return "1" },
		"date":    func() string { return time.Now().Add(1500 * time.Millisecond).UTC().Format(http.TimeFormat) },
	} {
		x.at("authorization", func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Retry-After", header())
			return false
		})
		i, _ := p.issuer(t, ca)
		begun := time.Now()
		issue(t, i, newRequest(t))
		if took := time.Since(begun); took > 15*time.Second || x.count("authorization") > 4 {
			t.Errorf("%s: took %s and %d questions", name, took, x.count("authorization"))
		}
	}
}

// TestSlowSecondary: the CA is told when every server gives the value, and not before.
func TestSlowSecondary(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	p.dns.lag = 700 * time.Millisecond
	i, _ := p.issuer(t, p.ca())
	begun := time.Now()
	issue(t, i, newRequest(t))
	if took := time.Since(begun); took < p.dns.lag {
		t.Errorf("took %s", took)
	}
}

// TestRecordThatNeverAppears: a deadline, a sentence, and the record taken out again.
func TestRecordThatNeverAppears(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	p.dns.hidden = true
	i, _ := p.issuer(t, p.ca(), p.ca())
	i.cfg.Propagation = 300 * time.Millisecond
	_, err := i.Issue(t.Context(), newRequest(t))
	want := "acme: " + p.host + ": challenge: the TXT record at _acme-challenge.mx1.example.org. does not appear at every authoritative server within 300ms: " +
		"ns2.example.org. (192.0.2.53): no such value (hint: do the secondaries get changes? it was written through the provider of the lineage)"
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
	p.dns.holds(t, nil)
	if left := notesOf(t, i); len(left) > 0 {
		t.Errorf("notes left: %v", left)
	}
}

// TestProviderRefuses: it is our own trouble, so that the next CA is not asked.
func TestProviderRefuses(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	refusal := errors.New("REFUSED: the server does not let this change be made")
	p.dns.refuses = refusal
	i, log := p.issuer(t, p.ca(), p.ca())
	if _, err := i.Issue(t.Context(), newRequest(t)); !errors.Is(err, refusal) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error is %v", err)
	}
	if strings.Contains(log.String(), "a CA gives no certificate") {
		t.Error("the next CA was asked")
	}
}

// TestContextEndsInTheMiddle: the record goes all the same, and the next order succeeds with
// the same key and account.
func TestContextEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	ctx, cancel := context.WithCancel(t.Context())
	p.dns.hidden = true
	p.dns.addHook = cancel
	i, _ := p.issuer(t, p.ca())
	r := newRequest(t)
	if _, err := i.Issue(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	p.dns.holds(t, nil)
	p.dns.set(func(n *nameserver) { n.hidden, n.addHook = false, nil })
	issue(t, i, r)
	if n := strings.Count(p.log.String(), "accounts in memory"); n != 1 {
		t.Errorf("%d accounts were made", n)
	}
}

// TestProcessDiesInTheMiddle: what the next process finds is a note of the record. It
// removes that one and no other, and goes on with account and key.
func TestProcessDiesInTheMiddle(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	first, _ := p.issuer(t, p.ca())
	r := newRequest(t)
	p.dns.set(func(n *nameserver) { n.hidden, n.keeps = true, errors.New("the process is no more") })
	first.cfg.Propagation = 100 * time.Millisecond
	if _, err := first.Issue(t.Context(), r); err == nil {
		t.Fatal("an order without a proof")
	}
	left := p.dns.values(t)
	if left == "" || len(notesOf(t, first)) != 1 {
		t.Fatalf("left in DNS: %q, notes: %v", left, notesOf(t, first))
	}
	write(t, filepath.Join(first.notesDir(), ".new-1"), []byte(`{"na`)) // half a note
	const foreign = "_acme-challenge.other.example.org."
	p.dns.set(func(n *nameserver) { n.hidden, n.keeps, n.txt[foreign] = false, nil, []string{"somebody else's"} })

	second, log := newIssuer(t, Config{Dir: first.cfg.Dir, Lineage: "mx1", CAs: first.cfg.CAs, DNS: p.dns})
	issue(t, second, r)
	p.dns.holds(t, map[string][]string{foreign: {"somebody else's"}})
	if left := notesOf(t, second); len(left) > 0 {
		t.Errorf("notes left: %v", left)
	}
	if n := strings.Count(p.log.String(), "accounts in memory"); n != 1 {
		t.Errorf("%d accounts were made:\n%s", n, log)
	}
}

// TestLeftoversDoNotWaitForAnOrder: the next order may be months away. Whoever asks when
// to renew removes what an order left that died.
func TestLeftoversDoNotWaitForAnOrder(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	first, _ := p.issuer(t, p.ca())
	leaf := issue(t, first, newRequest(t)).Chain.Leaf()
	p.dns.set(func(n *nameserver) { n.hidden, n.keeps = true, errors.New("the process is no more") })
	first.cfg.Propagation = 100 * time.Millisecond
	r := newRequest(t)
	r.Names = []string{"another.example.org"}
	if _, err := first.Issue(t.Context(), r); err == nil || p.dns.values(t) == "" {
		t.Fatalf("nothing is left: %v", err)
	}
	p.dns.set(func(n *nameserver) { n.hidden, n.keeps = false, nil })

	second, _ := newIssuer(t, Config{Dir: first.cfg.Dir, Lineage: "mx1", CAs: first.cfg.CAs, DNS: p.dns})
	if _, err := second.Renewal(t.Context(), leaf); err != nil {
		t.Error(err)
	}
	if left := notesOf(t, second); p.dns.values(t) != "" || len(left) > 0 {
		t.Errorf("left in DNS: %q, notes: %v", p.dns.values(t), left)
	}
}

// notesOf are the files of notes.
func notesOf(t *testing.T, i *Issuer) []string {
	t.Helper()
	entries, err := os.ReadDir(i.notesDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestValidationIsReused: where the CA has seen a proof lately it wants none.
func TestValidationIsReused(t *testing.T) {
	t.Parallel()
	p := startPebble(t, variable("PEBBLE_AUTHZREUSE", "100"))
	i, _ := p.issuer(t, p.ca())
	issue(t, i, newRequest(t))
	issue(t, i, newRequest(t))
	if len(p.dns.added) != 1 {
		t.Errorf("added at %v", p.dns.added)
	}
}

// TestNoncesThatAreNotLiked: a CA may refuse any nonce at any time (RFC 8555, section 6.5).
func TestNoncesThatAreNotLiked(t *testing.T) {
	t.Parallel()
	p := startPebble(t, variable("PEBBLE_WFE_NONCEREJECT", "30")) // of some ten that an order takes
	i, _ := p.issuer(t, p.ca())
	issue(t, i, newRequest(t))
}

func TestUnknownProfile(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	ca := p.ca()
	ca.Profile = "class9"
	i, _ := p.issuer(t, ca)
	want := "acme: " + p.host + `: profile: the CA offers no profile "class9" (hint: it offers classic, shortlived)`
	if _, err := i.Issue(t.Context(), newRequest(t)); err == nil || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	for profile, want := range map[string]time.Duration{classic: 90 * 24 * time.Hour, shortlived: 160 * time.Hour} {
		ca := p.ca()
		ca.Profile = profile
		i, _ := p.issuer(t, ca)
		leaf := issue(t, i, newRequest(t)).Chain.Leaf()
		if got := leaf.NotAfter.Sub(leaf.NotBefore); got.Round(time.Minute) != want {
			t.Errorf("%s: lifetime %s, want %s", profile, got, want)
		}
	}
}

// TestPreferredChain: the one that is wanted, or the CA's choice with a finding.
func TestPreferredChain(t *testing.T) {
	t.Parallel()
	p := startPebble(t, variable("PEBBLE_ALTERNATE_ROOTS", "2"))
	i, _ := p.issuer(t, p.ca())
	plain := issue(t, i, newRequest(t))
	if len(plain.Findings) > 0 {
		t.Errorf("findings %v", plain.Findings)
	}
	ca := p.ca()
	ca.PreferredChain = "ISRG Root X9"
	i, _ = p.issuer(t, ca)
	pair := issue(t, i, newRequest(t))
	if len(pair.Findings) != 1 || pair.Findings[0].Code != certwatch.CodeOtherChain || pair.Findings[0].Severity != certwatch.Warning ||
		!strings.Contains(pair.Findings[0].Text, `offers no chain of "ISRG Root X9"`) {
		t.Fatalf("findings %v", pair.Findings)
	}
	_, list, _ := strings.Cut(pair.Findings[0].Text, "it offers chains of ")
	names := strings.Split(list, `"`)
	if len(names) != 7 {
		t.Fatalf("offered: %s", list)
	}
	for _, name := range []string{names[1], names[3], names[5]} {
		ca.PreferredChain = name
		i, _ = p.issuer(t, ca)
		pair := issue(t, i, newRequest(t))
		certs := pair.Chain.Certificates()
		if got := certs[len(certs)-1].Issuer.CommonName; got != name || len(pair.Findings) > 0 {
			t.Errorf("chain of %q, want %q; findings %v", got, name, pair.Findings)
		}
	}
}

// TestAlternateOutOfReach: a certificate in hand is not lost because another way to a
// root cannot be had.
func TestAlternateOutOfReach(t *testing.T) {
	t.Parallel()
	p := startPebble(t, variable("PEBBLE_ALTERNATE_ROOTS", "2"))
	x := p.proxy(t)
	ca := p.ca()
	ca.Directory, ca.PreferredChain = x.directory, "ISRG Root X9"
	i, _ := p.issuer(t, ca)
	x.at("certificate", func(w http.ResponseWriter, r *http.Request, nth int) bool {
		return strings.Contains(r.URL.Path, "/alternate/") && page(503, "")(w, r, nth)
	})
	pair := issue(t, i, newRequest(t))
	if len(pair.Findings) != 1 || pair.Findings[0].Code != certwatch.CodeOtherChain {
		t.Errorf("findings %v", pair.Findings)
	}
	if n := x.count("order"); n != 1 {
		t.Errorf("%d orders for one certificate", n)
	}
}

// TestReplaces: a renewal is an order of its own that says what it replaces; a second one,
// and one by another account, go without.
func TestReplaces(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	i, log := p.issuer(t, p.ca())
	r := newRequest(t)
	old := issue(t, i, r).Chain.Leaf()
	r.Replaces = old
	issue(t, i, r)
	if strings.Contains(log.String(), "ordered without") {
		t.Errorf("the order did not replace:\n%s", log)
	}
	issue(t, i, r) // already replaced
	r.Replaces = issue(t, i, newRequest(t)).Chain.Leaf()
	stranger, log := p.issuer(t, p.ca())
	issue(t, stranger, r)
	if !strings.Contains(log.String(), "ordered without") {
		t.Errorf("another account's certificate was replaced:\n%s", log)
	}
}

func ed25519Key(t *testing.T) certwatch.Key {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := certwatch.ParseKey("key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return key
}
