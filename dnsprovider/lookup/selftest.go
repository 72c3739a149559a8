package lookup

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

// selfTestAge is how long a passed self-test is believed.
const selfTestAge = time.Hour

// SelfTest says why the resolver's AD bit is not believed, nil if it is. It is
// believed from loopback or if the configuration trusts the path, and only while
// the resolver has shown within the hour that it validates: a forwarder or a stub
// without DNSSEC answers too, but without AD. A failure is tried again in the next
// pass.
func (p *Pass) SelfTest(ctx context.Context) error {
	verdict, err := p.test.do(ctx, struct{}{}, func() (error, error) { return p.selfTest(ctx), nil })
	if err != nil {
		return fmt.Errorf("resolver %s: self-test: %w", p.client.cfg.Resolver, err)
	}
	return verdict
}

func (p *Pass) selfTest(ctx context.Context) error {
	c := p.client
	cfg := &c.cfg
	if !cfg.TrustResolver && !cfg.Resolver.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("resolver %s: not on loopback, so its AD bit may be anyone's (hint: run a validating resolver on this host, or set trust-resolver if the path to it is safe)", cfg.Resolver)
	}
	now := p.now()
	c.mu.Lock()
	passed := c.passed
	c.mu.Unlock()
	if age := now.Sub(passed); !passed.IsZero() && age >= 0 && age < selfTestAge {
		return nil
	}
	q := question{name: cfg.SelfTestName, qtype: dns.TypeSOA, recurse: true}
	r, err := p.askResolver(ctx, q)
	switch {
	case err != nil:
		return fmt.Errorf("resolver %s: self-test: %s: %w", cfg.Resolver, q, err)
	case r.Rcode != dns.RcodeSuccess:
		return fmt.Errorf("resolver %s: self-test: %s: %s%s (hint: has the resolver a trust anchor and the right time?)", cfg.Resolver, q, rcodeName(r.Rcode), extended(r.Msg))
	case !r.AuthenticatedData || len(r.Answer) == 0:
		return fmt.Errorf("resolver %s: self-test: %s comes without AD: it does not validate (hint: systemd-resolved needs DNSSEC=yes; better run unbound or another validating resolver)", cfg.Resolver, q)
	}
	c.mu.Lock()
	c.passed = now
	c.mu.Unlock()
	return nil
}
