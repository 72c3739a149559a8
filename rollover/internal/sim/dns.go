package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Server is an authoritative server: what it has of the zone, and what is wrong with it.
type Server struct {
	Name    string
	Address string
	Lag     time.Duration
	Queue   bool // passes every change on in turn; else it takes what the primary has by then
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
		if !s.Queue {
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

// Stop makes a server give no answers to anybody.
func (w *World) Stop(s *Server) {
	w.hold(s)
	s.down = true
}

// Unlist takes a server out of the NS records; caches may ask it for its NS TTL.
func (w *World) Unlist(s *Server) {
	s.Off = w.Now
	w.After(s.NSTTL+time.Second, func() {
		w.hold(s)
		w.Servers = slices.DeleteFunc(w.Servers, func(t *Server) bool { return t == s })
	})
}

// answer is what a server gives.
func (s *Server) answer(w *World, owner tlsa.Owner) *answer { return w.answerOf(owner, s.zone[owner]) }

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

// view is what a look at an owner name shows; servers that are not listed any more
// are asked where the looker retains them.
func (w *World) view(owner tlsa.Owner, retains func(*Server) bool) rollover.OwnerView {
	v := rollover.OwnerView{Target: owner, Zone: zoneName, Provider: w.Provider, Security: w.Security, Err: w.NSErr}
	if target, alias := w.Target[owner]; alias {
		v.Target, v.AliasTTL = target, 30*time.Second
	}
	if w.NSErr != "" {
		return v
	}
	for _, s := range w.Servers {
		retained := !s.Off.IsZero()
		if retained && !retains(s) {
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
	if s.down || s.Hidden || w.unlucky(40, "ask "+s.Address+string(v.Target)) {
		return rollover.Unseen[tlsa.RRset]("timeout")
	}
	a := s.answer(w, v.Target)
	w.see(a)
	r := a.rrset
	r.TTL += v.AliasTTL
	return rollover.Seen(r)
}
