package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// wire builds what the agent works with from the configuration. This is the only
// file that knows all rooms, and the only one that reads a clock beside that of
// the wall, which is the program's.
func (p *program) wire(cfg *config.Config) (agent.Config, error) {
	log := p.logger()
	out := agent.Config{
		State: cfg.State, Installer: cfg.Installer, Timing: cfg.Timing.Timing, Quiet: cfg.Timing.Quiet,
		Zones: map[string]agent.Zone{}, Resolver: cfg.Resolver, TrustResolver: cfg.TrustResolver, ResolverTest: cfg.ResolverTest,
		Lock: p.lock, Clock: systemClock(p.now), Log: log, Local: localAddresses,
	}
	if !cfg.Resolver.IsValid() {
		return out, errors.New("resolver: none is known (hint: run a validating resolver on this host and set resolver: 127.0.0.1:53)")
	}
	for _, z := range cfg.Zones {
		out.Zones[z.Name] = wireZone(z)
	}
	var errs []error
	out.Providers, errs = p.wireProviders(cfg, log)
	for _, l := range cfg.Lineages {
		lineage, err := wireLineage(l)
		errs = append(errs, err)
		errs = append(errs, p.wireIssuer(cfg, l, &lineage, out.Providers))
		out.Lineages = append(out.Lineages, lineage)
	}
	errs = append(errs, roomForIssuers(out.Lineages))
	if p.host != nil {
		p.host(&out)
	}
	return out, errors.Join(errs...)
}

// keyring has the keys that were made ahead, for who only reads them.
func keyring(cfg *config.Config) certwatch.Keyring {
	return certwatch.Keyring{Dir: agent.KeysIn(cfg.State)}
}

func wireZone(z config.Zone) agent.Zone {
	out := agent.Zone{Private: z.Private, AllowInsecure: z.AllowInsecure, Exclude: z.ExcludeNames}
	for _, a := range z.Hidden {
		out.Hidden = append(out.Hidden, a.String())
	}
	for _, a := range z.ExcludeAddresses {
		out.Exclude = append(out.Exclude, a.String())
	}
	return out
}

func wireLineage(l config.Lineage) (agent.Lineage, error) {
	out := agent.Lineage{Name: l.Name, Addresses: map[string][]netip.AddrPort{}, Providers: map[string]string{}, Nodes: l.Nodes,
		Staged: stagedFiles(l.Staged), Check: l.Check, Reload: l.Reload, Timeout: l.Timeout}
	if l.Scheme.Standby {
		out.NextKey = nextKeyFile(l.Staged)
	}
	policy := rollover.LineagePolicy{Scheme: l.Scheme, TA: l.TA, TTL: l.TTL, KnownTTL: l.KnownTTL, Deadline: l.Deadline,
		Ignore: map[tlsa.Owner]bool{}, Revision: revision(l)}
	for _, name := range l.Ignore {
		policy.Ignore[tlsa.Owner(name)] = true
	}
	for _, e := range l.Endpoints {
		owner, err := tlsa.OwnerOf(e.Port, e.Host)
		if err != nil {
			return out, fmt.Errorf("lineage %s: %w", l.Name, err)
		}
		policy.Endpoints = append(policy.Endpoints, rollover.Endpoint{URL: e.URL, Host: e.Host, Port: e.Port, SMTP: e.Scheme == "smtp" && e.Port == 25, Owner: owner})
		out.Addresses[e.URL], out.Providers[e.URL] = e.Address, e.Provider
	}
	var err error
	if policy.Issuers, policy.IssuerLists, err = issuersAhead(l.Issuers); err != nil {
		return out, fmt.Errorf("lineage %s: issuers: %w", l.Name, err)
	}
	for _, i := range l.Install {
		out.Install = append(out.Install, agent.Install{Path: i.Path, Dir: i.Dir, Content: i.Content, User: i.User, Group: i.Group, Mode: fs.FileMode(i.Mode)})
	}
	out.Policy = policy
	return out, nil
}

// revision changes with what the operator wrote: then a held swap is tried again.
func revision(l config.Lineage) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", l))
	return hex.EncodeToString(sum[:8])
}

// systemClock is the host's: wall and boot time, and what the kernel thinks of
// the former.
func systemClock(wall func() time.Time) agent.Clock {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // without it every restart counts as one of the host
	return agent.Clock{Wall: wall, Boot: bootTime, BootID: strings.TrimSpace(string(id)), Synchronised: synchronised}
}

func synchronised() bool {
	const timeError = 5 // of adjtimex(2): nobody keeps the clock right
	var timex unix.Timex
	state, err := unix.Adjtimex(&timex)
	return err == nil && state != timeError
}

// bootTime goes on while the host is suspended, and nobody sets it.
func bootTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("clock_gettime(CLOCK_BOOTTIME): " + err.Error()) // in Linux since 2.6.39, and cannot fail then
	}
	return time.Duration(ts.Nano())
}

// localAddresses are those of this host's interfaces.
func localAddresses() []netip.Addr {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range found {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, prefix.Addr().Unmap())
		}
	}
	return out
}
