package audit

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A scene is a host as its findings are told of it.
type scene struct {
	Host
	teller
	at time.Time
	// base is whose records count, for who asks now or soon; nil: none do.
	base *Base
	// records are those that stand there: of those that its servers give, the ones that
	// match best what is presented.
	records tlsa.RRset
	ref     tlsa.Reference
	// shown is what the addresses presented, by address, then offer.
	shown []showing
	// idle says of base domains in zones without a DS record what that is to their records.
	idle map[string]string
	// failed are the addresses of which it is told that what they present does not match.
	failed []Address
}

// A showing is a chain that was presented at one offer.
type showing struct {
	Address
	Handshake
}

func newScene(h Host, at time.Time) *scene {
	s := &scene{Host: h, teller: teller{host: h.Name}, at: at}
	for _, a := range h.Addresses {
		for _, k := range a.Handshakes {
			if k.Outcome == rollover.Served && k.Chain != nil {
				s.shown = append(s.shown, showing{a, k})
			}
		}
	}
	for i := range h.Bases {
		b := &h.Bases[i]
		if b.InVain || b.Security == rollover.Insecure {
			continue
		}
		if b.Security != rollover.Secure {
			break // the lookup fails, and no client asks for the next (RFC 7672, section 2.2.2)
		}
		ref := reference(h, b.Name, at)
		if records := s.standing(b, ref); !records.Denial() {
			s.base, s.records, s.ref = b, records, ref
			break
		}
	}
	return s
}

// who are the host's clients.
func (s *scene) who() string {
	if s.SMTP {
		return "senders"
	}
	return "clients"
}

// A version is one content of an RRset, and who gives it.
type version struct {
	tlsa.RRset
	by []string
}

// versionsOf are the contents that the servers of a base domain give, in their order.
func versionsOf(b *Base) (out []version) {
	for _, s := range b.Servers {
		if !s.Answer.Known() || s.Alias || s.Retained {
			continue
		}
		i := slices.IndexFunc(out, func(v version) bool { return v.Same(s.Answer.Value) })
		if i < 0 {
			i, out = len(out), append(out, version{RRset: s.Answer.Value})
		}
		out[i].by = append(out[i].by, serverName(s))
		out[i].TTL = max(out[i].TTL, s.Answer.Value.TTL)
	}
	return out
}

// standing are the records at a base domain by its servers, by the resolver where no
// server was asked. Of several versions it is the one that fails least of what is
// presented, then the one that most give; a denial only where nobody gives records.
func (s *scene) standing(b *Base, ref tlsa.Reference) tlsa.RRset {
	versions := versionsOf(b)
	if len(versions) == 0 {
		return b.Resolved.Value // a denial where it is not known
	}
	best := versions[0]
	for _, v := range versions[1:] {
		if s.better(v, best, ref) {
			best = v
		}
	}
	return best.RRset
}

func (s *scene) better(v, w version, ref tlsa.Reference) bool {
	if v.Denial() != w.Denial() {
		return w.Denial()
	}
	if a, b := s.failures(v.RRset, ref), s.failures(w.RRset, ref); a != b {
		return a < b
	}
	return len(v.by) > len(w.by)
}

// failures counts the showings to clients of DANE that a client refuses which holds these records.
func (s *scene) failures(records tlsa.RRset, ref tlsa.Reference) (n int) {
	for _, p := range s.shown {
		if p.SNI && records.Authenticates(p.Chain, ref) != nil {
			n++
		}
	}
	return n
}

// leaves are the chains presented, each leaf once, and where: with SNI first, as those
// are what DANE clients get.
func (s *scene) leaves() (out []leaf) {
	for _, sni := range []bool{true, false} {
		for _, p := range s.shown {
			if p.SNI != sni {
				continue
			}
			i := slices.IndexFunc(out, func(l leaf) bool { return l.LeafID() == p.Chain.LeafID() })
			if i < 0 {
				i, out = len(out), append(out, leaf{Chain: p.Chain, untrusted: p.Untrusted})
			}
			out[i].at = withAddress(out[i].at, p.Address)
		}
	}
	return out
}

// A leaf is a chain of one leaf, and the addresses that present it.
type leaf struct {
	*tlsa.Chain
	untrusted string
	at        []Address
}

func withAddress(all []Address, a Address) []Address {
	if slices.ContainsFunc(all, func(b Address) bool { return a.Address == b.Address }) {
		return all
	}
	return append(all, a)
}
