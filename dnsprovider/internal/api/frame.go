package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Frame is what all providers over an API are the same in: it checks what is asked,
// finds the zone, lets one at a time change it, and puts results into words.
type Frame[R any] struct {
	Name string // stands for the provider in errors
	// Find finds the zone that owner lies in, and how the host calls it: the one given, or,
	// if that is empty, whichever it is.
	Find func(ctx context.Context, zone string, owner tlsa.Owner) (Host[R], string, *Trouble)
	// MinTTL and MaxTTL are what the host takes; what is beyond is brought within.
	MinTTL, MaxTTL time.Duration
	// InSteps is for hosts at which a change adds first and removes then: one that was cut
	// short in between is taken up again.
	InSteps bool

	turns turns
}

// The operations that errors name.
const (
	opRead   = "read"
	opChange = "change"
	opAdd    = "add TXT at"
	opRemove = "remove TXT at"
)

// RRset is that of [dnsprovider.Provider].
func (f *Frame[R]) RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
	if canonical, err := tlsa.ParseOwner(string(owner)); err != nil || canonical != owner {
		t := &Trouble{Kind: dnsprovider.Malformed, Err: fmt.Errorf("owner name %q: not canonical", string(owner))}
		return tlsa.RRset{}, t.About(opRead, f.Name, "", owner)
	}
	host, name, t := f.find(ctx, zone, owner)
	if t != nil {
		return tlsa.RRset{}, t.About(opRead, f.Name, name, owner)
	}
	sights, troubles := host.Look(ctx, []tlsa.Owner{owner})
	if troubles[0] != nil {
		return tlsa.RRset{}, troubles[0].About(opRead, f.Name, name, owner)
	}
	return sights[0].TLSA, nil
}

// Apply is that of [dnsprovider.Provider].
func (f *Frame[R]) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	type site struct {
		host  Host[R]
		name  string
		tasks []*Task[R]
	}
	var sites []*site
	at := map[string]*site{}
	tasks, names := make([]*Task[R], len(changes)), make([]string, len(changes))
	for i, change := range changes {
		tasks[i] = &Task[R]{Owner: change.Owner, Change: f.within(change), InSteps: f.InSteps}
		if err := change.Validate(); err != nil {
			tasks[i].Trouble = &Trouble{Kind: dnsprovider.Malformed, Err: err}
			continue
		}
		host, name, t := f.find(ctx, zone, change.Owner)
		if names[i] = name; t != nil {
			tasks[i].Trouble = t
			continue
		}
		if at[name] == nil {
			at[name] = &site{host: host, name: name}
			sites = append(sites, at[name])
		}
		at[name].tasks = append(at[name].tasks, tasks[i])
	}
	for _, s := range sites {
		release, t := f.turns.take(ctx, s.name)
		if t != nil {
			blame(s.tasks, t)
			continue
		}
		Carry(ctx, s.host, s.tasks)
		release()
	}
	errs := make([]error, len(changes))
	for i, k := range tasks {
		errs[i] = k.Trouble.About(opChange, f.Name, names[i], k.Owner)
	}
	return errs
}

// AddTXT is that of [dnsprovider.TXTProvider].
func (f *Frame[R]) AddTXT(ctx context.Context, zone string, name tlsa.Owner, value string, ttl time.Duration) error {
	if err := dnsprovider.ValidateTTL(ttl); err != nil {
		return (&Trouble{Kind: dnsprovider.Malformed, Err: err}).About(opAdd, f.Name, "", name)
	}
	return f.edit(ctx, opAdd, zone, name, TXTEdit{Value: value, TTL: f.clamp(ttl), Add: true})
}

// RemoveTXT is that of [dnsprovider.TXTProvider].
func (f *Frame[R]) RemoveTXT(ctx context.Context, zone string, name tlsa.Owner, value string) error {
	return f.edit(ctx, opRemove, zone, name, TXTEdit{Value: value})
}

func (f *Frame[R]) edit(ctx context.Context, op, zone string, owner tlsa.Owner, e TXTEdit) error {
	if err := dnsprovider.ValidateTXT(owner, e.Value); err != nil {
		return (&Trouble{Kind: dnsprovider.Malformed, Err: err}).About(op, f.Name, "", owner)
	}
	host, name, t := f.find(ctx, zone, owner)
	if t != nil {
		return t.About(op, f.Name, name, owner)
	}
	release, t := f.turns.take(ctx, name)
	if t != nil {
		return t.About(op, f.Name, name, owner)
	}
	defer release()
	task := &Task[R]{Owner: owner, Edit: &e}
	Carry(ctx, host, []*Task[R]{task})
	return task.Trouble.About(op, f.Name, name, owner)
}

// find finds the zone. The name is returned with trouble too, where it is known.
func (f *Frame[R]) find(ctx context.Context, zone string, owner tlsa.Owner) (Host[R], string, *Trouble) {
	if t := Ended(ctx); t != nil {
		return nil, "", t
	}
	zone, err := dnsprovider.CanonicalZone(zone)
	if err != nil {
		return nil, "", &Trouble{Kind: dnsprovider.Malformed, Err: err}
	}
	if zone != "" && !dnsprovider.InZone(string(owner), zone) {
		return nil, zone, outside(zone)
	}
	host, name, t := f.Find(ctx, zone, owner)
	if name == "" {
		name = zone
	}
	if t == nil && !dnsprovider.InZone(string(owner), name) {
		t = outside(name)
	}
	return host, name, t
}

func outside(zone string) *Trouble {
	return &Trouble{Kind: dnsprovider.OutsideZone, Err: errors.New("the name does not lie in the zone " + zone), Hint: "which provider has its zone"}
}

func (f *Frame[R]) within(c dnsprovider.Change) dnsprovider.Change {
	if !c.After.Denial() && c.After.TTL > 0 {
		c.After.TTL = f.clamp(c.After.TTL)
	}
	return c
}

func (f *Frame[R]) clamp(ttl time.Duration) time.Duration {
	if f.MaxTTL > 0 {
		ttl = min(ttl, f.MaxTTL)
	}
	return max(ttl, f.MinTTL)
}
