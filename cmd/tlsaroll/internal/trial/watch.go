package trial

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// watch looks until every server gives what is wanted, or ctx ends. A server that this host has
// no way to is not waited for, if another one was asked.
func (t *Trial) watch(ctx context.Context, want tlsa.RRset, r *Result) ([]Server, error) {
	begin := t.Now()
	seen := map[string]Server{}
	lacking := "" // of the last look that had its time
	for {
		v := t.Look(ctx)
		if ctx.Err() == nil {
			r.Zone, r.Security, r.SecurityText = v.Zone, v.Security, v.SecurityText
			servers, missing := t.compare(v, want, seen, t.Now().Sub(begin))
			if missing == "" {
				return servers, nil
			}
			lacking = missing
			if t.pause(ctx) == nil {
				continue
			}
		}
		if lacking == "" {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("not seen everywhere after %s: %s (hint: give it longer with --timeout; if it never comes, is this the provider that the servers get the zone from?)", t.Now().Sub(begin).Round(time.Second), lacking)
	}
}

// compare says which server lacks what is wanted; "" if none does.
func (t *Trial) compare(v lookup.View, want tlsa.RRset, seen map[string]Server, after time.Duration) (servers []Server, missing string) {
	var lacking []string
	asked := 0
	for _, s := range v.Servers {
		label := s.Server.String()
		switch {
		case s.FamilyUntested:
			servers = append(servers, Server{Name: s.Name, Address: address(s.Address), Skipped: s.Err})
			continue
		case s.Err != "":
			lacking = append(lacking, label+": "+s.Err)
			continue
		case s.Leads != "":
			lacking = append(lacking, label+": leads to "+s.Leads)
			continue
		case !s.RRset.Same(want):
			lacking = append(lacking, label+": has "+sentence(s.RRset))
			continue
		}
		asked++
		known, ok := seen[label]
		if !ok {
			known = Server{Name: s.Name, Address: address(s.Address), After: after}
			seen[label] = known
		}
		if !s.Denied {
			known.TTL = s.RRset.TTL
		}
		servers = append(servers, known)
	}
	switch {
	case v.Err != "":
		lacking = append(lacking, v.Err)
	case asked == 0 && len(lacking) == 0:
		lacking = append(lacking, "no server could be asked")
	}
	return servers, strings.Join(lacking, "; ")
}

func (t *Trial) pause(ctx context.Context) error {
	timer := time.NewTimer(t.Every)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// address leaves the port out where it is the usual one.
func address(a netip.AddrPort) string {
	if a.Port() == 53 {
		return a.Addr().String()
	}
	return a.String()
}

func digest(sentence string) string {
	sum := sha256.Sum256([]byte(sentence))
	return hex.EncodeToString(sum[:])
}

func sentence(s tlsa.RRset) string {
	switch n := len(s.Associations); n {
	case 0:
		return "no record"
	case 1:
		return "one record"
	default:
		return fmt.Sprintf("%d records", n)
	}
}
