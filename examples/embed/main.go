// Command embed is a program that has tlsaroll's packages within itself: it keeps one mail
// host's certificate and the TLSA record of its port 25 in step. It has no configuration file,
// no control socket and no commands; whoever embeds the agent brings their own.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// settings are what this program lets its user choose.
type settings struct {
	state, resolver               string
	server, zone, key, secretFile string
	host, cert, certKey, install  string
	reload                        []string
	ttl, knownTTL, quiet          time.Duration
	private                       bool
	timing                        rollover.Timing
}

func main() {
	s := settings{timing: rollover.DefaultTiming()}
	flag.StringVar(&s.state, "state", "/var/lib/embed", "directory of the journal and the copies of all pairs")
	flag.StringVar(&s.resolver, "resolver", "127.0.0.1:53", "a resolver on this host that validates")
	flag.StringVar(&s.server, "server", "ns1.example.org:53", "the primary, which takes dynamic updates")
	flag.StringVar(&s.zone, "zone", "example.org.", "the zone")
	flag.StringVar(&s.key, "key", "tlsaroll.example.org.", "name of the TSIG key")
	flag.StringVar(&s.secretFile, "secret-file", "/etc/tlsaroll/tsig.secret", "its secret, in base64")
	flag.StringVar(&s.host, "host", "mx1.example.org", "the mail host")
	flag.StringVar(&s.cert, "cert", "/var/lib/lego/certificates/mx1.example.org.crt", "where the ACME client leaves chains")
	flag.StringVar(&s.certKey, "cert-key", "/var/lib/lego/certificates/mx1.example.org.key", "and their keys")
	flag.StringVar(&s.install, "install", "/etc/postfix/tls/mx1.pem", "what the mail server reads: key and chain")
	flag.DurationVar(&s.ttl, "ttl", time.Hour, "TTL of the first record")
	flag.DurationVar(&s.knownTTL, "known-ttl", 0, "no TTL was longer than this before the first look")
	flag.DurationVar(&s.quiet, "quiet", 5*time.Second, "a pair counts that was left alone for so long")
	flag.BoolVar(&s.private, "private", false, "the zone is not in the public tree: private addresses are no mistake")
	flag.DurationVar(&s.timing.Floor, "floor", s.timing.Floor, "wait so much beyond a TTL at least")
	flag.DurationVar(&s.timing.Retire, "retire", s.timing.Retire, "leave records for so long that nobody needs")
	flag.DurationVar(&s.timing.Look, "look", s.timing.Look, "between looks when nothing is going on")
	flag.Parse()
	s.reload = flag.Args() // has the server read its certificate again: systemctl reload postfix

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := keep(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// keep makes passes until ctx ends. It may be killed at any moment: the next start goes on.
func keep(ctx context.Context, s settings) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg, err := s.config(log)
	if err != nil {
		return err
	}
	a, err := agent.Open(cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	log.Info("embed runs", "lineages", a.Lineages())
	return a.Run(ctx, "", func(r agent.Report) (enough bool) {
		tell(log, r)
		return false
	})
}

// tell says what a pass came to. History, State and Order have all that status and the other
// commands of tlsaroll are made of.
func tell(log *slog.Logger, r agent.Report) {
	if r.Err != nil {
		log.Error("no pass", "cause", r.Err)
	}
	for _, err := range r.Failed {
		log.Error("an action failed", "cause", err)
	}
	for _, e := range r.Events {
		log.Info(e.Text, "event", string(e.Kind), "lineage", e.Lineage)
	}
}

// config is all that the agent works with.
func (s settings) config(log *slog.Logger) (agent.Config, error) {
	resolver, err := netip.ParseAddrPort(s.resolver)
	if err != nil {
		return agent.Config{}, fmt.Errorf("resolver: %w", err)
	}
	secret, err := os.ReadFile(s.secretFile)
	if err != nil {
		return agent.Config{}, fmt.Errorf("secret: %w", err)
	}
	provider, err := rfc2136.New(rfc2136.Config{
		Server: s.server, Zone: s.zone, KeyName: s.key, Secret: rfc2136.NewSecret(string(bytes.TrimSpace(secret))),
		Resolver: s.resolver, Now: time.Now, Log: log,
	})
	if err != nil {
		return agent.Config{}, err
	}
	lineage, err := s.lineage()
	return agent.Config{
		State: s.state, Timing: s.timing, Quiet: s.quiet,
		Lineages: []agent.Lineage{lineage}, Resolver: resolver,
		Providers: []agent.Provider{{Name: "ns1", Zone: s.zone, Provider: provider}},
		Zones:     map[string]agent.Zone{s.zone: {Private: s.private}},
		Clock:     hostClock(), Local: hostAddresses, Log: log,
	}, err
}

// lineage is one certificate and those who serve it. A program may have thousands.
func (s settings) lineage() (agent.Lineage, error) {
	owner, err := tlsa.OwnerOf(25, s.host)
	smtp := rollover.Endpoint{URL: "smtp://" + s.host, Host: s.host, Port: 25, SMTP: true, Owner: owner}
	out := agent.Lineage{
		Name: "mx1",
		Policy: rollover.LineagePolicy{
			Scheme: rollover.Scheme{EE: true}, TTL: s.ttl, KnownTTL: s.knownTTL,
			Deadline: rollover.DeadlineAuto, Endpoints: []rollover.Endpoint{smtp},
		},
		Staged:  certwatch.Files{Cert: s.cert, Key: s.certKey},
		Install: []agent.Install{{Path: s.install, Content: []string{"key", "chain"}, Mode: 0o600}},
		Timeout: time.Minute,
	}
	if len(s.reload) > 0 {
		out.Reload = [][]string{s.reload}
	}
	return out, err
}

// hostClock tells waits from changes of the wall clock: none of these shortens one.
func hostClock() agent.Clock {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // without it every restart counts as one of the host
	return agent.Clock{Wall: time.Now, Boot: bootTime, BootID: strings.TrimSpace(string(id))}
}

// bootTime goes on while the host is suspended.
func bootTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("clock_gettime(CLOCK_BOOTTIME): " + err.Error()) // in Linux since 2.6.39, and cannot fail then
	}
	return time.Duration(ts.Nano())
}

// hostAddresses are this host's: what they serve after a swap decides whether the old pair
// goes back.
func hostAddresses() (own []netip.Addr) {
	found, _ := net.InterfaceAddrs() // without them nothing ever goes back
	for _, a := range found {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, prefix.Addr().Unmap())
		}
	}
	return own
}
