package agent

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// withSenders has senders look every second, while something goes on, whether every
// answer of mx1's that a cache may hold vouches for what any of its addresses presents.
func (w *world) withSenders(do func()) {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	var sending sync.WaitGroup
	sending.Go(func() {
		held := map[string]given{} // the last time that an answer was given
		for ctx.Err() == nil && !w.t.Failed() {
			for _, name := range w.zone.Servers() {
				if a, up := w.zone.Answer(name, owner25(mx1)); up {
					held[fmt.Sprint(a.RRset.TTL, a.RRset.Key())] = given{time.Now(), a.RRset}
				}
			}
			maps.DeleteFunc(held, func(_ string, g given) bool { return time.Since(g.at) > g.rrset.TTL+time.Second })
			w.deliver(held)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	})
	defer sending.Wait()
	defer stop()
	do()
}

// deliver holds answers against what the addresses of mx1 present.
func (w *world) deliver(held map[string]given) {
	for address, s := range w.services {
		if s.path != w.paths["mx1"] {
			continue
		}
		var certs []tls.Certificate
		s.set(func(s *service) { certs = s.certificates() })
		for _, c := range certs {
			chain, err := w.chain(c.Certificate)
			if err != nil {
				w.t.Error(err)
				return
			}
			for _, g := range held {
				if err := g.rrset.Vouches(chain, tlsa.Reference{Names: []string{mx1}, Time: time.Now(), SMTP: true}); err != nil {
					w.t.Errorf("%s presents %s, and an answer given %s ago does not match: %v", address, chain.ID().Short(), time.Since(g.at), err)
					return
				}
			}
		}
	}
}

// writtenByUs are the RRsets that the provider made of mx1's, in turn.
func (w *world) writtenByUs() (all []tlsa.RRset) {
	for _, v := range w.zone.History(owner25(mx1)) {
		if v.By == memory.ByProvider {
			all = append(all, v.RRset)
		}
	}
	return all
}
