package agent

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Rooms are what an agent looks with, remembers in and acts through, besides its
// providers. [Open] furnishes them with the disk and the network of a [Config]; a
// simulated world brings its own to [OpenIn].
type Rooms struct {
	Store  Store
	Stash  Stash
	Keys   Keys
	Reader Reader
	Prober Prober
	Look   func() Looker      // what one gives has the age of its first answer
	Host   func(Lineage) Host // where a lineage's pairs are installed
}

// A Store keeps states. What Save returned for is there after a crash.
type Store interface {
	Save(g journal.Group, stamp journal.Stamp) error
	Offer(lineage string, offers []rollover.Offer) error
	Order(lineage string, i rollover.Issuing) error
	Keep(ids []tlsa.ChainID) error
	Forget(ids []tlsa.ChainID) ([]tlsa.ChainID, error)
	Note(events []rollover.Event) error
	Events(lineages ...string) ([]rollover.Event, error)
	Load() (journal.Contents, error)
	There() error
	Close() error
}

// A Stash keeps pairs, see [certwatch.Stash].
type Stash interface {
	Put(p certwatch.Pair) (path string, err error)
	Get(id tlsa.ChainID) (certwatch.Pair, error)
	Path(id tlsa.ChainID) string
	List() ([]tlsa.ChainID, error)
	Remove(id tlsa.ChainID) error
	Sweep() (removed []string, err error)
}

// Keys keeps the keys that were made before there is a certificate for them, one for
// each lineage, see [certwatch.Keyring].
type Keys interface {
	Next(lineage string) (certwatch.Key, error)
	Make(lineage string, t certwatch.KeyType) (certwatch.Key, error)
	Drop(lineage string) error
	Path(lineage string) string
	Sweep() (removed []string, err error)
}

// A Reader reads what an ACME client left, see [certwatch.Reader].
type Reader interface {
	Load(f certwatch.Files, spare ...certwatch.PrivateKey) (certwatch.Pair, error)
	LoadKey(path string) (certwatch.KeyFile, error)
}

// A Prober tells what an address presents to every client, see [probe.Prober].
type Prober interface {
	Address(ctx context.Context, e probe.Endpoint, address netip.AddrPort) []probe.Result
}

// A Looker tells what the DNS says, see [lookup.Pass].
type Looker interface {
	Owner(ctx context.Context, owner tlsa.Owner, retained ...lookup.Retained) lookup.View
	Host(ctx context.Context, host string) lookup.HostView
	Ask(ctx context.Context, name string, qtype uint16) lookup.Answer
	ZoneOf(ctx context.Context, name string) (string, error)
}

// A Host has a lineage's pairs installed and its servers reloaded, see [swap.Host].
type Host interface {
	Installed() (entry string, err error)
	Pairs() []swap.Files
	Adopt(entry string) error
	Switch(ctx context.Context, entry string) (swap.Result, error)
}

// rooms are those of a configuration, with a store.
func (c Config) rooms(store Store) (Rooms, error) {
	client, err := lookup.New(lookup.Config{Resolver: c.Resolver, TrustResolver: c.TrustResolver, SelfTestName: c.ResolverTest, Now: c.Clock.Wall, Exchange: c.Exchange})
	if err != nil {
		return Rooms{}, err
	}
	zones := map[string]lookup.Zone{}
	for name, z := range c.Zones {
		zones[name] = lookup.Zone{Hidden: z.Hidden, Exclude: z.Exclude, Private: z.Private}
	}
	return Rooms{
		Store:  store,
		Stash:  certwatch.Stash{Dir: filepath.Join(c.State, "stash")},
		Keys:   certwatch.Keyring{Dir: KeysIn(c.State)},
		Reader: certwatch.Reader{Quiet: c.Quiet, Now: c.Clock.Wall},
		Prober: &probe.Prober{Dial: c.Dial, Hello: c.Hello, Now: func() time.Time { return time.Time{}.Add(c.Clock.Boot()) }}, // nobody sets that clock
		Look:   func() Looker { return client.NewPass(zones) },
		Host:   c.host,
	}, nil
}

// KeysIn is the directory of the keys that were made ahead, see [certwatch.Keyring].
func KeysIn(state string) string { return filepath.Join(state, "keys") }

// OpenIn is [Open] for an agent that lives in other rooms than the host's: it goes
// on with what their store holds.
func OpenIn(cfg Config, rooms Rooms) (*Agent, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	known, err := rooms.Store.Load()
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return open(cfg, rooms, known), nil
}
