package libdnsbridge

import (
	"context"
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
)

// call calls the module for what changes nothing, once more where the host is asked too often.
func (p *Provider) call(ctx context.Context, zone string, do func(context.Context) error) *api.Trouble {
	for _, pause := range p.pauses {
		t := p.once(ctx, zone, do)
		if t == nil || !t.Limited {
			return t
		}
		if !wait(ctx, pause) {
			return t
		}
	}
	return p.once(ctx, zone, do)
}

// wait reports whether the time has passed before the caller gave up.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once calls the module one time, under a deadline that holds whatever the module does. One
// that goes on after it keeps the zone: two calls never overlap there, as the second
// could change what the first is about to write over.
func (p *Provider) once(ctx context.Context, zone string, do func(context.Context) error) *api.Trouble {
	release, t := p.enter(ctx, zone)
	if t != nil {
		return t
	}
	bounded, cancel := context.WithTimeout(ctx, p.timeout)
	done := make(chan *api.Trouble, 1)
	go func() {
		defer release()
		defer cancel()
		done <- p.guarded(ctx, bounded, zone, do)
	}()
	select {
	case t := <-done:
		return t
	case <-bounded.Done():
	}
	select { // it may have heard of the end at the same moment
	case t := <-done:
		return t
	case <-time.After(grace):
		return p.late(ctx)
	}
}

// grace is how long a module may take to come back once its context is done.
const grace = 100 * time.Millisecond

// guarded makes trouble of whatever comes of a call.
func (p *Provider) guarded(outer, bounded context.Context, zone string, do func(context.Context) error) (t *api.Trouble) {
	defer func() {
		if r := recover(); r != nil {
			t = &api.Trouble{
				Kind: dnsprovider.Temporary, Then: api.Open, Hint: "please report it, with the version of tlsaroll",
				Err: fmt.Errorf("the module of %s panicked: %s", p.host.Name, api.Words(fmt.Sprint(r), p.secrets...)),
			}
		}
	}()
	begun := false
	err := p.account.Do(bounded, func() error { begun = true; return do(bounded) })
	switch {
	case err == nil:
		return nil
	case !begun && outer.Err() == nil:
		return &api.Trouble{
			Kind: dnsprovider.Temporary, Err: fmt.Errorf("other requests at the same account leave no room within %s", p.timeout),
			Hint: "it is tried again; is the host slow",
		}
	case !begun:
		return api.Ended(outer)
	case outer.Err() != nil:
		return p.late(outer)
	case bounded.Err() != nil:
		return p.late(outer)
	}
	return p.classify(err, zone)
}

// late is the trouble of a call that did not come back in time: what it was to do may
// have been done.
func (p *Provider) late(outer context.Context) *api.Trouble {
	if t := api.Ended(outer); t != nil {
		t.Then = api.Open
		return t
	}
	return &api.Trouble{
		Kind: dnsprovider.Temporary, Then: api.Open, Err: fmt.Errorf("no reply within %s", p.timeout),
		Hint: "is the host's API reached from here: name resolution, firewall, proxy",
	}
}

// enter waits until no call for the zone is under way.
func (p *Provider) enter(ctx context.Context, zone string) (release func(), t *api.Trouble) {
	if p.host.Quirks.OneAtATime {
		zone = ""
	}
	p.mu.Lock()
	turn := p.calls[zone]
	if turn == nil {
		turn = make(chan struct{}, 1)
		p.calls[zone] = turn
	}
	p.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	default:
	}
	bounded, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-bounded.Done():
	}
	if t := api.Ended(ctx); t != nil {
		return nil, t
	}
	return nil, &api.Trouble{
		Kind: dnsprovider.Temporary, Err: fmt.Errorf("an earlier request for the zone is under way and does not end"),
		Hint: "is the host's API reached from here: name resolution, firewall, proxy",
	}
}
