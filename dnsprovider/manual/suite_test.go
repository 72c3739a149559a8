package manual_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/manual"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// minTTL is the lowest that the host's web interface takes, in seconds.
const minTTL = 60

// A person does what a notice says, in a zone, a while after it was told.
type person struct {
	t       *testing.T
	zone    *fakeapi.Zone
	notices chan manual.Notice

	mu        sync.Mutex
	rest      *sync.Cond
	told, did int
	before    func() // what happens before the next notice is looked at
}

func newPerson(t *testing.T, z *fakeapi.Zone) *person {
	p := &person{t: t, zone: z, notices: make(chan manual.Notice, 100)}
	p.rest = sync.NewCond(&p.mu)
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := range p.notices {
			p.do(n)
		}
	})
	t.Cleanup(func() {
		close(p.notices)
		wg.Wait()
	})
	return p
}

func (p *person) tell(_ context.Context, n manual.Notice) error {
	p.mu.Lock()
	p.told++
	p.mu.Unlock()
	p.notices <- n
	return nil
}

// atRest waits until all that was told is done.
func (p *person) atRest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.did < p.told {
		p.rest.Wait()
	}
}

func (p *person) do(n manual.Notice) {
	p.mu.Lock()
	before := p.before
	p.before = nil
	p.mu.Unlock()
	if before != nil {
		before()
	}
	for _, c := range n.Changes {
		remove := func() {
			for _, line := range c.Remove {
				gone := p.record(line)
				p.zone.Remove(func(r fakeapi.Record) bool {
					return r.Name == gone.Name && r.Type == gone.Type && strings.EqualFold(r.Data, gone.Data)
				})
			}
		}
		if c.TTLOnly { // the same record cannot stand there twice
			remove()
		}
		for _, line := range c.Add {
			r := p.record(line)
			p.zone.Add(r.Name, r.Type, max(r.TTL, minTTL), r.Data)
		}
		if !c.TTLOnly {
			remove()
		}
	}
	p.mu.Lock()
	p.did++
	p.mu.Unlock()
	p.rest.Broadcast()
}

// record reads a line of a zone.
func (p *person) record(line string) fakeapi.Record {
	fields := strings.SplitN(line, " ", 5)
	ttl, err := strconv.Atoi(fields[1])
	if err != nil || len(fields) != 5 || fields[2] != "IN" || fields[3] != "TLSA" {
		p.t.Errorf("no line of a zone: %q", line)
	}
	return fakeapi.Record{Name: fields[0], Type: fields[3], TTL: ttl, Data: fields[4]}
}

// patient is a provider whose caller asks again when the person has done it, as the agent
// does after a while.
type patient struct {
	*manual.Provider
	person *person
}

func (p patient) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	errs := p.Provider.Apply(ctx, zone, changes)
	for range 100 {
		var again []int
		var left []dnsprovider.Change
		for i, err := range errs {
			var byHand *dnsprovider.ByHandError
			if errors.As(err, &byHand) || err != nil && strings.Contains(err.Error(), "the change before it waits for a person") {
				again, left = append(again, i), append(left, changes[i])
			}
		}
		if len(left) == 0 {
			break
		}
		p.person.atRest()
		for i, err := range p.Provider.Apply(ctx, zone, left) {
			errs[again[i]] = err
		}
	}
	return errs
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		z := fakeapi.NewZone(zone)
		someone := newPerson(t, z)
		p, err := manual.New(manual.Config{Server: serve(t, primary(t, z)), Tell: []manual.Tell{someone.tell}, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		f := fakeapi.NewServer(z, nil).Fixture()
		f.Provider, f.MinTTL = patient{p, someone}, minTTL*time.Second
		f.Meanwhile = func(_ *testing.T, edit func()) {
			someone.mu.Lock()
			defer someone.mu.Unlock()
			someone.before = edit
		}
		f.Without = map[providertest.Part]string{
			providertest.LostReplies: "the person says nothing: what counts is what the primary has",
			providertest.Conditions:  "the person does what the lines say, whatever came meanwhile",
			providertest.Faults:      "there is no API; what a server may answer is a test of its own",
			providertest.Listings:    "names are asked for one by one",
		}
		return f
	})
}

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
