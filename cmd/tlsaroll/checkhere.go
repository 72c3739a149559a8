package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
)

// checkHere checks this host's own. It reads what is there, as a daemon may be at work: its
// journal is left alone.
func (p *program) checkHere(ctx context.Context, o checkOptions, roots *x509.CertPool) error {
	here := &hereabouts{findings: []audit.Finding{}}
	cfg, err := p.configHere(here)
	if err != nil {
		return err
	}
	here.state(cfg)
	for _, l := range cfg.Lineages {
		here.lineage(cfg, l)
	}
	targets := endpointTargets(cfg)
	out := p.newSheets(o, len(targets))
	out.tellHere(here.findings)
	sight, err := p.sight(ctx, o, cfg, roots)
	if err != nil {
		return errors.Join(out.end(p.now()), err)
	}
	lookAll(ctx, sight, p.now, targets, o.parallel, out.progress, out.add)
	return errors.Join(out.end(p.now()), interrupted(ctx, out.tally.All(), len(targets)))
}

// configHere reads the whole configuration, and builds of it what the daemon would; its
// warnings are findings. That no resolver is known is said by who needs one.
func (p *program) configHere(here *hereabouts) (*config.Config, error) {
	l := loader()
	l.CheckProvider = p.checkProvider
	cfg, warnings, err := l.Load(p.configFile)
	if _, missing := os.Stat(p.configFile); errors.Is(missing, fs.ErrNotExist) {
		return nil, errors.Join(err, usage(errors.New("check: without a DOMAIN it looks at this host, which has no configuration (hint: tlsaroll check example.org looks at a domain)")))
	}
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		here.tell(rollover.CodeConfigDoubtful, w.Path, w.Error())
	}
	wired := *cfg
	if !wired.Resolver.IsValid() {
		wired.Resolver = netip.AddrPortFrom(netip.IPv6Loopback(), 53)
	}
	if _, err := p.wire(&wired); err != nil {
		return nil, usage(err)
	}
	return cfg, nil
}

// endpointTargets are the endpoints of all lineages, each once.
func endpointTargets(cfg *config.Config) (targets []target) {
	seen := map[string]bool{}
	for _, l := range cfg.Lineages {
		for _, e := range l.Endpoints {
			if !seen[e.URL] {
				seen[e.URL] = true
				targets = append(targets, target{name: e.URL, service: survey.Service{Scheme: e.Scheme, Host: e.Host, Port: e.Port, Addresses: e.Address}})
			}
		}
	}
	return targets
}

// hereabouts is what is found on this host.
type hereabouts struct {
	findings []audit.Finding
}

// tell adds a finding, with the remedy that the text ends with, else that of its code.
func (h *hereabouts) tell(code rollover.Code, about, text string) {
	e, _ := code.Explain()
	what, hint, ok := strings.Cut(strings.TrimSuffix(text, ")"), " (hint: ")
	if !ok || !strings.HasSuffix(text, ")") {
		what, hint = text, e.Do
	}
	h.findings = append(h.findings, audit.Finding{Warning: rollover.NewWarning(code, about, what), Fix: hint})
}

// failed adds what went wrong with a file or directory; that it may not be read is nobody's
// fault but the asker's.
func (h *hereabouts) failed(code rollover.Code, about string, err error) {
	if errors.Is(err, fs.ErrPermission) {
		code = rollover.CodeNotPermitted
	}
	h.tell(code, about, err.Error())
}

// state looks at the state directory and what is in it beside the lineages' own.
func (h *hereabouts) state(cfg *config.Config) {
	info, err := os.Stat(cfg.State)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		h.cold(cfg)
		return
	case err != nil:
		h.failed(rollover.CodeLiveUnreadable, cfg.State, fmt.Errorf("state: %w", fileError(cfg.State, err)))
		return
	}
	switch perm := info.Mode().Perm(); {
	case perm&0o022 != 0:
		h.tell(rollover.CodeStateExposed, cfg.State, fmt.Sprintf("%s has mode %04o", cfg.State, perm))
	case perm&0o077 != 0:
		h.tell(rollover.CodeStateReadable, cfg.State, fmt.Sprintf("%s has mode %04o", cfg.State, perm))
	}
	if _, err := os.Stat(journalOf(cfg)); errors.Is(err, fs.ErrNotExist) {
		h.cold(cfg)
	} else if err != nil {
		h.failed(rollover.CodePassFailed, journalOf(cfg), fmt.Errorf("journal: %w", fileError(journalOf(cfg), err)))
	}
	h.stash(cfg)
}

// cold names the cost of a start without a journal, by lineage.
func (h *hereabouts) cold(cfg *config.Config) {
	for _, l := range cfg.Lineages {
		ttl, word := cfg.Timing.UnknownTTL, "unknown-ttl"
		if l.KnownTTL > 0 {
			ttl, word = l.KnownTTL, "known-ttl"
		}
		h.tell(rollover.CodeColdStart, l.Name, fmt.Sprintf("%s: no journal in %s: the first new certificate waits %s from the first look, by %s: %s, or longer if a longer TTL is seen",
			l.Name, cfg.State, config.ShortDuration(cfg.Timing.PublicationInterval(ttl)), word, config.ShortDuration(ttl)))
	}
}
