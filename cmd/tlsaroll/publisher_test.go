package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// publisherProgram is the program without its rules: it makes the providers of a configuration
// as the program does, and has them change a zone. It is a process of its own, as where HTTP
// is led to is read from the environment once.
const publisherProgram = "tlsaroll-publisher"

// byHands is the provider that does what another asks a person for.
const byHands = "hands"

// publisherMain is called with the file of a configuration and either "publish" and the zone, or
// "read", the zone and at how many names at once.
func publisherMain() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := publisher(ctx, os.Args[1], os.Args[2], os.Args[3:]...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func publisher(ctx context.Context, file, what string, args ...string) error {
	w := quiet()
	w.stderr, w.lookupEnv = os.Stderr, os.LookupEnv
	p := newProgram(w)
	p.configFile = file
	_, wired, err := p.load()
	if err != nil {
		return err
	}
	if what == "read" {
		at, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return readAtOnce(ctx, wired.Providers, args[0], at)
	}
	hands := slices.IndexFunc(wired.Providers, func(x agent.Provider) bool { return x.Name == byHands })
	for i, x := range wired.Providers {
		if i == hands {
			continue
		}
		one := publishing{provider: x.Provider, zone: args[0], owner: tlsa.Owner("_25._tcp.mx9." + args[0])}
		if hands >= 0 {
			one.hands = wired.Providers[hands].Provider
		}
		if err := one.steps(ctx); err != nil {
			return fmt.Errorf("%s: %w", x.Name, err)
		}
	}
	return nil
}

// publishing is one provider at work at one owner name.
type publishing struct {
	provider, hands dnsprovider.Provider
	zone            string
	owner           tlsa.Owner
	stands          tlsa.RRset
}

// steps publishes two records, removes the one and then the other; and likewise a TXT
// value, if the provider can.
func (p *publishing) steps(ctx context.Context) error {
	var two []tlsa.Association
	for _, digit := range []string{"1", "2"} {
		a, err := tlsa.ParseAssociation("3 1 1 " + strings.Repeat(digit, 64))
		if err != nil {
			return err
		}
		two = append(two, a)
	}
	for _, after := range [][]tlsa.Association{two, two[1:], nil} {
		if err := p.step(dnsprovider.OnePass(ctx), after); err != nil {
			return fmt.Errorf("to %d records: %w", len(after), err)
		}
	}
	provider := p.provider.(heard).Provider
	txt, ok := provider.(dnsprovider.TXTProvider)
	if !ok {
		return nil
	}
	name := tlsa.Owner("_acme-challenge.mx9." + p.zone)
	return errors.Join(txt.AddTXT(ctx, p.zone, name, "value", time.Hour), txt.RemoveTXT(ctx, p.zone, name, "value"))
}

func (p *publishing) step(ctx context.Context, after []tlsa.Association) error {
	before, err := p.provider.RRset(ctx, p.zone, p.owner)
	if err != nil {
		return err
	}
	if !before.Same(p.stands) {
		return fmt.Errorf("it has %v, want %v", before, p.stands)
	}
	change := dnsprovider.Change{Owner: p.owner, Before: before, After: tlsa.NewRRset(time.Hour, after...)}
	err = p.provider.Apply(ctx, p.zone, []dnsprovider.Change{change})[0]
	var person *dnsprovider.ByHandError
	if p.hands != nil && errors.As(err, &person) {
		if err := p.hands.Apply(ctx, p.zone, []dnsprovider.Change{change})[0]; err != nil {
			return fmt.Errorf("by hand: %w", err)
		}
		err = p.provider.Apply(ctx, p.zone, []dnsprovider.Change{change})[0]
	}
	if err != nil {
		return err
	}
	now, err := p.provider.RRset(dnsprovider.OnePass(ctx), p.zone, p.owner)
	if err == nil && !now.Same(change.After) {
		err = fmt.Errorf("it has %v, want %v", now, change.After)
	}
	p.stands = change.After
	return err
}

// readAtOnce has all providers read at so many names at once.
func readAtOnce(ctx context.Context, providers []agent.Provider, zone string, at int) error {
	var wg sync.WaitGroup
	errs := make([]error, at*len(providers))
	for i, x := range providers {
		for j := range at {
			wg.Go(func() {
				_, err := x.Provider.RRset(ctx, zone, tlsa.Owner(fmt.Sprintf("_25._tcp.mx%d.%s", j, zone)))
				errs[i*at+j] = err
			})
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}
