package scratch_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/scratch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var (
	here = netip.MustParseAddrPort("192.0.2.7:25")
	key  = tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("ab", 32)}
)

// world is a zone with a secondary, and a resolver that may hold older answers.
type world struct {
	*memory.Zone
	t         *testing.T
	domains   *scratch.Domains
	addresses map[string]string // zone line by name and type
	wildcard  bool
	security  lookup.Security
	stale     time.Time // until then the resolver denies what is new
	quiet     time.Time // until then it must not be asked
	asked     []string  // of the resolver
}

func newWorld(t *testing.T) *world {
	t.Helper()
	zone, err := memory.New(memory.Options{Name: "example.org", Secondaries: []string{"ns2"}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Zone: zone, t: t, addresses: map[string]string{}, security: lookup.Secure}
	var cases []sink.Case
	for _, k := range sink.Kinds() {
		c := sink.Case{Kind: k, Domain: string(k) + ".dane-check.example.org"}
		cases = append(cases, c)
		w.addresses[c.Domain+". A"] = c.Domain + ". 60 A 192.0.2.7"
	}
	w.domains = &scratch.Domains{
		Provider: zone, Zone: "example.org.", TTL: time.Minute, Cases: sink.Assign(cases, []netip.AddrPort{here}), Key: key,
		Look: func() scratch.Eyes { return w }, Every: time.Second, Tidy: time.Minute,
	}
	return w
}

func (w *world) records(server, name string, qtype uint16) (rrs []dns.RR) {
	if line := w.addresses[name+" "+dns.TypeToString[qtype]]; line != "" {
		rr, err := dns.NewRR(line)
		if err != nil {
			w.t.Error(err)
		}
		rrs = append(rrs, rr)
	}
	if answer, ok := w.Answer(server, tlsa.Owner(name)); ok && qtype == dns.TypeTLSA {
		for _, a := range answer.RRset.Associations {
			rr, err := dns.NewRR(name + " 60 TLSA " + a.String())
			if err != nil {
				w.t.Error(err)
			}
			rrs = append(rrs, rr)
		}
	}
	return rrs
}

func (w *world) Served(_ context.Context, zone, name string, qtype uint16) (views []lookup.ServedView, err error) {
	if zone != "example.org." {
		w.t.Errorf("zone %q", zone)
	}
	for _, server := range []string{"primary", "ns2"} {
		v := lookup.ServedView{Server: lookup.Server{Name: server}, Records: w.records(server, dns.Fqdn(name), qtype)}
		v.Wildcard = w.wildcard && qtype == dns.TypeA
		views = append(views, v)
	}
	return append(views, lookup.ServedView{Err: "no route", FamilyUntested: true}), nil
}

func (w *world) Ask(_ context.Context, name string, qtype uint16) lookup.Answer {
	w.asked = append(w.asked, name+" "+dns.TypeToString[qtype])
	if time.Now().Before(w.quiet) {
		w.t.Errorf("the resolver was asked for %s while a server lags", name)
	}
	a := lookup.Answer{Security: w.security, Text: "so it is"}
	if qtype != dns.TypeTLSA || time.Now().After(w.stale) {
		a.Records = w.records("primary", dns.Fqdn(name), qtype)
	}
	return a
}

// left is whether anything stands at a case's owner name.
func (w *world) left(k sink.Kind) bool {
	answer, _ := w.Answer("primary", owner(k))
	return !answer.RRset.Denial()
}

func owner(k sink.Kind) tlsa.Owner {
	return tlsa.Owner("_25._tcp." + string(k) + ".dane-check.example.org.")
}

// TestDomains: what a check does when all is well, with a secondary and a resolver that are late.
func TestDomains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if err := w.domains.CheckAddresses(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, question := range w.asked {
			if !strings.HasSuffix(question, " A") {
				t.Errorf("the resolver was asked %s before there is an answer", question)
			}
		}
		w.Follow("ns2", 2500*time.Millisecond)
		w.domains.Margin = time.Second
		w.quiet = time.Now().Add(3500 * time.Millisecond)
		w.stale = time.Now().Add(5500 * time.Millisecond)
		begun := time.Now()
		refused, err := w.domains.Publish(t.Context())
		if err != nil || len(refused) > 0 {
			t.Fatal(err, refused)
		}
		if err := w.domains.Await(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != 6*time.Second {
			t.Errorf("it took %s", took)
		}
		for _, k := range sink.Kinds() {
			if w.left(k) != (k != sink.None) {
				t.Errorf("%s: stands %t", k, w.left(k))
			}
		}
		if err := w.domains.TakeOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, k := range sink.Kinds() {
			if w.left(k) {
				t.Errorf("%s is left", k)
			}
		}
	})
}

// TestCheckAddresses: what the zone lacks is said with the lines that it wants.
func TestCheckAddresses(t *testing.T) {
	t.Parallel()
	const name = "right.dane-check.example.org"
	for want, change := range map[string]func(w *world){
		"example.org: the address of " + name + " is not as it has to be: primary has none; ns2 has none (hint: the zone wants these lines, which may stay:)\n" +
			name + ". 60 IN A 192.0.2.7\nwrong.dane-check.example.org. 60 IN A 192.0.2.7\n": func(w *world) { delete(w.addresses, name+". A") },
		"primary has 192.0.2.8; ns2 has 192.0.2.8 (hint: ":                             func(w *world) { w.addresses[name+". A"] = name + ". 60 A 192.0.2.8" },
		"primary has it from a wildcard, which ends where ":                            func(w *world) { w.wildcard = true },
		name + ": it is insecure, so no sender looks for TLSA records there: so it is": func(w *world) { w.security = lookup.Insecure },
	} {
		w := newWorld(t)
		change(w)
		if err := w.domains.CheckAddresses(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is\n%v, want\n%s", err, want)
		}
	}
}

// TestAwaitMX: mail that would go elsewhere tells nothing.
func TestAwaitMX(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.domains.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.addresses["right.dane-check.example.org. MX"] = "right.dane-check.example.org. 60 MX 0 right.dane-check.example.org."
	if err := w.domains.Await(t.Context()); err != nil {
		t.Error(err)
	}
	w.addresses["none.dane-check.example.org. MX"] = "none.dane-check.example.org. 60 MX 10 mx.example.org."
	if err := w.domains.Await(t.Context()); err == nil || err.Error() != "none.dane-check.example.org: mail for it goes to mx.example.org. (hint: take out its MX record)" {
		t.Errorf("error is %v", err)
	}
}

// TestPublishAgain: what a check left that was killed is replaced, what others wrote stands.
func TestPublishAgain(t *testing.T) {
	t.Parallel()
	killed, w := newWorld(t), newWorld(t)
	w.Zone, w.domains.Provider, w.domains.Key.Data = killed.Zone, killed.Zone, strings.Repeat("cd", 32)
	if _, err := killed.domains.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.domains.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if answer, _ := w.Answer("primary", owner(sink.Right)); answer.RRset.Has(key) || !answer.RRset.Has(w.domains.Key) {
		t.Errorf("there stands %v", answer.RRset)
	}
	foreign := tlsa.Association{Params: tlsa.TA, Data: strings.Repeat("ef", 32)}
	w.Set(owner(sink.Right), tlsa.NewRRset(time.Minute, append(sink.Right.Records(w.domains.Key), foreign)...))
	if err := w.domains.TakeOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer, _ := w.Answer("primary", owner(sink.Right))
	if !answer.RRset.Same(tlsa.NewRRset(0, foreign)) || w.left(sink.Wrong) {
		t.Errorf("there stands %v", answer.RRset)
	}
	for _, k := range []sink.Kind{sink.Right, sink.None} {
		w.Set(owner(sink.Right), tlsa.RRset{})
		w.Set(owner(k), tlsa.NewRRset(time.Minute, foreign))
		if _, err := w.domains.Publish(t.Context()); err == nil || !strings.Contains(err.Error(), "records stand there that are not of a check") {
			t.Errorf("%s: error is %v", k, err)
		}
		if w.left(sink.Wrong) {
			t.Errorf("%s: something was written", k)
		}
	}
}

// TestRefused: a case that a provider will not have is left out, if the check can do without.
func TestRefused(t *testing.T) {
	t.Parallel()
	for kind, cause := range map[sink.Kind]dnsprovider.Kind{sink.Unusable: dnsprovider.Refused, sink.Wrong: dnsprovider.Refused, sink.Agility: dnsprovider.Temporary} {
		w := newWorld(t)
		w.domains.Every = 0
		for range 3 {
			w.Inject(memory.Fails(cause, errors.New("matching type 255"), owner(kind)))
		}
		refused, err := w.domains.Publish(t.Context())
		if kind == sink.Unusable {
			if err != nil || refused[kind] == nil || len(w.domains.Cases) != len(sink.Kinds())-1 {
				t.Errorf("%s: %v, %v", kind, err, refused)
			}
			continue
		}
		if err == nil || len(refused) > 0 {
			t.Errorf("%s: %v, %v", kind, err, refused)
		}
		if err := w.domains.TakeOut(t.Context()); err != nil || w.left(sink.Right) {
			t.Errorf("%s: %v, left %t", kind, err, w.left(sink.Right))
		}
	}
}

// TestGivenUp: what is missing is said, and what was written is taken out.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Follow("ns2", time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := w.domains.Publish(ctx); err != nil {
			t.Fatal(err)
		}
		err := w.domains.Await(ctx)
		const want = "the records are not seen everywhere: ns2 has 0 records at _25._tcp.right.dane-check.example.org., not 2: context deadline exceeded (hint: "
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error is %v", err)
		}
		if err := w.domains.TakeOut(ctx); err != nil || w.left(sink.Right) {
			t.Errorf("%v, left %t", err, w.left(sink.Right))
		}
		if _, err := w.domains.Publish(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.Inject(memory.FailsToRead(dnsprovider.Temporary, errors.New("out of order")))
		}
		err = w.domains.TakeOut(ctx)
		if err == nil || !strings.Contains(err.Error(), "_25._tcp.right.dane-check.example.org.: records of the check may be left: ") || w.left(sink.Wrong) {
			t.Errorf("%v, left %t", err, w.left(sink.Wrong))
		}
	})
}

// TestUncertain: what may only be late or lost is tried again.
func TestUncertain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Inject(memory.LostReply())
		if _, err := w.domains.Publish(t.Context()); err != nil {
			t.Error(err)
		}
		w.Inject(memory.Fails(dnsprovider.Ignored, errors.New("nothing has changed"), owner(sink.Right)))
		w.Inject(memory.FailsToRead(dnsprovider.Temporary, errors.New("out of order")))
		if err := w.domains.TakeOut(t.Context()); err != nil {
			t.Error(err)
		}
		for _, k := range sink.Kinds() {
			if w.left(k) {
				t.Errorf("%s is left", k)
			}
		}
	})
}

// TestCheckBogus: a domain that is in order shows nothing.
func TestCheckBogus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := sink.Case{Kind: sink.Bogus, Domain: "bogus.example.net", Address: here}
	w.addresses["bogus.example.net. A"] = "bogus.example.net. 60 A 192.0.2.7"
	err := w.domains.CheckBogus(t.Context(), c, []netip.AddrPort{here})
	if err == nil || err.Error() != "--bogus bogus.example.net: it is secure, not bogus: so it is" {
		t.Errorf("error is %v", err)
	}
	w.security = lookup.Bogus
	if err := w.domains.CheckBogus(t.Context(), c, []netip.AddrPort{here}); err != nil {
		t.Error(err)
	}
	w.addresses["bogus.example.net. A"] = "bogus.example.net. 60 A 192.0.2.8"
	err = w.domains.CheckBogus(t.Context(), c, []netip.AddrPort{here})
	if err == nil || !strings.HasSuffix(err.Error(), "\nbogus.example.net. 60 IN A 192.0.2.7") {
		t.Errorf("error is %v", err)
	}
}
