package rollover

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// stored is an RRset in a zone, and when it was put into the primary's.
type stored struct {
	rrset tlsa.RRset
	born  time.Time
}

// cached is an answer that somebody may hold.
type cached struct {
	owner tlsa.Owner
	key   string
	ttl   time.Duration
	born  time.Time
}

func (r stored) cached(owner tlsa.Owner) cached {
	return cached{owner, r.rrset.Key(), r.rrset.TTL, r.born}
}

type server struct {
	name    string
	address string
	lag     time.Duration
	queue   bool // passes every change on in turn; else it takes what the primary has by then
	zone    map[tlsa.Owner]stored
	pending []transfer
	stuck   bool          // takes no changes
	down    bool          // gives no answer to anybody
	hidden  bool          // gives us no answer, and others do
	nsTTL   time.Duration // of the NS records that name it
	off     time.Time     // when it was taken out of the NS records
	view    func(*ServerView)
}

type transfer struct {
	at   time.Time
	zone map[tlsa.Owner]stored
}

func (w *world) server(name string, lag time.Duration) *server {
	s := &server{name: name, lag: lag, address: fmt.Sprintf("192.0.2.%d", 53+len(w.servers)), nsTTL: time.Minute, zone: maps.Clone(w.zone)}
	w.servers = append(w.servers, s)
	return s
}

// edit changes the primary's zone, as a provider or a person would.
func (w *world) edit(owner tlsa.Owner, how func(tlsa.RRset) tlsa.RRset) {
	w.zone = maps.Clone(w.zone)
	w.zone[owner] = stored{how(w.zone[owner].rrset), w.now}
	for _, s := range w.servers {
		if len(s.pending) == 0 || s.queue {
			s.pending = append(s.pending, transfer{w.now.Add(s.lag), w.zone})
		}
	}
	w.happen()
}

// everywhere gives all servers what the primary has.
func (w *world) everywhere() {
	for _, s := range w.servers {
		w.serve(s, w.zone)
		s.pending = nil
	}
}

// transfers gives a server the changes that have reached it.
func (w *world) transfers(s *server) {
	for !s.stuck && len(s.pending) > 0 && !w.now.Before(s.pending[0].at) {
		zone := s.pending[0].zone
		s.pending = s.pending[1:]
		if !s.queue {
			zone = w.zone
		}
		w.serve(s, zone)
	}
	if s.stuck {
		for i := range s.pending {
			s.pending[i].at = latest(s.pending[i].at, w.now.Add(time.Second))
		}
	}
}

// serve makes a server give another zone. What it gave until now is held on.
func (w *world) serve(s *server, zone map[tlsa.Owner]stored) {
	w.hold(s)
	s.zone = zone
}

// hold notes what a server gave until now as held by caches from now on.
func (w *world) hold(s *server) {
	if s.down {
		return
	}
	for _, owner := range w.ownerNames() {
		r := s.answer(owner)
		c := r.cached(owner)
		w.caches[c] = latest(w.caches[c], w.now.Add(r.rrset.TTL+time.Second))
	}
}

// stop makes a server give no answers to anybody.
func (w *world) stop(s *server) {
	w.hold(s)
	s.down = true
}

// unlist takes a server out of the NS records; caches may ask it for its NS TTL.
func (w *world) unlist(s *server) {
	s.off = w.now
	w.after(s.nsTTL+time.Second, func() {
		w.hold(s)
		w.servers = slices.DeleteFunc(w.servers, func(t *server) bool { return t == s })
	})
}

// answer is what a server gives; where it has nothing, a denial.
func (s *server) answer(owner tlsa.Owner) stored {
	r := s.zone[owner]
	if r.rrset.Denial() {
		r.rrset = tlsa.RRset{TTL: time.Minute}
	}
	return r
}

// ownerNames are those of all endpoints, sorted.
func (w *world) ownerNames() []tlsa.Owner {
	var owners []tlsa.Owner
	for _, p := range w.policy.Lineages {
		for _, e := range p.Endpoints {
			owners = append(owners, e.Owners()...)
		}
	}
	for owner := range w.unlisted {
		owners = append(owners, owner)
	}
	for owner := range w.zone {
		owners = append(owners, owner)
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// held are the answers that somebody may hold now at an owner name.
func (w *world) held(owner tlsa.Owner) []stored {
	seen := map[cached]bool{}
	var out []stored
	add := func(r stored) {
		if c := r.cached(owner); !seen[c] {
			seen[c] = true
			out = append(out, r)
		}
	}
	for _, s := range w.servers {
		if !s.down {
			add(s.answer(owner))
		}
	}
	for c, until := range w.caches {
		switch {
		case w.now.After(until):
			delete(w.caches, c)
		case c.owner == owner:
			add(stored{w.parse(c), c.born})
		}
	}
	return out
}

func (w *world) parse(c cached) tlsa.RRset {
	var as []tlsa.Association
	for key := c.key; key != ""; {
		i := slices.Index([]byte(key), '\n')
		a, err := tlsa.ParseAssociation(key[:i])
		if err != nil {
			w.t.Fatal(err)
		}
		as, key = append(as, a), key[i+1:]
	}
	return tlsa.NewRRset(c.ttl, as...)
}

// known are the answers at an owner name that rules can know of: those that a
// look came across, and those that one now would. What came and went wholly
// between two looks no rule can know. The way back does not wait for a provider
// that gives no answer.
func (w *world) known(owner tlsa.Owner, back bool) map[cached]bool {
	primary := w.zone[owner].cached(owner)
	out := map[cached]bool{primary: !back || w.seen[primary]}
	for _, s := range w.servers {
		out[s.answer(owner).cached(owner)] = true
	}
	for c, until := range w.caches {
		if c.owner == owner && w.seen[c] && !w.now.After(until) {
			out[c] = true
		}
	}
	return out
}

// view is what a look at an owner name shows.
func (w *world) view(owner tlsa.Owner) OwnerView {
	v := OwnerView{Target: owner, Zone: "example.org.", Provider: w.provider, Security: w.security, Err: w.nsErr}
	if target, alias := w.target[owner]; alias {
		v.Target, v.AliasTTL = target, 30*time.Second
	}
	if w.nsErr != "" {
		return v
	}
	for _, s := range w.servers {
		retained := !s.off.IsZero()
		if retained && !slices.ContainsFunc(w.state.Owners[owner].Servers, func(t Server) bool { return t.Address == s.address }) {
			continue
		}
		sv := ServerView{Name: s.name, Address: s.address, NSTTL: s.nsTTL, Retained: retained, Answer: w.asked(s, v)}
		if sv.Answer.Known() {
			sv.SignedUntil = w.now.Add(240 * time.Hour)
		}
		if s.view != nil {
			s.view(&sv)
		}
		v.Servers = append(v.Servers, sv)
	}
	return v
}

func (w *world) asked(s *server, v OwnerView) Sight[tlsa.RRset] {
	if s.down || s.hidden || w.unlucky(40) {
		return Unseen[tlsa.RRset]("timeout")
	}
	r := s.answer(v.Target)
	w.seen[r.cached(v.Target)] = true
	r.rrset.TTL += v.AliasTTL
	return Seen(r.rrset)
}

// copy is the provider's own copy.
func (w *world) copy(target tlsa.Owner) tlsa.RRset {
	r := w.zone[target].rrset
	if r.Denial() {
		r.TTL = time.Minute
	}
	return r
}

// update is a provider's Apply: compare and set.
func (w *world) update(action string, c Change) Result {
	if err := w.fault(action); err != "" {
		return Result{Err: err}
	}
	before := w.copy(c.Owner)
	if !before.Same(c.Before) {
		return Result{Err: "conflict"}
	}
	for _, a := range c.Removed() {
		if w.foreign[a] {
			w.broke("a foreign record was removed: %s", a)
		}
	}
	w.judgeChange(c)
	w.edit(c.Owner, func(tlsa.RRset) tlsa.RRset { return c.After })
	w.seen[w.zone[c.Owner].cached(c.Owner)] = true
	if err := w.fault("lost " + action); err != "" {
		return Result{Err: err}
	}
	return Result{}
}

// fault is the error that the next action of a kind is to end with, if any.
func (w *world) fault(action string) string {
	if err := w.faults[action]; err != "" {
		delete(w.faults, action)
		return err
	}
	if w.unlucky(25) {
		return action + ": out of luck"
	}
	return ""
}

// unlucky is true one time in n, while chaos reigns.
func (w *world) unlucky(n int) bool { return w.rng != nil && w.rng.IntN(n) == 0 }
