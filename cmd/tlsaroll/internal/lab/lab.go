package lab

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// A Lab is a running test world. Its methods may be called from several goroutines.
type Lab struct {
	// Dir has all that the lab writes. It goes with the test, unless the
	// environment has TLSAROLL_LAB_KEEP.
	Dir string

	Root, Parent       netip.AddrPort   // servers of the root and of the top-level domains
	Primary, Secondary netip.AddrPort   // ns1.example.org. (see Options.Primary), ns2.example.org. (NSD)
	Resolvers          []netip.AddrPort // the senders' resolvers
	Resolver           netip.AddrPort   // a validating resolver that no sender asks
	MX                 netip.Addr       // mx1.example.org, whose second address is that of SecondPostfix

	Live          *Pair       // what Postfix and Dovecot serve at first
	LiveRSA       *Pair       // and beside it; nil without Options.RSA
	SecondLive    *Pair       // what SecondPostfix serves at first; nil without Options.SecondMX
	Postfix       *MailServer // port 25
	SecondPostfix *MailServer // port 25; nil without Options.SecondMX
	Dovecot       *MailServer // port 993; nil without Options.Dovecot
	Pebble        *Pebble     // an ACME CA; nil without Options.Pebble

	PowerDNS *PowerDNSAPI // nil with another primary

	opts     Options
	programs map[string]string
	block    *block
	ca       *CA
	zones    []*zone
	hand     Key // of the human who edits zones
	transfer Key
	control  Key // of the primary's rndc
	acme     Key // of ACME clients
	root     *signedZone
	second   *Secondary
	senders  []*sender
	guard    *guard
	host     *thread // of programs that ask Resolver

	metronome *metronome

	mu        sync.Mutex
	processes map[string]*process // that run, or should
	absent    map[string]*process // that were ended on purpose
	tallies   []*Tally
	added     []*Secondary
	crafted   []*craftedServer
	topLevels map[string]*topLevel
}

// startPatience is far beyond what a start takes on a busy machine.
const startPatience = 45 * time.Second

// Start starts a lab, which ends with the test. Where servers or privileges are
// missing it skips the test with a list of what to install, or fails it if the
// environment has TLSAROLL_E2E=require. That something of the lab ended by itself, or
// is left when it has ended, fails the test too.
func Start(t testing.TB, opts Options) *Lab {
	t.Helper()
	opts, err := opts.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	l := &Lab{
		opts: opts, programs: require(t, opts, thisMachine()),
		processes: map[string]*process{}, absent: map[string]*process{},
	}
	l.metronome = startMetronome(t)
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	t.Cleanup(func() {
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if t.Failed() {
			l.logTails(t)
		}
	})
	if err := l.start(ctx); err != nil {
		t.Fatalf("lab: %v", err)
	}
	t.Logf("lab up after %s at 127.77.%d.0/24", time.Since(begun).Round(time.Millisecond), l.block.third)
	return l
}

// start goes from the top of what others depend on: certificates, then the
// primary, whose keys the parents need, then all the rest at once.
func (l *Lab) start(ctx context.Context) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	if err := errors.Join(l.startPrimary(ctx), l.startPostfixes(), l.startDovecot()); err != nil {
		return err
	}
	if err := l.awaitSigned(ctx); err != nil {
		return err
	}
	l.second = newSecondary(l, 1)
	if err := errors.Join(l.startSecondary(l.second), l.startParents(), l.startResolvers(), l.startSenders(), l.startMTAs(), l.startPebble(), l.startHost()); err != nil {
		return err
	}
	var ready errgroup.Group
	ready.Go(func() error { return l.second.bringOver(ctx, time.Now().Add(firstTransfer)) })
	for _, at := range append([]netip.AddrPort{l.Resolver}, l.Resolvers...) {
		ready.Go(func() error { return l.resolverReady(ctx, at) })
	}
	if l.Pebble != nil {
		ready.Go(func() error { return l.Pebble.ready(ctx) })
	}
	if l.opts.MTAs {
		ready.Go(func() error { return l.sendingPostfixReady(ctx) })
	}
	for _, s := range l.mailServers() {
		ready.Go(func() error { return l.mailReady(ctx, s) })
	}
	if err := ready.Wait(); err != nil {
		return err
	}
	l.second.follow(l.opts.SecondaryLag)
	return nil
}

// prepare makes all that stands before the first process.
func (l *Lab) prepare(ctx context.Context) (err error) {
	if l.block, err = takeBlock(ctx, l.opts.hosts()); err != nil {
		return err
	}
	server := func(host byte) netip.AddrPort { return netip.AddrPortFrom(l.block.addr(host), 53) }
	l.Root, l.Parent, l.Primary, l.Secondary = server(hostRoot), server(hostParent), server(hostPrimary), server(hostSecondary)
	l.Resolver, l.MX = server(hostResolver), l.block.addr(hostMX)
	for i := range l.opts.Resolvers {
		l.Resolvers = append(l.Resolvers, server(byte(hostResolvers+i)))
	}
	if l.Dir, err = os.MkdirTemp("", "tlsaroll-lab-"); err != nil {
		return err
	}
	// The servers' own users pass through here.
	if err := os.Chmod(l.Dir, 0o755); err != nil {
		return err
	}
	for _, dir := range []string{"log", "keys", "ca"} {
		if _, err := l.mkdir(dir); err != nil {
			return err
		}
	}
	if l.guard, err = newGuard(); err != nil {
		return err
	}
	if l.ca, err = newCA(l.path("ca")); err != nil {
		return err
	}
	if err := errors.Join(l.preparePebble(), l.preparePowerDNS()); err != nil {
		return err
	}
	if err := l.issueLive(); err != nil {
		return err
	}
	if l.hand, err = newKey256("hand.lab.", l.path("keys")); err != nil {
		return err
	}
	if l.transfer, err = newKey256("transfer.lab.", l.path("keys")); err != nil {
		return err
	}
	if l.control, err = newKey256("control.lab.", l.path("keys")); err != nil {
		return err
	}
	if l.acme, err = newKey256("acme.lab.", l.path("keys")); err != nil {
		return err
	}
	if err := l.makeZones(); err != nil {
		return err
	}
	for _, k := range append(l.keys(), l.hand, l.transfer, l.control, l.acme) {
		l.ca.secrets.PlantText("the TSIG secret of "+k.Name, k.secret)
	}
	return nil
}

// Secrets are the keys of all pairs that were issued here, and all TSIG secrets.
func (l *Lab) Secrets() *Secrets { return l.ca.secrets }

// issueLive makes the pairs that are served at first.
func (l *Lab) issueLive() (err error) {
	if l.Live, err = l.ca.issue(l.opts.Leaf); err != nil {
		return err
	}
	if l.opts.RSA {
		leaf := l.opts.Leaf
		leaf.KeyType, leaf.Key = RSA, nil
		if l.LiveRSA, err = l.ca.issue(leaf); err != nil {
			return err
		}
	}
	if l.opts.SecondMX {
		l.SecondLive = l.Live
	}
	if l.opts.SecondLeaf != nil {
		l.SecondLive, err = l.ca.issue(*l.opts.SecondLeaf)
	}
	return err
}

// Certificates is the lab's certification authority.
func (l *Lab) Certificates() *CA { return l.ca }

// Key is the TSIG key that may change TLSA records in a zone, one of
// example.org. and Options.Zones. Its name is "tlsaroll." and the zone's.
func (l *Lab) Key(zone string) Key {
	for _, z := range l.zones {
		if z.name == zone {
			return z.key
		}
	}
	panic("lab: no zone " + zone)
}

// ACMEKey is the TSIG key of an ACME client, which may change TXT records in all zones.
func (l *Lab) ACMEKey() Key { return l.acme }

func (l *Lab) keys() []Key {
	var keys []Key
	for _, z := range l.zones {
		keys = append(keys, z.key)
	}
	return keys
}

func (l *Lab) path(name string) string    { return filepath.Join(l.Dir, name) }
func (l *Lab) logPath(name string) string { return filepath.Join(l.Dir, "log", name+".log") }

func (l *Lab) mkdir(name string) (string, error) {
	dir := l.path(name)
	return dir, os.Mkdir(dir, 0o755)
}
