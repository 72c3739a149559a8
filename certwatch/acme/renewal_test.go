package acme

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// TestCertificateIDOfTheRFC is the example of RFC 9773. Like all vectors that others wrote it
// is not part of this repository.
func TestCertificateIDOfTheRFC(t *testing.T) {
	dir := os.Getenv("TLSAROLL_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, "rfc9773", name))
		if err != nil {
			t.Skipf("left out: %s: the example of RFC 9773: %v (hint: TLSAROLL_VECTORS names the folder; our own run in TestCertificateID)", t.Name(), err)
		}
		return text
	}
	var expected struct {
		ID string `json:"expected_ari_cert_id"`
	}
	if err := json.Unmarshal(read("expected.json"), &expected); err != nil || expected.ID == "" {
		t.Fatalf("%+v %v", expected, err)
	}
	block, _ := pem.Decode(read("appendix-a-cert.pem"))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := certificateID(leaf); err != nil || id != expected.ID {
		t.Errorf("identifier %q (%v), want %s", id, err, expected.ID)
	}
}

// TestCertificateID: both parts in base64url without padding; a serial number whose first
// bit is set has an octet more, as in DER.
func TestCertificateID(t *testing.T) {
	for want, leaf := range map[string]*x509.Certificate{
		"AQID.fw":  {AuthorityKeyId: []byte{1, 2, 3}, SerialNumber: big.NewInt(0x7f)},
		"AQID.AIA": {AuthorityKeyId: []byte{1, 2, 3}, SerialNumber: big.NewInt(0x80)},
		"_-8.AP__": {AuthorityKeyId: []byte{0xff, 0xef}, SerialNumber: big.NewInt(0xffff)},
		"":         {SerialNumber: big.NewInt(1)},
		"unnamed":  {AuthorityKeyId: []byte{1}},
	} {
		id, err := certificateID(leaf)
		if unnamed := leaf.SerialNumber == nil || leaf.AuthorityKeyId == nil; unnamed != (err != nil) || !unnamed && id != want {
			t.Errorf("identifier %q (%v), want %q", id, err, want)
		}
	}
}

// TestRenewal walks through what a CA may say of one certificate.
func TestRenewal(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	i, log := p.issuer(t, p.ca())
	leaf := issue(t, i, newRequest(t)).Chain.Leaf()
	clock := leaf.NotBefore.Add(time.Hour)
	i.cfg.Now = func() time.Time { return clock }
	third := leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3)
	said := func(start, end time.Time, more string) string {
		return fmt.Sprintf(`{"suggestedWindow":{"start":%q,"end":%q}%s}`, start.Format(time.RFC3339), end.Format(time.RFC3339), more)
	}
	ask := func(at time.Time) certwatch.Renewal {
		t.Helper()
		clock = at
		r, err := i.Renewal(t.Context(), leaf)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	within := func(r certwatch.Renewal, start, end time.Time) {
		t.Helper()
		if r.At.Before(start) || !r.At.Before(end) || !strings.HasPrefix(r.Reason, p.host+" wants it between ") {
			t.Errorf("renew at %s (%s), want between %s and %s", r.At, r.Reason, start, end)
		}
	}

	first := ask(clock)
	within(first, clock, leaf.NotAfter)
	if wait := first.Again.Sub(clock); wait != 6*time.Hour { // Pebble's Retry-After
		t.Errorf("ask again after %s", wait)
	}
	start, end := clock.Add(20*24*time.Hour), clock.Add(22*24*time.Hour)
	p.setRenewal(t, leaf, said(start, end, `,"explanationURL":"https://ca.example/why"`))
	if r := ask(first.Again.Add(-time.Second)); r != first {
		t.Errorf("asked too soon: %+v", r)
	}
	second := ask(first.Again)
	within(second, start, end)
	if !strings.HasSuffix(second.Reason, ": https://ca.example/why") {
		t.Errorf("reason %q", second.Reason)
	}

	// The moment is the same after a restart.
	restarted, _ := newIssuer(t, i.cfg)
	if r, err := restarted.Renewal(t.Context(), leaf); err != nil || !r.At.Equal(second.At) {
		t.Errorf("after a restart: %s (%v), before %s", r.At, err, second.At)
	}

	// What cannot be believed changes nothing, and is no reason to renew.
	r := second
	for _, text := range []string{
		"garbage", "{}", `{"suggestedWindow":{}}`, `{"suggestedWindow":{"start":"soon","end":"later"}}`,
		said(end, start, ""), said(start, start, ""),
		said(time.Time{}, time.Time{}.Add(time.Hour), ""), said(time.Time{}, leaf.NotAfter, ""),
		said(leaf.NotAfter.Add(time.Hour), leaf.NotAfter.Add(2*time.Hour), ""),
	} {
		p.setRenewal(t, leaf, text)
		before := r
		r = ask(before.Again)
		if !r.At.Equal(second.At) {
			t.Errorf("after %s: renew at %s, before %s", text, r.At, second.At)
		}
		if wait := r.Again.Sub(clock); wait != longTerm {
			t.Errorf("after %s: ask again after %s", text, wait)
		}
	}

	// Pulled to now, as when many certificates are revoked at once.
	p.setRenewal(t, leaf, said(clock.Add(-2*time.Hour), clock.Add(-time.Hour), ""))
	if r := ask(r.Again); r.At.After(clock) {
		t.Errorf("renew at %s, and it is %s", r.At, clock)
	}

	// An issuer that never heard anything goes by the lifetime.
	p.setRenewal(t, leaf, "garbage")
	deaf, _ := newIssuer(t, i.cfg)
	if r, err := deaf.Renewal(t.Context(), leaf); err != nil || !r.At.Equal(third) || r.Reason != "a third of its lifetime is left then" {
		t.Errorf("renew at %+v (%v), want %s", r, err, third)
	}
	// After its end nobody is asked any more.
	clock = leaf.NotAfter.Add(time.Hour)
	over, _ := newIssuer(t, i.cfg)
	if r, err := over.Renewal(t.Context(), leaf); err != nil || !r.Again.IsZero() || !r.At.Equal(third) {
		t.Errorf("after the end: %+v (%v)", r, err)
	}
	if t.Failed() {
		t.Log(log)
	}
}

// TestRenewalInTrouble: how soon a CA is asked again that gives no answer, and that what it
// said before still counts.
func TestRenewalInTrouble(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	x := p.proxy(t)
	ca := p.ca()
	ca.Directory = x.directory
	i, _ := p.issuer(t, ca)
	leaf := issue(t, i, newRequest(t)).Chain.Leaf()
	third := leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3)
	good := func(retryAfter string) fault {
		window := fmt.Sprintf(`{"suggestedWindow":{"start":%q,"end":%q}}`, leaf.NotBefore.Add(24*time.Hour).Format(time.RFC3339), leaf.NotBefore.Add(48*time.Hour).Format(time.RFC3339))
		return page(200, window, "Retry-After", retryAfter)
	}
	passing := []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, longTerm, time.Minute}
	for _, test := range []struct {
		name, step string
		f          fault
		waits      []time.Duration
	}{
		{"unknown", "renewal", problemReply(404, "malformed", "no such certificate"), []time.Duration{longTerm, longTerm}},
		{"page", "renewal", page(404, "not found"), []time.Duration{longTerm}},
		{"internal", "renewal", problemReply(500, "serverInternal", "oops"), passing},
		{"a body without a window", "renewal", page(200, "null"), []time.Duration{longTerm}},
		{"hangs up", "renewal", hangUp, passing[:2]},
		{"limits", "renewal", problemReply(429, "rateLimited", "too many"), passing[:2]},
		{"down", "directory", hangUp, passing[:2]},
		{"soon", "renewal", good("1"), []time.Duration{time.Minute}},
		{"next year", "renewal", good("31536000"), []time.Duration{24 * time.Hour}},
		{"unreadable", "renewal", good("whenever"), []time.Duration{longTerm}},
	} {
		clock := leaf.NotBefore.Add(time.Hour)
		cfg := i.cfg
		cfg.Now = func() time.Time { return clock }
		lost, _ := newIssuer(t, cfg)
		x.at(test.step, test.f)
		for n, want := range test.waits {
			r, err := lost.Renewal(t.Context(), leaf)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Again.Sub(clock); got != want {
				t.Errorf("%s: wait %d is %s, want %s", test.name, n, got, want)
			}
			if heard := r.At.Before(third); !r.At.Equal(third) && !heard || heard != strings.HasPrefix(r.Reason, ca.name()) {
				t.Errorf("%s: renew at %+v", test.name, r)
			}
			clock = r.Again
		}
		// It was heard once, and then no more.
		x.at("renewal", good("60"))
		clock = clock.Add(longTerm)
		heard, err := lost.Renewal(t.Context(), leaf)
		if err != nil || !heard.At.Before(third) {
			t.Fatalf("%s: %+v %v", test.name, heard, err)
		}
		x.at(test.step, test.f)
		clock = heard.Again
		if r, err := lost.Renewal(t.Context(), leaf); err != nil || !r.At.Equal(heard.At) {
			t.Errorf("%s: renew at %s, and before it was %s (%v)", test.name, r.At, heard.At, err)
		}
	}

	// A CA without renewal information, and a caller who gives up.
	x.at("directory", page(200, `{"newNonce":"https://127.0.0.1:1/n","newAccount":"https://127.0.0.1:1/a","newOrder":"https://127.0.0.1:1/o"}`))
	clock := leaf.NotBefore.Add(time.Hour)
	cfg := i.cfg
	cfg.Now = func() time.Time { return clock }
	none, _ := newIssuer(t, cfg)
	if r, err := none.Renewal(t.Context(), leaf); err != nil || !r.At.Equal(third) || r.Again.Sub(clock) != noOffer {
		t.Errorf("%+v %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	other, _ := newIssuer(t, cfg)
	if _, err := other.Renewal(ctx, leaf); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// TestSeveralCAsAreAsked: the one that issued the certificate is not known, and the others do
// not know it.
func TestSeveralCAsAreAsked(t *testing.T) {
	t.Parallel()
	p, other := startPebble(t), startPebble(t)
	issued, _ := p.issuer(t, p.ca())
	leaf := issue(t, issued, newRequest(t)).Chain.Leaf()
	i, _ := p.issuer(t, other.ca(), p.ca())
	i.cfg.Now = func() time.Time { return leaf.NotBefore.Add(time.Hour) }
	if r, err := i.Renewal(t.Context(), leaf); err != nil || !strings.HasPrefix(r.Reason, p.host+" wants it") {
		t.Errorf("%+v %v", r, err)
	}
}

// TestMoment: by what is known, without a CA.
func TestMoment(t *testing.T) {
	leaf := certificateFor(t, 90*24*time.Hour)
	day := func(n int) time.Time { return leaf.NotBefore.Add(time.Duration(n) * 24 * time.Hour) }
	third := day(60)
	for _, test := range []struct {
		name       string
		start, end time.Time
		least      time.Time
		most       time.Time
	}{
		{"none", time.Time{}, time.Time{}, third, third},
		{"before the third", day(40), day(42), day(40), day(42)},
		{"behind the third, as the CA says", day(70), day(72), day(70), day(72)},
		{"over the end", day(70), day(120), third, third},
		{"from before the third over the end", day(59), day(91), day(59), third},
		{"to the end of time", day(1), day(1).AddDate(9000, 0, 0), day(1), third},
	} {
		k := knowledge{window: window{start: test.start, end: test.end}}
		if test.start.IsZero() {
			k = knowledge{}
		}
		if r := moment(leaf, k); r.At.Before(test.least) || r.At.After(test.most) {
			t.Errorf("%s: %s, want between %s and %s", test.name, r.At, test.least, test.most)
		}
	}
	// Different certificates draw different moments, and use the whole window.
	w := window{start: day(40), end: day(50)}
	early, late, seen := 0, 0, map[time.Time]bool{}
	for range 40 {
		at := w.at(certificateFor(t, 90*24*time.Hour))
		seen[at] = true
		if at.Before(day(45)) {
			early++
		} else {
			late++
		}
	}
	if len(seen) < 35 || early < 5 || late < 5 {
		t.Errorf("%d moments, %d in the first half, %d in the second", len(seen), early, late)
	}
}

// certificateFor makes a certificate of a certain lifetime.
func certificateFor(t testing.TB, lifetime time.Duration) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: begin, NotAfter: begin.Add(lifetime), AuthorityKeyId: []byte{1}, DNSNames: []string{"mx1.example.org"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	within := span{time.Minute, 24 * time.Hour}
	for header, want := range map[string]time.Duration{
		"3600": time.Hour, " 3600 ": time.Hour, "0": time.Minute, "59": time.Minute, "86401": 24 * time.Hour, "4294967295": 24 * time.Hour,
		now.Add(2 * time.Hour).Format(http.TimeFormat): 2 * time.Hour, "Thu, 01 Jan 1970 00:00:00 GMT": time.Minute, "Fri, 31 Dec 9999 23:59:59 GMT": 24 * time.Hour,
		"": -1, "-1": -1, "1.5": -1, "4294967296": -1, "soon": -1, "0x10": -1, "1h": -1,
	} {
		if got, ok := parseRetryAfter(header, now, within); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %s %v, want %s", header, got, ok, want)
		}
	}
}

// FuzzRenewalInfo feeds replies of any kind: what is taken for a window has a length, and a
// moment of it lies within it and before the certificate's end.
func FuzzRenewalInfo(f *testing.F) {
	leaf := certificateFor(f, 90*24*time.Hour)
	f.Add([]byte(`{"suggestedWindow":{"start":"2026-12-01T00:00:00Z","end":"2026-12-03T00:00:00Z"},"explanationURL":"https://a.example/"}`))
	f.Add([]byte(`{"suggestedWindow":{"start":"0001-01-01T00:00:00Z","end":"9999-12-31T23:59:59Z"}}`))
	f.Add([]byte(`{"suggestedWindow":{"start":"2026-12-03T00:00:00+23:59","end":"2026-12-01T00:00:00Z"}}`))
	f.Add([]byte(`{"type":"urn:ietf:params:acme:error:serverInternal","detail":"oops"}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, body []byte) {
		w, err := parseWindow(body)
		if err != nil {
			if w != (window{}) {
				t.Errorf("an error and %+v", w)
			}
			return
		}
		if !w.start.Before(w.end) || w.sane(leaf) != nil {
			return
		}
		third := leaf.NotBefore.Add(60 * 24 * time.Hour)
		if r := moment(leaf, knowledge{window: w}); r.At.After(third) && !r.At.Before(leaf.NotAfter) || r.At.Before(leaf.NotBefore.Add(-longLead)) {
			t.Errorf("%s: renew at %s", body, r.At)
		}
		if strings.ContainsAny(w.explanation, "\n\r\x1b\x00") {
			t.Errorf("explanation %q", w.explanation)
		}
	})
}

// FuzzRetryAfter: whatever the header says, the wait is within its bounds.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"120", "0", "", "Thu, 01 Jan 1970 00:00:00 GMT", "99999999999999999999", "-1", "Sunday, 06-Nov-94 08:49:37 GMT"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, header string) {
		if wait, ok := parseRetryAfter(header, now, askAgain); ok && (wait < askAgain.least || wait > askAgain.most) || !ok && wait != 0 {
			t.Errorf("%q: %s", header, wait)
		}
	})
}

// FuzzKept feeds the files that are kept: what is read of them is what may be used.
func FuzzKept(f *testing.F) {
	note, err := json.Marshal(note{"_acme-challenge.mx1.example.org.", "value"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(note)
	f.Add([]byte(`{"directory":"https://a.example/dir","uri":"https://a.example/1"}`))
	f.Add([]byte(`{"uri":"javascript:1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if uri := parseURI(text); uri != "" && !strings.HasPrefix(uri, "https://") {
			t.Errorf("URI %q", uri)
		}
		if n, ok := parseNote(text); ok && (n.Name == "" || n.Value == "") {
			t.Errorf("note %+v", n)
		}
	})
}

// FuzzChain feeds certificates of any kind: one that is not of the ordered key is never
// taken.
func FuzzChain(f *testing.F) {
	leaf := certificateFor(f, time.Hour)
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"))
	f.Add([]byte{})
	key, err := certwatch.EC256.Generate()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, chain []byte) {
		got, _ := choose("ca", [][]byte{chain}, "ISRG Root X1")
		if _, err := check(got, certwatch.Request{Names: []string{"mx1.example.org"}, Key: key}); err == nil {
			t.Error("a certificate of another key was taken")
		}
	})
}
