package main

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// hearing keeps why providers last could not read an owner name. The rules know
// that as a text; the exit code depends on whether waiting mends it.
type hearing struct {
	mu   sync.Mutex
	errs map[tlsa.Owner]error
}

// to is p, listened to.
func (h *hearing) to(p dnsprovider.Provider) dnsprovider.Provider { return heard{p, h} }

// refusals are the errors of the last reads, by owner name.
func (h *hearing) refusals() []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, owner := range slices.Sorted(maps.Keys(h.errs)) {
		errs = append(errs, h.errs[owner])
	}
	return errs
}

type heard struct {
	dnsprovider.Provider
	by *hearing
}

func (p heard) RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
	rrset, err := p.Provider.RRset(ctx, zone, owner)
	p.by.mu.Lock()
	defer p.by.mu.Unlock()
	if p.by.errs == nil {
		p.by.errs = map[tlsa.Owner]error{}
	}
	if err == nil {
		delete(p.by.errs, owner)
	} else {
		p.by.errs[owner] = err
	}
	return rrset, err
}
