// Package scratch puts up the scratch domains of a check of senders: it looks whether their
// addresses stand, which a person wrote, writes their TLSA records, waits until the world sees
// them, and takes them out again.
//
// A domain needs an address of its own: a wildcard ends at each name that exists, and the TLSA
// record makes its domain exist (RFC 4592, section 2.2.2). It needs no MX record, as RFC 7672,
// section 2.2.2 holds for a domain without one too.
package scratch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Domains are the scratch domains of one check.
type Domains struct {
	Provider dnsprovider.Provider
	Zone     string // absolute; all domains but that of [sink.Bogus] lie in it
	TTL      time.Duration
	Cases    []sink.Case
	Key      tlsa.Association // the sink's record

	// Margin is how long servers that cannot be seen from here may be behind those that can.
	Margin time.Duration

	// Look begins a look at DNS that remembers nothing.
	Look func() Eyes
	// Every is the pause between two looks.
	Every time.Duration
	// Tidy bounds the tidying up, which is done for a caller too who has given up.
	Tidy time.Duration
}

// Eyes look at DNS, as [lookup.Pass] does.
type Eyes interface {
	Served(ctx context.Context, zone, name string, qtype uint16) ([]lookup.ServedView, error)
	Ask(ctx context.Context, name string, qtype uint16) lookup.Answer
}

// records are those of a case.
func (d *Domains) records(c sink.Case) tlsa.RRset {
	return tlsa.NewRRset(d.TTL, c.Kind.Records(d.Key)...)
}

func owner(c sink.Case) tlsa.Owner { return tlsa.Owner("_25._tcp." + c.Domain + ".") }

// published are the cases with records.
func (d *Domains) published() (cases []sink.Case) {
	for _, c := range d.Cases {
		if !d.records(c).Denial() {
			cases = append(cases, c)
		}
	}
	return cases
}

// Publish writes the records of all cases. Records of an earlier check that was killed are
// known by their mark, and replaced; whatever else stands there is an error. A case without
// which the check can do is left out where the provider does not take its records, and the
// reason returned.
func (d *Domains) Publish(ctx context.Context) (refused map[sink.Kind]error, err error) {
	var changes []dnsprovider.Change
	for _, c := range d.Cases {
		if c.Kind == sink.Bogus {
			continue
		}
		before, err := d.Provider.RRset(ctx, d.Zone, owner(c))
		if err != nil {
			return nil, err
		}
		mark, marked := c.Kind.Mark()
		if !before.Denial() && !(marked && before.Has(mark)) {
			return nil, fmt.Errorf("%s: records stand there that are not of a check: %q (hint: name other domains with --name)", owner(c), before.Associations[0].String())
		}
		if marked {
			changes = append(changes, dnsprovider.Change{Owner: owner(c), Before: before, After: d.records(c)})
		}
	}
	cases := d.published()
	errs := d.apply(ctx, changes)
	refused = map[sink.Kind]error{}
	for i, err := range errs {
		if err != nil && !cases[i].Kind.Needed() && permanent(err) {
			refused[cases[i].Kind], errs[i] = err, nil
		}
	}
	var left []sink.Case
	for _, c := range d.Cases {
		if refused[c.Kind] == nil {
			left = append(left, c)
		}
	}
	d.Cases = left
	return refused, errors.Join(errs...)
}

// tries is how often a change is tried that may only be late, or lost.
const tries = 3

// apply carries out changes, those again of which it is not known what became.
func (d *Domains) apply(ctx context.Context, changes []dnsprovider.Change) []error {
	errs := d.Provider.Apply(ctx, d.Zone, changes)
	for i, c := range changes {
		for range tries - 1 {
			if !uncertain(errs[i]) || pause(ctx, d.Every) != nil {
				break
			}
			stands, err := d.Provider.RRset(ctx, d.Zone, c.Owner)
			if err == nil && !stands.Same(c.After) {
				if !stands.Same(c.Before) {
					break // somebody else's doing
				}
				err = d.Provider.Apply(ctx, d.Zone, []dnsprovider.Change{c})[0]
			}
			errs[i] = err
		}
	}
	return errs
}

// uncertain reports whether a change that ended so may have been made, or may be made yet.
func uncertain(err error) bool {
	return errors.Is(err, dnsprovider.ErrTemporary) || errors.Is(err, dnsprovider.ErrUnauthentic) || errors.Is(err, dnsprovider.ErrIgnored)
}

// permanent reports whether a provider will never take a change.
func permanent(err error) bool {
	for _, kind := range []error{dnsprovider.ErrRefused, dnsprovider.ErrUnsupported, dnsprovider.ErrMalformed, dnsprovider.ErrIgnored} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// TakeOut takes out what was written, and nothing else, though the caller has given up.
func (d *Domains) TakeOut(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.Tidy)
	defer cancel()
	var errs []error
	var changes []dnsprovider.Change
	left := func(owner tlsa.Owner, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: records of the check may be left: %w (hint: check again, which takes them out; or have the zone's administrator do so)", owner, err))
		}
	}
	for _, c := range d.published() {
		stands, err := d.Provider.RRset(ctx, d.Zone, owner(c))
		for range tries - 1 {
			if !uncertain(err) || pause(ctx, d.Every) != nil {
				break
			}
			stands, err = d.Provider.RRset(ctx, d.Zone, owner(c))
		}
		left(owner(c), err)
		if rest := stands.Without(c.Kind.Records(d.Key)...); err == nil && !rest.Same(stands) {
			changes = append(changes, dnsprovider.Change{Owner: owner(c), Before: stands, After: rest})
		}
	}
	for i, err := range d.apply(ctx, changes) {
		left(changes[i].Owner, err)
	}
	return errors.Join(errs...)
}

// Lines are what the administrator of the zone has to write, as in a zone file.
func (d *Domains) Lines() (lines []string) {
	for _, c := range d.Cases {
		if c.Kind != sink.Bogus {
			lines = append(lines, Line(c, d.TTL))
		}
	}
	return lines
}

// Line is the address record of one case.
func Line(c sink.Case, ttl time.Duration) string {
	return fmt.Sprintf("%s. %d IN %s %s", c.Domain, int(ttl/time.Second), dns.TypeToString[addressType(c)], c.Address.Addr())
}

// addressType is the type of a case's address record.
func addressType(c sink.Case) uint16 {
	if c.Address.Addr().Is4() {
		return dns.TypeA
	}
	return dns.TypeAAAA
}
