package exec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Config says which commands read and change the zone.
type Config struct {
	// Name stands for the provider in errors. Default: "exec".
	Name string
	// Zone is the zone that the commands are for. Default: the one that is asked for each
	// time; then there has to be one.
	Zone string
	// Read and Change are the commands, each a program, by its absolute path or as a name
	// that is found in subprocess.Path, and its arguments.
	Read, Change []string
	// Env is added to the environment of both, each as NAME=value. The values are in no error
	// and no log.
	Env []string
	// Timeout is how long one call may take. Default: 60s.
	Timeout time.Duration
	// MaxOutput is how much a command may print, in octets. Default: 16 MiB.
	MaxOutput int
	// Log takes what is worth a word and no error. Default: nowhere.
	Log *slog.Logger
}

const (
	defaultTimeout   = time.Minute
	defaultMaxOutput = 16 << 20
)

// A Provider changes RRsets through commands.
type Provider struct {
	name         string
	zone         string // canonical; "": whatever is asked for
	read, change []string
	env          []string
	masks        []mask
	timeout      time.Duration
	maxOutput    int
	log          *slog.Logger

	turn     chan struct{} // holds one token while no command runs
	changing chan struct{} // and one while nobody changes anything; taken before turn

	mu    sync.Mutex
	asked map[tlsa.Owner]bool // all that anybody asked about so far
}

var (
	_ dnsprovider.Provider    = (*Provider)(nil)
	_ dnsprovider.TXTProvider = (*Provider)(nil)
)

// New checks the configuration and runs nothing: the programs may come later. The error
// names everything that is wrong, one sentence a line.
func New(c Config) (*Provider, error) {
	p := &Provider{
		name: c.Name, read: slices.Clone(c.Read), change: slices.Clone(c.Change), timeout: c.Timeout, maxOutput: c.MaxOutput, log: c.Log,
		turn: make(chan struct{}, 1), changing: make(chan struct{}, 1), asked: map[tlsa.Owner]bool{},
	}
	if p.name == "" {
		p.name = "exec"
	}
	if p.timeout == 0 {
		p.timeout = defaultTimeout
	}
	if p.maxOutput == 0 {
		p.maxOutput = defaultMaxOutput
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.turn <- struct{}{}
	p.changing <- struct{}{}
	var errs []error
	check := func(err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	var err error
	p.zone, err = dnsprovider.CanonicalZone(c.Zone)
	check(err)
	check(validCommand("read", p.read))
	check(validCommand("change", p.change))
	if p.timeout < 0 || p.maxOutput < 0 {
		check(fmt.Errorf("a timeout of %s and an output of %d octets: below zero", p.timeout, p.maxOutput))
	}
	for i, variable := range c.Env {
		if name, _, ok := strings.Cut(variable, "="); !ok || name == "" || strings.Contains(variable, "\x00") {
			check(fmt.Errorf("env: entry %d is not a variable (hint: write NAME=value)", i+1)) // which may be a secret
		}
	}
	p.env, p.masks = slices.Clone(c.Env), masksOf(c.Env)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return p, nil
}

func validCommand(which string, argv []string) error {
	switch {
	case len(argv) == 0 || argv[0] == "":
		return fmt.Errorf("no command %s (hint: write a program and its arguments as a list)", which)
	case strings.Contains(argv[0], "/") && argv[0][0] != '/':
		return fmt.Errorf("command %s: %q is a relative path (hint: write it whole)", which, argv[0])
	case slices.ContainsFunc(argv, func(arg string) bool { return strings.Contains(arg, "\x00") }):
		return fmt.Errorf("command %s: an argument with a NUL in it", which)
	}
	return nil
}

// The operations that errors name.
const (
	opRead      = "read"
	opChange    = "change"
	opAddTXT    = "add TXT at"
	opRemoveTXT = "remove TXT at"
)

// RRset reads the TLSA RRset, see [dnsprovider.Provider].
func (p *Provider) RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
	fail := func(t *trouble) (tlsa.RRset, error) { return tlsa.RRset{}, p.about(opRead, owner, t) }
	if canonical, err := tlsa.ParseOwner(string(owner)); err != nil || canonical != owner {
		return fail(&trouble{kind: dnsprovider.Malformed, err: fmt.Errorf("owner name %q: not canonical", string(owner))})
	}
	name, t := p.zoneOf(zone, owner)
	if t != nil {
		return fail(t)
	}
	r, t := p.look(ctx, name, owner)
	if t != nil {
		return fail(t)
	}
	found, t := r.tlsa(owner)
	if t != nil {
		return fail(t)
	}
	return found.rrset, nil
}

// zoneOf returns the zone that owner is to be changed in: the one asked for, else the one
// configured.
func (p *Provider) zoneOf(asked string, owner tlsa.Owner) (string, *trouble) {
	zone, err := dnsprovider.CanonicalZone(asked)
	switch {
	case err != nil:
		return "", &trouble{kind: dnsprovider.Malformed, err: err}
	case zone == "" && p.zone == "":
		return "", &trouble{kind: dnsprovider.NoZone, err: errors.New("commands cannot find the zone that a name lies in"), hint: "configure the zone"}
	case zone == "":
		zone = p.zone
	case p.zone != "" && p.zone != zone:
		return "", &trouble{kind: dnsprovider.NoZone, err: fmt.Errorf("the zone %s is asked for, and the provider is for %s alone", zone, p.zone)}
	}
	if !dnsprovider.InZone(string(owner), zone) {
		return "", &trouble{kind: dnsprovider.OutsideZone, err: fmt.Errorf("the zone is %s and the name lies outside of it", zone)}
	}
	return zone, nil
}

// look reads what stands at some owners, at least; in a pass it was perhaps read already.
func (p *Provider) look(ctx context.Context, zone string, owners ...tlsa.Owner) (*reading, *trouble) {
	p.mu.Lock()
	for _, owner := range owners {
		p.asked[owner] = true
	}
	p.mu.Unlock()
	for {
		r, err := dnsprovider.ReadOnce(ctx, p.key(zone), func(ctx context.Context) (*reading, error) {
			r, t := p.readZone(ctx, zone)
			if t != nil {
				return nil, t
			}
			return r, nil
		})
		var t *trouble
		switch {
		case errors.As(err, &t):
			return nil, t
		case err != nil:
			return nil, &trouble{kind: dnsprovider.Temporary, err: err}
		case r.covers(owners):
			return r, nil
		}
		dnsprovider.ForgetReading(ctx, p.key(zone)) // made before somebody asked about these
	}
}

// key stands for what is read of a zone in a pass.
func (p *Provider) key(zone string) any {
	type key struct {
		p    *Provider
		zone string
	}
	return key{p, zone}
}

// readZone calls the read command, about all owners of the zone that anybody asked about.
func (p *Provider) readZone(ctx context.Context, zone string) (*reading, *trouble) {
	p.mu.Lock()
	var owners []tlsa.Owner
	for _, owner := range slices.Sorted(maps.Keys(p.asked)) {
		if dnsprovider.InZone(string(owner), zone) {
			owners = append(owners, owner)
		}
	}
	p.mu.Unlock()
	said, t := p.call(ctx, p.read, readRequest{Version: version, Zone: zone, Owners: owners})
	if t != nil {
		return nil, t
	}
	r, t := said.reading(zone, owners)
	return r, t.of(p.read)
}
