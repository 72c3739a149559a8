package agent

import (
	"context"
	"crypto/x509"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// aCA is an Issuer that does as a test wants.
type aCA struct {
	t     testing.TB
	ca    *ca
	valid time.Duration

	mu     sync.Mutex
	orders []certwatch.Request
	at     []time.Time                   // when they came in
	asked  int                           // when to renew
	slow   time.Duration                 // that an order takes
	fail   func(order int) error         // of the order, counted from 1; nil: none fails
	says   func() certwatch.Renewal      // of any leaf; nil: it cannot be asked
	alter  func(names []string) []string // the issuer's own mind about names; nil: none
}

func newACA(w *world, valid time.Duration) *aCA {
	return &aCA{t: w.t, ca: w.ca, valid: valid}
}

// orders has a lineage's certificates come from a CA.
func (w *world) orders(l *Lineage, c *aCA) {
	l.Issuer, l.Names, l.KeyType, l.Staged = c, []string{l.Name + ".example.org"}, certwatch.EC256, certwatch.Files{}
}

func (c *aCA) Renewal(_ context.Context, leaf *x509.Certificate) (certwatch.Renewal, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if c.says == nil {
		return certwatch.Renewal{At: leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3), Reason: "a third of its lifetime is left then"}, nil
	}
	return c.says(), nil
}

func (c *aCA) Issue(ctx context.Context, r certwatch.Request) (certwatch.Pair, error) {
	c.mu.Lock()
	c.orders, c.at = append(c.orders, r), append(c.at, time.Now())
	n, slow, fail, names := len(c.orders), c.slow, c.fail, r.Names
	if c.alter != nil {
		names = c.alter(names)
	}
	c.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return certwatch.Pair{}, ctx.Err()
	}
	if fail != nil {
		if err := fail(n); err != nil {
			return certwatch.Pair{}, err
		}
	}
	return c.ca.issueFor(c.t, r.Key.Signer(), c.valid, names...), nil
}

func (c *aCA) ordered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.orders)
}

// asks is how often the CA was asked when a certificate should be renewed.
func (c *aCA) asks() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// set changes what the CA does.
func (c *aCA) set(change func(c *aCA)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}
