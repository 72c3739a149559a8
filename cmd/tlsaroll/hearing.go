package main

import (
	"context"
	"sync"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
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

// refusals are the errors of the last reads at some owner names.
func (h *hearing) refusals(owners ...tlsa.Owner) []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, owner := range owners {
		if err := h.errs[owner]; err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// forget drops them all: other providers are in force.
func (h *hearing) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errs = nil
}

// places are where a lineage's records are asked for, and where they stand.
func places(s rollover.LineageStatus) []tlsa.Owner {
	var owners []tlsa.Owner
	for _, e := range s.Endpoints {
		owners = append(owners, e.Owner)
		if e.Target != "" && e.Target != e.Owner {
			owners = append(owners, e.Target)
		}
	}
	return owners
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
