package memory_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const owner = tlsa.Owner("_25._tcp.mx.example.org.")

func record(digit string) tlsa.Association {
	return tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("a"+digit, 32)}
}

func rrset(digits ...string) tlsa.RRset {
	s := tlsa.RRset{TTL: time.Hour}
	for _, d := range digits {
		s = s.With(record(d))
	}
	return s
}

// answers says what each server answers at owner: the last digit of each record.
func answers(zone *memory.Zone, owner tlsa.Owner) map[string]string {
	said := map[string]string{}
	for _, server := range zone.Servers() {
		said[server] = ""
		answer, ok := zone.Answer(server, owner)
		switch {
		case !ok:
			said[server] = "no answer"
		case answer.Alias != "":
			said[server] = "alias " + string(answer.Alias)
		default:
			for _, a := range answer.RRset.Associations {
				said[server] += a.Data[1:2]
			}
		}
	}
	return said
}

func expect(t *testing.T, zone *memory.Zone, owner tlsa.Owner, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, answers(zone, owner)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func apply(t *testing.T, zone *memory.Zone, before, after tlsa.RRset) error {
	t.Helper()
	return zone.Apply(t.Context(), zone.Name(), []dnsprovider.Change{{Owner: owner, Before: before, After: after}})[0]
}

func TestSecondariesFollowWithTheirLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := newZone(t, "ns2", "ns3")
		zone.Follow("ns3", 5*time.Minute)
		if err := apply(t, zone, tlsa.RRset{}, rrset("1")); err != nil {
			t.Fatal(err)
		}
		expect(t, zone, owner, map[string]string{"primary": "1", "ns2": "1", "ns3": ""})
		time.Sleep(3 * time.Minute)
		if err := apply(t, zone, rrset("1"), rrset("1", "2")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2*time.Minute - time.Second)
		expect(t, zone, owner, map[string]string{"primary": "12", "ns2": "12", "ns3": ""})
		time.Sleep(time.Second)
		expect(t, zone, owner, map[string]string{"primary": "12", "ns2": "12", "ns3": "1"})
		time.Sleep(3 * time.Minute)
		expect(t, zone, owner, map[string]string{"primary": "12", "ns2": "12", "ns3": "12"})
	})
}

func TestHeldSecondary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := newZone(t, "ns2")
		zone.Hold("ns2")
		zone.Set(owner, rrset("1"))
		time.Sleep(24 * time.Hour)
		expect(t, zone, owner, map[string]string{"primary": "1", "ns2": ""})
		zone.Transfer("ns2")
		zone.Set(owner, rrset("2"))
		time.Sleep(24 * time.Hour)
		expect(t, zone, owner, map[string]string{"primary": "2", "ns2": "1"})
		zone.Follow("ns2", time.Minute)
		expect(t, zone, owner, map[string]string{"primary": "2", "ns2": "2"})
	})
}

func TestALongerLagTakesNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := newZone(t, "ns2")
		zone.Set(owner, rrset("1"))
		zone.Follow("ns2", time.Hour)
		zone.Set(owner, rrset("2"))
		expect(t, zone, owner, map[string]string{"primary": "2", "ns2": "1"})
	})
}

func TestServerDown(t *testing.T) {
	zone := newZone(t, "ns2")
	zone.Down("ns2")
	zone.Set(owner, rrset("1"))
	expect(t, zone, owner, map[string]string{"primary": "1", "ns2": "no answer"})
	zone.Up("ns2")
	zone.Down("primary")
	expect(t, zone, owner, map[string]string{"primary": "no answer", "ns2": "1"})
	if err := apply(t, zone, rrset("1"), rrset("2")); !errors.Is(err, dnsprovider.ErrTemporary) {
		t.Errorf("change at a primary that is down: %v", err)
	}
	if _, err := zone.RRset(t.Context(), "", owner); !errors.Is(err, dnsprovider.ErrTemporary) {
		t.Errorf("read at a primary that is down: %v", err)
	}
}

func TestRestoreAndRewind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := newZone(t, "ns2")
		other := tlsa.Owner("_465._tcp.mx.example.org.")
		zone.Set(owner, rrset("1"))
		backup := time.Now()
		time.Sleep(time.Hour)
		zone.Set(owner, rrset("1", "2"))
		zone.Set(other, rrset("3"))
		zone.Rewind("ns2", backup)
		expect(t, zone, owner, map[string]string{"primary": "12", "ns2": "1"})
		expect(t, zone, other, map[string]string{"primary": "3", "ns2": ""})
		zone.Restore(backup)
		expect(t, zone, owner, map[string]string{"primary": "1", "ns2": "1"})
		expect(t, zone, other, map[string]string{"primary": "", "ns2": ""})
		if got, want := zone.Owners(), []tlsa.Owner{owner}; !cmp.Equal(got, want) {
			t.Errorf("owners are %v, want %v", got, want)
		}
	})
}

func TestAnswerIsADenialWithItsTTL(t *testing.T) {
	zone, err := memory.New(memory.Options{Name: "example.org", Now: time.Now, NegativeTTL: 15 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	answer, ok := zone.Answer("primary", owner)
	if !ok || !answer.RRset.Denial() || answer.RRset.TTL != 15*time.Minute {
		t.Errorf("answer is %+v, %v", answer, ok)
	}
	if _, ok := zone.Answer("primary", "_25._tcp.mx.example.net."); ok {
		t.Error("an answer for another zone's name")
	}
	if _, ok := zone.Answer("ns9", owner); ok {
		t.Error("an answer from a server that is none")
	}
}

func TestWildcard(t *testing.T) {
	zone := newZone(t)
	zone.Set("*._tcp.mx.example.org.", rrset("9"))
	expect(t, zone, owner, map[string]string{"primary": "9"})
	expect(t, zone, "_25._udp.mx.example.org.", map[string]string{"primary": ""})
	expect(t, zone, "x._25._tcp.mx.example.org.", map[string]string{"primary": "9"})

	if read, err := zone.RRset(t.Context(), "", owner); err != nil || !read.Denial() {
		t.Errorf("the copy at the name itself: %v, %v", read, err)
	}
	if err := apply(t, zone, tlsa.RRset{}, rrset("1")); err != nil {
		t.Fatal(err)
	}
	expect(t, zone, owner, map[string]string{"primary": "1"})
	expect(t, zone, "x._25._tcp.mx.example.org.", map[string]string{"primary": ""}) // RFC 4592, section 2.2.1
	zone.Remove(owner)
	expect(t, zone, owner, map[string]string{"primary": "9"})
}

func TestAlias(t *testing.T) {
	zone := newZone(t)
	zone.Alias(owner, "_dane.example.org.", 20*time.Minute)
	answer, _ := zone.Answer("primary", owner)
	if answer.Alias != "_dane.example.org." || answer.AliasTTL != 20*time.Minute {
		t.Errorf("answer is %+v", answer)
	}
	_, err := zone.RRset(t.Context(), "", owner)
	const want = `read _25._tcp.mx.example.org.: memory: a CNAME at _25._tcp.mx.example.org. leads to _dane.example.org., and no other record can stand beside it (hint: the records belong at _dane.example.org., written by whoever holds that zone; or remove the CNAME)`
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
	var alias *dnsprovider.AliasError
	if !errors.As(err, &alias) || alias.Target != "_dane.example.org." {
		t.Errorf("no target in %#v", err)
	}
}

func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := newZone(t)
		begin := time.Now()
		zone.Set(owner, rrset("f"))
		time.Sleep(time.Minute)
		if err := apply(t, zone, rrset("f"), rrset("f", "1")); err != nil {
			t.Fatal(err)
		}
		if err := apply(t, zone, rrset("f"), rrset("f", "1")); err != nil { // once more: no edit
			t.Fatal(err)
		}
		want := []memory.Version{
			{At: begin, Serial: 2, RRset: rrset("f"), By: memory.ByHand},
			{At: begin.Add(time.Minute), Serial: 3, RRset: rrset("f", "1"), By: memory.ByProvider},
		}
		if diff := cmp.Diff(want, zone.History(owner)); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
	})
}

func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := newZone(t)
		cause := errors.New("rate limit")
		zone.Inject(memory.Fails(dnsprovider.Temporary, cause), memory.LostReply(), memory.Fails(dnsprovider.Conflict, nil, "_465._tcp.mx.example.org."))

		if err := apply(t, zone, tlsa.RRset{}, rrset("1")); !errors.Is(err, cause) || !errors.Is(err, dnsprovider.ErrTemporary) {
			t.Errorf("first: %v", err)
		}
		expect(t, zone, owner, map[string]string{"primary": ""})

		if err := apply(t, zone, tlsa.RRset{}, rrset("1")); !errors.Is(err, dnsprovider.ErrTemporary) {
			t.Errorf("second: %v", err)
		}
		expect(t, zone, owner, map[string]string{"primary": "1"})

		errs := zone.Apply(t.Context(), "", []dnsprovider.Change{
			{Owner: "_465._tcp.mx.example.org.", After: rrset("1")},
			{Owner: owner, Before: rrset("1"), After: rrset("2")},
		})
		if !errors.Is(errs[0], dnsprovider.ErrConflict) || errs[1] != nil {
			t.Errorf("third: %v", errs)
		}
		expect(t, zone, owner, map[string]string{"primary": "2"})
		expect(t, zone, "_465._tcp.mx.example.org.", map[string]string{"primary": ""})

		zone.Inject(memory.FailsToRead(dnsprovider.Refused, cause), memory.SlowToRead(time.Minute), memory.Slow(time.Hour))
		if _, err := zone.RRset(t.Context(), "", owner); !errors.Is(err, dnsprovider.ErrRefused) {
			t.Errorf("read: %v", err)
		}
		begin := time.Now()
		if _, err := zone.RRset(t.Context(), "", owner); err != nil || time.Since(begin) != time.Minute {
			t.Errorf("slow read: %v after %s", err, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		errs = zone.Apply(ctx, "", []dnsprovider.Change{{Owner: owner, Before: rrset("2"), After: rrset("3")}})
		if !errors.Is(errs[0], context.DeadlineExceeded) {
			t.Errorf("slow change: %v", errs)
		}
		expect(t, zone, owner, map[string]string{"primary": "2"})
	})
}

func TestMinTTL(t *testing.T) {
	zone, err := memory.New(memory.Options{Name: "example.org", Now: time.Now, MinTTL: 2 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := apply(t, zone, tlsa.RRset{}, rrset("1")); err != nil {
		t.Fatal(err)
	}
	if read, err := zone.RRset(t.Context(), "", owner); err != nil || read.TTL != 2*time.Hour {
		t.Errorf("read %v, %v", read, err)
	}
}

func TestContentStandsOnEveryServer(t *testing.T) {
	zone, err := memory.New(memory.Options{
		Name: "Example.ORG", Primary: "ns1", Secondaries: []string{"ns2"}, Now: time.Now,
		Content: map[tlsa.Owner]tlsa.RRset{owner: rrset("1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	zone.Hold("ns2")
	expect(t, zone, owner, map[string]string{"ns1": "1", "ns2": "1"})
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		options memory.Options
		want    string
	}{
		{memory.Options{Now: time.Now}, "memory: zone without a name"},
		{memory.Options{Name: "example..org", Now: time.Now}, `memory: zone: name "example..org": an empty label`},
		{memory.Options{Name: "example.org"}, "memory: zone example.org.: no clock"},
		{memory.Options{Name: "example.org", Now: time.Now, Secondaries: []string{"ns2", "ns2"}}, `memory: zone example.org.: two servers named "ns2"`},
		{memory.Options{Name: "example.net", Now: time.Now, Content: map[tlsa.Owner]tlsa.RRset{owner: rrset("1")}},
			"memory: zone example.net.: _25._tcp.mx.example.org. lies outside of it"},
	} {
		if _, err := memory.New(test.options); err == nil || err.Error() != test.want {
			t.Errorf("error is %v, want %s", err, test.want)
		}
	}
}

// TestWhatIsReturnedIsACopy: a caller that changes what it got changes nothing here.
func TestWhatIsReturnedIsACopy(t *testing.T) {
	zone := newZone(t)
	zone.Set(owner, rrset("1", "2"))
	read, err := zone.RRset(t.Context(), "", owner)
	if err != nil {
		t.Fatal(err)
	}
	read.Associations[0] = record("f")
	answer, _ := zone.Answer("primary", owner)
	answer.RRset.Associations[0] = record("f")
	zone.History(owner)[0].RRset.Associations[0] = record("f")
	expect(t, zone, owner, map[string]string{"primary": "12"})
}

func TestConcurrentUse(t *testing.T) {
	zone := newZone(t, "ns2")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				zone.Set(owner, rrset("1"))
				zone.Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, Before: rrset("1"), After: rrset("2")}})
				zone.Answer("ns2", owner)
				zone.Hold("ns2")
				zone.Transfer("ns2")
				zone.Follow("ns2", 0)
				zone.Down("ns2")
				zone.Up("ns2")
				zone.History(owner)
				zone.Owners()
			}
		})
	}
	wg.Wait()
}
