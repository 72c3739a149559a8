package survey

import (
	"cmp"
	"context"
	"fmt"
	"net"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/stsfetch"
)

// sts looks for a domain's MTA-STS policy (RFC 8461, section 3).
func (r *Round) sts(ctx context.Context, domain string) audit.STS {
	a := r.pass.Ask(ctx, "_mta-sts."+domain+".", dns.TypeTXT)
	if why := withheld(a); why != "" {
		return audit.STSOf(rollover.Unseen[[]string](why))
	}
	found := audit.STSOf(rollover.Seen(texts(a)))
	if !found.Announced() {
		return found
	}
	ctx, cancel := context.WithTimeout(ctx, stsfetch.Timeout)
	defer cancel()
	return found.Fetched(stsfetch.Fetcher{Dial: r.dialWeb, Roots: r.cfg.Roots}.Fetch(ctx, domain))
}

// dialWeb connects to a host by the addresses that the validating resolver gives, as it
// is that resolver's view of the world that is judged.
func (r *Round) dialWeb(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dial := r.cfg.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	view := r.pass.Host(ctx, host)
	failed := fmt.Errorf("%s has no address", host)
	if why := cmp.Or(view.Err, view.IPv4.Err, view.IPv6.Err); why != "" {
		failed = fmt.Errorf("%s: %s", host, why)
	}
	for _, ip := range view.Addresses() {
		conn, err := dial(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		failed = err
	}
	return nil, failed
}
