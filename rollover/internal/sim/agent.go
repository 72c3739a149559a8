package sim

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// shell is a mind that is the real agent, in rooms that show it this world: with its
// journal, its inbox, its clock, and a process that may end at any point.
type shell struct {
	*World
	dir   string
	agent *agent.Agent // nil: no process runs
	store *fusedStore  // nil: the journal is not open
	again time.Time    // when the agent wants to make the next pass, by our time
	fuse  fuse
	host  hostClock

	mu      sync.Mutex              // looks are made side by side
	staged  map[string]tlsa.ChainID // by lineage: what the ACME client left
	stash   map[tlsa.ChainID]bool   // pairs that were copied
	keyring map[string]certwatch.Key
}

// hostClock is the clock of the host, as far as it can be set and may be lost.
type hostClock struct {
	ahead        time.Duration // of the wall clock
	booted       time.Time
	boots        int
	synchronised bool
	minded       bool // a journal knows what time it was
}

// liveIn gives a world's decisions to the agent. Its journal is kept in memory where
// the system has a place for that: what a disk does is not what is simulated.
func (w *World) liveIn() *shell {
	s := &shell{World: w, staged: map[string]tlsa.ChainID{}, stash: map[tlsa.ChainID]bool{}, keyring: map[string]certwatch.Key{}, host: hostClock{booted: Epoch, synchronised: true}}
	base := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		base = "/dev/shm"
	}
	var err error
	if s.dir, err = os.MkdirTemp(base, "tlsaroll-sim-"); err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(s.end)
	w.mind = s
	return s
}

// end closes what the agent has open and removes its journal; once more does no harm.
func (s *shell) end() {
	s.stop()
	if err := os.RemoveAll(s.dir); err != nil {
		s.T.Error(err)
	}
}

func (s *shell) wake() time.Time { return s.again }

// pass hands over what people and ACME clients have, and has the agent make a pass.
func (s *shell) pass() {
	s.fuse = s.newFuse()
	if s.crashed(s.start) || s.crashed(s.handOver) || s.crashed(s.make) {
		s.note("crash %s", s.fuse.blown)
		for _, h := range s.Hosts { // what is said once more, or heard later, is later than it was
			h.fickle = h.fickle || h.handed || len(h.offers) > 0
		}
		s.crashes++
		if !s.fuse.saved {
			s.unsee()
		}
		s.stop()
		s.again = s.Now.Add(s.downTime())
	}
}

// byPass marks what a pass asks, and nobody beside it.
type byPass struct{}

// make has the agent make a pass.
func (s *shell) make() {
	r, err := s.agent.Pass(context.WithValue(context.Background(), byPass{}, true), s.lineages()[0])
	if err != nil {
		s.T.Fatalf("pass: %v\n%s", err, s.Story())
	}
	for _, h := range s.Hosts {
		h.handed = false
	}
	s.State, s.Plan = r.State, r.Plan
	if s.again = r.Again; !s.again.IsZero() {
		s.again = s.again.Add(s.Now.Sub(s.agent.Now()))
	}
}

// handOver is what comes in by hooks and commands. Whoever is cut off says it again.
func (s *shell) handOver() {
	for _, name := range s.lineages() {
		h := s.Hosts[name]
		for len(h.offers) > 0 {
			o := h.offers[0]
			if o.Explicit {
				if _, err := s.agent.Offer(name, certwatch.Pair{Chain: s.Chains[o.Chain]}); err != nil {
					s.T.Fatal(err)
				}
			} else {
				s.staged[name] = o.Chain
				s.agent.Nudge(name)
			}
			h.offers, h.handed = h.offers[1:], true
		}
		if h.Orders != (rollover.Orders{}) {
			if err := s.agent.Order(name, h.Orders); err != nil {
				s.T.Fatal(err)
			}
			h.Orders = rollover.Orders{}
		}
	}
}

// start begins a process where none runs.
func (s *shell) start() {
	if s.agent != nil {
		return
	}
	store, _, aside, err := journal.Open(filepath.Join(s.dir, "journal.db"), time.Second)
	if err != nil || aside != "" {
		s.T.Fatalf("journal: %v, moved aside: %s", err, aside)
	}
	store.Alone()
	s.store = &fusedStore{store, s, &unwritten{}}
	clock := agent.Clock{
		Wall:   func() time.Time { return s.Now.Add(s.host.ahead) },
		Boot:   func() time.Duration { return s.Now.Sub(s.host.booted) },
		BootID: fmt.Sprint(s.host.boots), Synchronised: func() bool { return s.host.synchronised },
	}
	cfg := agent.Config{
		State: s.dir, Timing: s.Policy.Timing, Clock: clock, Local: s.local, Workers: 1,
		Acted:     func(_ []string, a rollover.Action, err error) { s.note("%s %v", a, err) },
		Zones:     map[string]agent.Zone{zoneName: {AllowInsecure: s.Policy.AllowInsecure[zoneName]}},
		Providers: []agent.Provider{{Name: "ns1", Zone: zoneName, Provider: provider{s}}},
	}
	for _, name := range s.lineages() {
		cfg.Lineages = append(cfg.Lineages, agent.Lineage{Name: name, Policy: s.Policy.Lineages[name],
			Staged: certwatch.Files{Cert: name + ".crt", Key: name + ".key"}})
	}
	s.agent, err = agent.OpenIn(cfg, agent.Rooms{
		Store: s.store, Stash: stash{s}, Keys: keys{s}, Reader: reader{s}, Prober: prober{s},
		Look: func() agent.Looker { return looker{s} },
		Host: func(l agent.Lineage) agent.Host { return host{s, l.Name} },
	})
	if err != nil {
		s.T.Fatal(err)
	}
	for _, name := range s.lineages() { // somebody says what is installed
		if h := s.Hosts[name]; h.Live == "" && h.Installed != "" {
			if err := s.agent.Adopt(name, certwatch.Pair{Chain: s.Chains[h.Installed]}); err != nil {
				s.T.Fatal(err)
			}
		}
	}
}

// stop ends the process.
func (s *shell) stop() {
	s.fuse = fuse{}
	var err error
	switch {
	case s.agent != nil:
		err = s.agent.Close()
	case s.store != nil: // it ended while it began
		err = s.store.Close()
	}
	if err != nil {
		s.T.Error(err)
	}
	s.agent, s.store = nil, nil
}

// lose removes the journal and all that was copied.
func (s *shell) lose() error {
	clear(s.stash)
	s.host.minded = false
	s.again = s.Now
	for _, h := range s.Hosts { // the live links are not in the journal, and lead nowhere without the stash
		h.Live = ""
	}
	return os.Remove(filepath.Join(s.dir, "journal.db"))
}

// local are the addresses of this host.
func (s *shell) local() []netip.Addr {
	var out []netip.Addr
	for _, name := range s.lineages() {
		for _, address := range s.Hosts[name].addresses() {
			if n := s.Hosts[name].Nodes[address]; !n.Remote {
				out = append(out, netip.MustParseAddrPort(at(address, 0)).Addr())
			}
		}
	}
	return out
}

// provider is ours, as far as it lets itself be reached.
type provider struct{ s *shell }

func (p provider) RRset(_ context.Context, _ string, owner tlsa.Owner) (tlsa.RRset, error) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	sight := p.s.copyOf(owner)
	if !sight.Known() {
		return tlsa.RRset{}, rejection(sight.Err)
	}
	return sight.Value, nil
}

func (p provider) Apply(_ context.Context, _ string, changes []dnsprovider.Change) []error {
	errs := make([]error, len(changes))
	for i, c := range changes {
		action := "publish"
		if len(c.Remove()) > 0 {
			action = "retire"
		}
		p.s.fuse.point("before the update")
		errs[i] = p.s.apply(action, c)
		p.s.fuse.point("after the update")
	}
	return errs
}
