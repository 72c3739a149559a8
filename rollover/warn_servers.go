package rollover

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// warnZone tells of answers that validating resolvers may not take, of servers
// that cannot be found, and of what else the look at DNS came across.
func (x *pass) warnZone(name string, owner tlsa.Owner, l *Ledger) {
	if l.Err != "" && x.now.Sub(l.Lost) > missGrace {
		x.tell(name, l.unlistable(owner).warning())
	}
	if r := x.invalid(owner, l); r != nil && x.now.Sub(l.Judged) > missGrace {
		x.tell(name, r.warning())
	}
	for _, f := range l.Findings {
		if f.Code != CodeFamilyUntested { // told of the servers, below
			x.tell(name, NewWarning(f.Code, f.About, f.Text))
		}
	}
}

// unlistable is the sentence for servers that cannot be found.
func (l *Ledger) unlistable(owner tlsa.Owner) Reason {
	return reason(CodeServersUnknown, "%s: its servers are not known: %s", owner, l.Err).of(string(owner))
}

// invalid says why validating resolvers may not take what is given at an owner
// name, nil if they do. That a zone is not signed matters where records stand that
// were not meant to be unsigned (DESIGN 4.5).
func (x *pass) invalid(owner tlsa.Owner, l *Ledger) *Reason {
	var r Reason
	switch {
	case l.Security == Secure, l.Looked.IsZero():
		return nil
	case l.Security == Bogus:
		r = reason(CodeZoneBogus, "%s is bogus for a validating resolver%s", owner, because(l.Text))
	case l.Security == Insecure && (x.policy.AllowInsecure[l.Zone] || l.latest().Denial()):
		return nil
	case l.Security == Insecure:
		r = reason(CodeZoneInsecure, "%s has TLSA records and is not signed (hint: sign zone %s, or write allow-insecure: true for it under zones:)", owner, l.Zone)
	default:
		r = reason(CodeZoneIndeterminate, "whether %s is signed is not known%s", owner, because(l.Text))
	}
	r = r.of(string(owner))
	return &r
}

// warnServers tells of servers that do not do their part.
func (x *pass) warnServers(name string, owner tlsa.Owner, l *Ledger) {
	ttl := l.longestTTL(func(v Version) bool { return v.current() && !v.Unknown })
	for i := range l.Servers {
		s := &l.Servers[i]
		switch {
		case !s.Unlisted.IsZero():
			until := s.Unlisted.Add(x.policy.Timing.PublicationInterval(s.NSTTL))
			x.tell(name, warning(CodeServerUnlisted, s.Address, "%s is no longer named in the NS records: what it gives counts until %s", s, Stamp(until)))
		case s.Untested && l.sister(s):
			x.tell(name, warning(CodeFamilyUntested, s.Address, "%s: this host has no route to it; judged by its other addresses", s))
		case s.Untested:
			x.tell(name, warning(CodeServerUnknown, s.Address, "%s: this host has no route to it, and no other address of it can be asked", s))
		case s.outOfSight(x.now):
			x.tell(name, s.silence(owner).warning())
		case s.Missing.IsZero():
			x.warnAnswer(name, owner, l, s)
			if !s.SignedUntil.IsZero() && x.now.Add(signatureTTLs*ttl).After(s.SignedUntil) {
				x.tell(name, warning(CodeSignatureEnds, s.Address, "%s: the signature of %s ends at %s, within %d TTLs", s, owner, Stamp(s.SignedUntil), signatureTTLs))
			}
		}
	}
}

// warnAnswer tells what is wrong with a server's last answer.
func (x *pass) warnAnswer(name string, owner tlsa.Owner, l *Ledger, s *Server) {
	if s.Unsigned && l.Security == Secure {
		x.tell(name, s.unsigned(owner).warning())
	}
	if !s.Behind.IsZero() && x.now.Sub(s.Behind) >= behindGrace {
		x.tell(name, warning(CodeNotEverywhere, s.Address, "%s does not give what %s at %s, since %s: %s", s, l.standsWhere(), owner, Stamp(s.Behind), difference(s.content(), l.latest())))
	}
}

// sister reports whether another address of a server's name can be asked.
func (l *Ledger) sister(s *Server) bool {
	return slices.ContainsFunc(l.Servers, func(t Server) bool { return t.speaksFor(s) })
}

// standsWhere says where what stands is seen.
func (l *Ledger) standsWhere() string {
	standing := l.latest()
	if slices.ContainsFunc(l.Servers, func(s Server) bool { return s.speaks() && s.Missing.IsZero() && s.gave(standing) }) {
		return "others do"
	}
	return "the provider's own copy has"
}

// difference says what an RRset lacks and has beside another.
func difference(got, want tlsa.RRset) string {
	var parts []string
	for _, part := range []struct {
		what    string
		records []tlsa.Association
	}{{"it lacks", got.Missing(want.Associations...)}, {"it still has", want.Missing(got.Associations...)}} {
		if len(part.records) > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", part.what, shortly(part.records)))
		}
	}
	return strings.Join(parts, "; ")
}

func shortly(as []tlsa.Association) string {
	all := make([]string, len(as))
	for i, a := range as {
		all[i] = short(a)
	}
	return strings.Join(all, ", ")
}

// silence is the sentence for a server that gives no answer.
func (s *Server) silence(owner tlsa.Owner) Reason {
	since := ""
	if !s.Missing.IsZero() {
		since = " since " + Stamp(s.Missing)
	}
	return reason(CodeServerUnknown, "%s gives no answer for %s%s%s", s, owner, since, because(s.Err)).of(s.Address)
}

// unsigned is the sentence for a server that gives no signature.
func (s *Server) unsigned(owner tlsa.Owner) Reason {
	return reason(CodeUnsigned, "%s gives %s without a signature", s, owner).of(s.Address)
}
