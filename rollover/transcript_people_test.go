package rollover_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// order is a person's command line.
func (s *story) order(w *words) {
	lineage := w.get("lineage", "mx1")
	var o rollover.Orders
	switch w.command() {
	case "freeze":
		o.Freeze = &rollover.Freeze{}
		if w.more() {
			o.Freeze.Until = s.Now.Add(w.duration(w.next()))
		}
	case "thaw":
		o.Thaw = true
	case "rollback":
		o.Rollback = true
	case "cancel":
		o.Cancel = true
	case "withdraw":
		o.Withdraw = true
	case "rollover":
		o.Retry = true
		if ttl := w.get("ttl", ""); ttl != "" {
			o.TTL = w.duration(ttl)
		}
	case "emergency": // with a pair that a person hands in
		s.Weak = true
		o.Retry, o.Emergency = true, true
		s.renew(w)
		last := s.newest[lineage]
		s.OfferTo(lineage, last, true)
	}
	for _, why := range s.State.Objections(lineage, o, s.Now) {
		s.line("no", "%s", why)
		return
	}
	s.Hosts[lineage].Orders = s.Hosts[lineage].Orders.And(o)
}

// somebody changes the zone by hand.
func (s *story) somebody(w *words) {
	owner := s.writtenAt(sim.Owner25(w.t))
	if service := w.get("at", ""); service != "" {
		owner = s.endpoint(w, service).Owner
	}
	n, err := strconv.Atoi(w.get("n", "1"))
	if err != nil {
		w.fail("how many?")
	}
	verb := w.next()
	var what string
	if w.more() {
		what = w.next()
	}
	switch verb {
	case "deletes":
		s.Edit(owner, func(r tlsa.RRset) tlsa.RRset {
			if what == "all" {
				return tlsa.RRset{}
			}
			return r.Without(s.recordNamed(w, what))
		})
	case "adds":
		matching := w.get("matching", "")
		for range n {
			s.Edit(owner, func(r tlsa.RRset) tlsa.RRset {
				if r.Denial() {
					r.TTL = time.Hour
				}
				return r.With(s.added(w, what, matching))
			})
		}
	case "restores":
		s.Edit(owner, func(tlsa.RRset) tlsa.RRset { return s.backups[what][owner].RRset })
	case "retimes":
		s.Edit(owner, func(r tlsa.RRset) tlsa.RRset { r.TTL = w.duration(what); return r })
	default:
		w.fail("%s?", verb)
	}
	s.line("edit", "%s has %s", owner, s.rrset(s.Zone[owner].RRset))
}

// recordNamed is the record of a pair's key, of an issuer, or a foreign one.
func (s *story) recordNamed(w *words, name string) tlsa.Association {
	for a, known := range s.cast.records {
		if known == "3 1 1 of "+name || known == "2 1 1 of "+strings.ReplaceAll(name, "-", " ") || strings.HasSuffix(known, " of "+name) {
			return a
		}
	}
	w.fail("no record of %s", name)
	return tlsa.Association{}
}

// added is a record that somebody adds: of a pair, or of a key that nobody here has.
func (s *story) added(w *words, what, matching string) tlsa.Association {
	if what != "foreign" {
		return s.recordNamed(w, what)
	}
	a := s.KeyRecord(s.NewKey())
	if matching == "sha512" {
		a.Matching, a.Data = tlsa.SHA512, a.Data+a.Data
	}
	s.count["X"]++
	s.cast.name(a, fmt.Sprintf("X%d", s.count["X"]))
	s.Foreign[a] = true
	return a
}
