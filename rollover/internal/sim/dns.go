package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Stored is an RRset in a zone, and when it was put into the primary's.
type Stored struct {
	RRset tlsa.RRset
	born  time.Time
}

// Cached is an answer that somebody may hold.
type Cached struct {
	owner tlsa.Owner
	key   string
	ttl   time.Duration
	born  time.Time
}

func (r Stored) cached(owner tlsa.Owner) Cached {
	return Cached{owner, r.RRset.Key(), r.RRset.TTL, r.born}
}

// Server is an authoritative server: what it has of the zone, and what is wrong with it.
type Server struct {
	Name    string
	Address string
	Lag     time.Duration
	queue   bool // passes every change on in turn; else it takes what the primary has by then
	zone    map[tlsa.Owner]Stored
	pending []transfer
	Stuck   bool          // takes no changes
	down    bool          // gives no answer to anybody
	Hidden  bool          // gives us no answer, and others do
	NSTTL   time.Duration // of the NS records that name it
	Off     time.Time     // when it was taken out of the NS records
	View    func(*rollover.ServerView)
}

type transfer struct {
	at   time.Time
	zone map[tlsa.Owner]Stored
}

// Server adds an authoritative server, which gets changes lag after they are made.
func (w *World) Server(name string, lag time.Duration) *Server {
	s := &Server{Name: name, Lag: lag, Address: fmt.Sprintf("192.0.2.%d", 53+len(w.Servers)), NSTTL: time.Minute, zone: maps.Clone(w.Zone)}
	w.Servers = append(w.Servers, s)
	return s
}

// Edit changes the primary's zone, as a provider or a person would.
func (w *World) Edit(owner tlsa.Owner, how func(tlsa.RRset) tlsa.RRset) {
	w.Zone = maps.Clone(w.Zone)
	w.Zone[owner] = Stored{how(w.Zone[owner].RRset), w.Now}
	for _, s := range w.Servers {
		if len(s.pending) == 0 || s.queue {
			s.pending = append(s.pending, transfer{w.Now.Add(s.Lag), w.Zone})
		}
	}
	w.happen()
}

// Everywhere gives all servers what the primary has.
func (w *World) Everywhere() {
	for _, s := range w.Servers {
		w.serve(s, w.Zone)
		s.pending = nil
	}
}

// transfers gives a server the changes that have reached it.
func (w *World) transfers(s *Server) {
	for !s.Stuck && len(s.pending) > 0 && !w.Now.Before(s.pending[0].at) {
		zone := s.pending[0].zone
		s.pending = s.pending[1:]
		if !s.queue {
			zone = w.Zone
		}
		w.serve(s, zone)
	}
	if s.Stuck {
		for i := range s.pending {
			s.pending[i].at = latest(s.pending[i].at, w.Now.Add(time.Second))
		}
	}
}

// serve makes a server give another zone. What it gave until now is held on.
func (w *World) serve(s *Server, zone map[tlsa.Owner]Stored) {
	w.hold(s)
	s.zone = zone
}

// hold notes what a server gave until now as held by caches from now on.
func (w *World) hold(s *Server) {
	if s.down {
		return
	}
	for _, owner := range w.ownerNames() {
		r := s.answer(owner)
		c := r.cached(owner)
		w.Caches[c] = latest(w.Caches[c], w.Now.Add(r.RRset.TTL+time.Second))
	}
}

// Stop makes a server give no answers to anybody.
func (w *World) Stop(s *Server) {
	w.hold(s)
	s.down = true
}

// Unlist takes a server out of the NS records; caches may ask it for its NS TTL.
func (w *World) Unlist(s *Server) {
	s.Off = w.Now
	w.after(s.NSTTL+time.Second, func() {
		w.hold(s)
		w.Servers = slices.DeleteFunc(w.Servers, func(t *Server) bool { return t == s })
	})
}

// answer is what a server gives; where it has nothing, a denial.
func (s *Server) answer(owner tlsa.Owner) Stored {
	r := s.zone[owner]
	if r.RRset.Denial() {
		r.RRset = tlsa.RRset{TTL: time.Minute}
	}
	return r
}

// ownerNames are those of all endpoints, sorted.
func (w *World) ownerNames() []tlsa.Owner {
	var owners []tlsa.Owner
	for _, p := range w.Policy.Lineages {
		for _, e := range p.Endpoints {
			owners = append(owners, e.Owners()...)
		}
	}
	for owner := range w.Unlisted {
		owners = append(owners, owner)
	}
	for owner := range w.Zone {
		owners = append(owners, owner)
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// held are the answers that somebody may hold now at an owner name.
func (w *World) held(owner tlsa.Owner) []Stored {
	seen := map[Cached]bool{}
	var out []Stored
	add := func(r Stored) {
		if c := r.cached(owner); !seen[c] {
			seen[c] = true
			out = append(out, r)
		}
	}
	for _, s := range w.Servers {
		if !s.down {
			add(s.answer(owner))
		}
	}
	for c, until := range w.Caches {
		switch {
		case w.Now.After(until):
			delete(w.Caches, c)
		case c.owner == owner:
			add(Stored{w.parse(c), c.born})
		}
	}
	return out
}

func (w *World) parse(c Cached) tlsa.RRset {
	var as []tlsa.Association
	for key := c.key; key != ""; {
		i := slices.Index([]byte(key), '\n')
		a, err := tlsa.ParseAssociation(key[:i])
		if err != nil {
			w.T.Fatal(err)
		}
		as, key = append(as, a), key[i+1:]
	}
	return tlsa.NewRRset(c.ttl, as...)
}

// known are the answers at an owner name that rules can know of: those that a
// look came across, and those that one now would. What came and went wholly
// between two looks no rule can know. The way back does not wait for a provider
// that gives no answer.
func (w *World) known(owner tlsa.Owner, back bool) map[Cached]bool {
	primary := w.Zone[owner].cached(owner)
	out := map[Cached]bool{primary: !back || w.seen[primary]}
	for _, s := range w.Servers {
		out[s.answer(owner).cached(owner)] = true
	}
	for c, until := range w.Caches {
		if c.owner == owner && w.seen[c] && !w.Now.After(until) {
			out[c] = true
		}
	}
	return out
}

// view is what a look at an owner name shows.
func (w *World) view(owner tlsa.Owner) rollover.OwnerView {
	v := rollover.OwnerView{Target: owner, Zone: "example.org.", Provider: w.Provider, Security: w.Security, Err: w.NSErr}
	if target, alias := w.Target[owner]; alias {
		v.Target, v.AliasTTL = target, 30*time.Second
	}
	if w.NSErr != "" {
		return v
	}
	for _, s := range w.Servers {
		retained := !s.Off.IsZero()
		if retained && !slices.ContainsFunc(w.State.Owners[owner].Servers, func(t rollover.Server) bool { return t.Address == s.Address }) {
			continue
		}
		sv := rollover.ServerView{Name: s.Name, Address: s.Address, NSTTL: s.NSTTL, Retained: retained, Answer: w.asked(s, v)}
		if sv.Answer.Known() {
			sv.SignedUntil = w.Now.Add(240 * time.Hour)
		}
		if s.View != nil {
			s.View(&sv)
		}
		v.Servers = append(v.Servers, sv)
	}
	return v
}

func (w *World) asked(s *Server, v rollover.OwnerView) rollover.Sight[tlsa.RRset] {
	if s.down || s.Hidden || w.unlucky(40) {
		return rollover.Unseen[tlsa.RRset]("timeout")
	}
	r := s.answer(v.Target)
	w.seen[r.cached(v.Target)] = true
	r.RRset.TTL += v.AliasTTL
	return rollover.Seen(r.RRset)
}

// copy is the provider's own copy.
func (w *World) copy(target tlsa.Owner) tlsa.RRset {
	r := w.Zone[target].RRset
	if r.Denial() {
		r.TTL = time.Minute
	}
	return r
}

// update is a provider's Apply: compare and set.
func (w *World) update(action string, c rollover.Change) rollover.Result {
	if err := w.fault(action); err != "" {
		return rollover.Result{Err: err}
	}
	before := w.copy(c.Owner)
	if !before.Same(c.Before) {
		return rollover.Result{Err: "conflict"}
	}
	for _, a := range c.Removed() {
		if w.Foreign[a] {
			w.broke("a foreign record was removed: %s", a)
		}
	}
	w.judgeChange(c)
	w.Edit(c.Owner, func(tlsa.RRset) tlsa.RRset { return c.After })
	w.seen[w.Zone[c.Owner].cached(c.Owner)] = true
	if err := w.fault("lost " + action); err != "" {
		return rollover.Result{Err: err}
	}
	return rollover.Result{}
}

// fault is the error that the next action of a kind is to end with, if any.
func (w *World) fault(action string) string {
	if err := w.Faults[action]; err != "" {
		delete(w.Faults, action)
		return err
	}
	if w.unlucky(25) {
		return action + ": out of luck"
	}
	return ""
}

// unlucky is true one time in n, while chaos reigns.
func (w *World) unlucky(n int) bool { return w.rng != nil && w.rng.IntN(n) == 0 }
