package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// pebbleVersion is the one that .ci/run builds.
const pebbleVersion = "v2.10.1"

// The profiles that Pebble has unless told otherwise. An order that names none gets any
// of them.
const (
	Classic    = "classic"    // 90 days
	ShortLived = "shortlived" // 6 days
)

// PebbleOptions say what kind of CA Pebble is. The zero value has two profiles, one root,
// one intermediate, and takes every account.
type PebbleOptions struct {
	// Profiles are the lifetimes of certificates by the name of the profile; nil:
	// Classic and ShortLived.
	Profiles map[string]time.Duration
	// AlternateRoots is how many further chains the CA offers for a certificate, each
	// with a root and intermediates of its own, of which the last has the same key.
	AlternateRoots int
	// Intermediates is how many stand between a leaf and the root; default 1.
	Intermediates int
	// EAB are the keys to which accounts have to be bound (RFC 8555, section 7.3.4) by
	// their id, in base64url; none: accounts are not bound.
	EAB map[string]string
	// RefusedNonces is how many of a hundred good nonces are refused.
	RefusedNonces int
}

// A Pebble is an ACME CA of the lab. Its challenges are validated by what the lab's
// name servers say, with a resolver of its own that keeps nothing.
type Pebble struct {
	Directory string // its URL
	CAFile    string // what to trust for it, PEM
	// HTTPPort and TLSPort are where it looks for the answers to http-01 and tls-alpn-01,
	// at the addresses of the name, instead of at 80 and 443.
	HTTPPort, TLSPort uint16

	lab        *Lab
	opts       PebbleOptions
	management string // the URL of what an ACME CA has not
	resolver   netip.AddrPort
}

const (
	pebbleName       = "pebble" // of its process
	pebblePort       = 14000
	pebbleManagement = 15000
)

// preparePebble says where it will be, and makes the certificate of its directory.
func (l *Lab) preparePebble() error {
	if l.opts.Pebble == nil {
		return nil
	}
	at := l.block.addr(hostPebble)
	l.Pebble = &Pebble{
		Directory: fmt.Sprintf("https://%s:%d/dir", at, pebblePort),
		CAFile:    l.path("pebble/ca.pem"),
		HTTPPort:  5080, TLSPort: 5443,
		lab: l, opts: *l.opts.Pebble,
		management: fmt.Sprintf("https://%s:%d", at, pebbleManagement),
		resolver:   netip.AddrPortFrom(l.block.addr(hostPebbleResolver), 53),
	}
	if _, err := l.mkdir("pebble"); err != nil {
		return err
	}
	return directoryPair(at, l.Pebble.CAFile, l.path("pebble/directory.crt"), l.path("pebble/directory.key"))
}

// startPebble starts the CA and its resolver.
func (l *Lab) startPebble() error {
	if l.Pebble == nil {
		return nil
	}
	// What a CA saw at the last validation it does not believe at the next one.
	return errors.Join(
		l.startUnbound(l.Pebble.resolver, "validator iterator", l.path("resolvers/root.key"), "cache-max-ttl: 0", "cache-max-negative-ttl: 0", "aggressive-nsec: no"),
		l.Pebble.start())
}

// start writes the configuration and starts the CA, which makes its root anew.
func (p *Pebble) start() error {
	conf, err := json.Marshal(map[string]any{"pebble": p.config()})
	if err != nil {
		return err
	}
	file := p.lab.path("pebble/pebble.json")
	if err := os.WriteFile(file, conf, 0o600); err != nil {
		return err
	}
	intermediates := max(1, p.opts.Intermediates)
	return p.lab.serve(pebbleName, p.lab.programs["env"],
		"PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0", // each order has to answer its challenge
		"PEBBLE_WFE_NONCEREJECT="+strconv.Itoa(p.opts.RefusedNonces),
		"PEBBLE_ALTERNATE_ROOTS="+strconv.Itoa(p.opts.AlternateRoots),
		"PEBBLE_CHAIN_LENGTH="+strconv.Itoa(intermediates),
		p.lab.programs["pebble"], "-config", file, "-dnsserver", p.resolver.String())
}

func (p *Pebble) config() map[string]any {
	profiles := map[string]any{}
	given := p.opts.Profiles
	if given == nil {
		given = map[string]time.Duration{Classic: 90 * 24 * time.Hour, ShortLived: 6 * 24 * time.Hour}
	}
	for name, lifetime := range given {
		profiles[name] = map[string]any{"description": name, "validityPeriod": int64(lifetime / time.Second)}
	}
	at := p.lab.block.addr(hostPebble)
	return map[string]any{
		"listenAddress":                  netip.AddrPortFrom(at, pebblePort).String(),
		"managementListenAddress":        netip.AddrPortFrom(at, pebbleManagement).String(),
		"certificate":                    p.lab.path("pebble/directory.crt"),
		"privateKey":                     p.lab.path("pebble/directory.key"),
		"httpPort":                       p.HTTPPort,
		"tlsPort":                        p.TLSPort,
		"keyAlgorithm":                   "ecdsa",
		"retryAfter":                     map[string]int{"authz": 1, "order": 1},
		"profiles":                       profiles,
		"externalAccountBindingRequired": len(p.opts.EAB) > 0,
		"externalAccountMACKeys":         p.opts.EAB,
	}
}

// ready waits until the CA answers, and its resolver finds our zones.
func (p *Pebble) ready(ctx context.Context) error {
	var ready errgroup.Group
	ready.Go(func() error { return p.lab.resolverReady(ctx, p.resolver) })
	ready.Go(func() error { return p.answers(ctx) })
	return ready.Wait()
}

// Restart ends the CA and starts it again. It then has a root and intermediates of new
// keys, and knows no account and no certificate of before.
func (p *Pebble) Restart(t testing.TB) { p.RestartAs(t, p.opts) }

// RestartAs is [Pebble.Restart] as a CA of another kind.
func (p *Pebble) RestartAs(t testing.TB, opts PebbleOptions) {
	t.Helper()
	p.lab.Stop(t, pebbleName)
	p.opts = opts
	p.lab.mu.Lock()
	delete(p.lab.absent, pebbleName)
	p.lab.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	if err := errors.Join(p.start(), p.answers(ctx)); err != nil {
		t.Fatalf("lab: pebble: start again: %v", err)
	}
}
