package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// nlDANE judges the TLSA records below the MX host's own name: Internet.nl knows of no
// other base domain.
func nlDANE(g grades, h Host, a *Address, at time.Time) {
	g["dane_exists"] = nlDANEExists(h)
	if g["dane_exists"].status != StatusPassed {
		for _, name := range []string{"dane_valid", "dane_rollover"} {
			g[name] = untested("there are no records to judge")
		}
		return
	}
	g["dane_valid"] = nlDANEValid(h, a, at)
	g["dane_rollover"] = nlRollover(h, a)
}

// nlBase is what was seen below the host's own name.
func nlBase(h Host) (Base, bool) {
	i := slices.IndexFunc(h.Bases, func(b Base) bool { return b.Name == h.Name })
	if i < 0 {
		return Base{}, false
	}
	return h.Bases[i], true
}

// nlRecords are the records that are listed: without the PKIX usages, and none where the
// RRset is not secure.
func nlRecords(h Host) []tlsa.Association {
	b, ok := nlBase(h)
	if !ok || !b.Resolved.Known() || b.Security != rollover.Secure || b.Beside.Security == rollover.Bogus {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(b.Resolved.Value.Associations), func(a tlsa.Association) bool { return a.Usage < tlsa.DANETA })
}

func nlDANEExists(h Host) grade {
	b, ok := nlBase(h)
	bad := grade{status: StatusFailed, verdict: "bad"}
	switch {
	case !ok && len(h.Bases) > 0:
		return untested("the records below %s were not looked up", h.Name)
	case !ok && (h.Reach.Err != "" || !looked(h.Reach)):
		return untested("the records were not looked up: %s", cmp.Or(h.Reach.Err, "whether the host has addresses is not known"))
	case !ok:
		bad.text = "DANE does not apply, as the addresses are " + string(h.Reach.Security)
		return bad
	case b.Security == rollover.Bogus && nlDenied(b):
		bad.text = "a denial that is bogus"
		bad.ours = "a lookup that is bogus is no denial: clients of DANE put mail off (RFC 7672, section 2.1.2)"
		return bad
	case b.Security == rollover.Bogus:
		return grade{status: StatusFailed, verdict: "bogus", text: cmp.Or(b.SecurityText, "the records are bogus")}
	case !b.Resolved.Known():
		bad.text = b.Resolved.Err
		bad.ours = "a lookup that fails is no denial: clients of DANE put mail off (RFC 7672, section 2.1.2)"
		return bad
	case b.Resolved.Value.Denial():
		bad.text = "no records"
		if i := slices.IndexFunc(h.Bases, func(o Base) bool {
			return o.Name != h.Name && o.Security == rollover.Secure && !o.Resolved.Value.Denial()
		}); i >= 0 {
			bad.ours = fmt.Sprintf("the host is an alias, and clients come to the records below %s first (RFC 7672, section 2.2.2)", h.Bases[i].Name)
		}
		return bad
	case b.Security == rollover.Insecure:
		bad.text = "the records are not signed"
		return bad
	case b.Security != rollover.Secure:
		return untested("whether the records are secure is not known: %s", cmp.Or(b.SecurityText, "no answer"))
	case b.Beside.Security == rollover.Bogus:
		return grade{status: StatusFailed, verdict: "bogus", text: fmt.Sprintf("the records are secure, and that there is no A record at %s is bogus", b.Owner)}
	}
	records := nlRecords(h)
	if len(records) == 0 {
		bad.text = "no records but those of usages 0 and 1, which are not for mail"
		return bad
	}
	g := grade{status: StatusPassed, verdict: "good", text: nlListed(records)}
	if b.InVain {
		g.ours = "clients look for no records where the addresses are not secure (RFC 7672, section 2.2.2)"
	}
	return g
}

// nlDenied reports whether a bogus answer is a denial, going by the servers: without
// validation it is what they say.
func nlDenied(b Base) bool {
	denied := false
	for _, s := range b.Servers {
		if s.Alias || !s.Answer.Known() {
			continue
		}
		if !s.Answer.Value.Denial() {
			return false
		}
		denied = true
	}
	return denied
}

func nlListed(records []tlsa.Association) string {
	var ss []string
	for _, a := range records {
		ss = append(ss, a.String())
	}
	return strings.Join(ss, ", ")
}

// nlDANEValid judges the chain by what ldns-dane says of it.
func nlDANEValid(h Host, a *Address, at time.Time) grade {
	shown := nlHandshake(*a)
	if shown == nil || shown.Chain == nil {
		why := "no chain was seen"
		if shown != nil {
			why = cmp.Or(shown.Err, why)
		}
		return untested("%s", why)
	}
	b, _ := nlBase(h)
	rrset := b.Resolved.Value
	g := grade{status: StatusPassed, verdict: "good"}
	by, err := ldnsVerifies(rrset, shown.Chain, h.Name, shown.Untrusted == "", at)
	if err != nil {
		g.status, g.verdict, g.text = StatusFailed, "bad", err.Error()
	} else {
		g.text = by.String()
	}
	g.ours = nlDANEDiffers(h, rrset, a, at, err == nil)
	return g
}

// nlDANEDiffers says where a DANE client, or who publishes, sees it otherwise.
func nlDANEDiffers(h Host, rrset tlsa.RRset, a *Address, at time.Time, valid bool) string {
	ref := tlsa.Reference{Names: append([]string{h.Name}, h.NextHop...), Time: at, SMTP: true}
	_, _, err := rrset.MatchedBy(nlHandshake(*a).Chain, ref)
	switch {
	case !valid && err == nil:
		return "a DANE client takes a certificate for the mail domain too (RFC 7672, section 3.2.2)"
	case !valid:
		return ""
	case err != nil:
		return "for a DANE client nothing matches: " + err.Error()
	}
	for _, other := range h.Addresses {
		for _, hs := range other.Handshakes {
			if hs.Chain == nil {
				continue
			}
			if err := rrset.Authenticates(hs.Chain, ref); err != nil {
				return fmt.Sprintf("at %s, asked for %s, nothing matches: %s", other.Address, nlAsked(hs), err)
			}
		}
	}
	if err := rrset.Vouches(nlHandshake(*a).Chain, ref); err != nil {
		return "one combination of parameters has no match (RFC 7671, section 8): " + err.Error()
	}
	return ""
}

func nlAsked(h Handshake) string {
	s := map[string]string{"any": "any key", "rsa": "an RSA key", "ecdsa": "an ECDSA key"}[h.Algorithm]
	if !h.SNI {
		s += " without SNI"
	}
	return s
}

// nlRollover counts records: it does not ask whether they are of different keys.
func nlRollover(h Host, a *Address) grade {
	var leaves, anchors []tlsa.Association
	for _, r := range nlRecords(h) {
		if r.Usage == tlsa.DANEEE {
			leaves = append(leaves, r)
		}
		if r.Usage == tlsa.DANETA {
			anchors = append(anchors, r)
		}
	}
	count := fmt.Sprintf("%d records of usage 3, %d of usage 2", len(leaves), len(anchors))
	if len(leaves) > 1 || len(leaves) == 1 && len(anchors) > 0 {
		g := grade{status: StatusPassed, verdict: "good", text: count}
		if shown := nlHandshake(*a); len(anchors) == 0 && shown != nil && shown.Chain != nil && nlAllMatch(leaves, shown.Chain) {
			g.ours = "all records are for the key in use: none waits for the next one"
		}
		return g
	}
	g := grade{status: StatusFailed, verdict: "bad", text: count}
	if len(leaves) == 0 && len(anchors) > 0 {
		g.ours = "records of usage 2 outlast a renewal, as long as the next certificate comes from the same CA"
	}
	return g
}

func nlAllMatch(records []tlsa.Association, c *tlsa.Chain) bool {
	return !slices.ContainsFunc(records, func(a tlsa.Association) bool {
		_, err := c.Match(a, tlsa.Reference{SMTP: true})
		return err != nil
	})
}
