package sink

import (
	"crypto/tls"
	"fmt"
	"strings"
)

// A Verdict is what all results together say of a sender.
type Verdict struct {
	Stance Stance
	Why    string
	Notes  []string // what is not as it should be, or not known, besides
}

// A Stance is how a sender stands to DANE.
type Stance string

// The stances.
const (
	Enforces      Stance = "enforces"      // it authenticates by the records, and keeps its mail where that fails
	Opportunistic Stance = "opportunistic" // it looks at the records, and gives in
	Ignores       Stance = "ignores"       // it takes TLS from whoever has it
	Cleartext     Stance = "cleartext"     // it takes no TLS that is offered
	Silent        Stance = "silent"        // it has not come
	Unknown       Stance = "unknown"       // too little came to tell
)

// About is the stance in words.
func (s Stance) About() string {
	return map[Stance]string{
		Enforces:      "the sender enforces DANE",
		Opportunistic: "the sender uses DANE only as far as nobody is in its way",
		Ignores:       "the sender ignores DANE",
		Cleartext:     "the sender sends in the clear",
		Silent:        "the sender has sent nothing yet",
		Unknown:       "it cannot be told whether the sender enforces DANE",
	}[s]
}

// Judge says how a sender stands to DANE. What was delivered against the records counts even
// where other cases are not decided; that it enforces DANE is only said of one that passed
// all three that matter.
func Judge(results []Result) Verdict {
	by := map[Kind]Result{}
	came := false
	for _, r := range results {
		by[r.Kind] = r
		came = came || r.Outcome != Absent
	}
	v := Verdict{}
	right, wrong, notls := by[Right], by[Wrong], by[NoTLS]
	looks := wrong.Outcome == Kept || wrong.Fell || notls.Fell || right.Fell || right.Outcome == Delivered && !right.InClear && by[Agility].Outcome == Kept
	switch {
	case !came:
		v.Stance, v.Why = Silent, "no connection came for any of the domains"
	case right.InClear && !right.Fell, by[None].InClear && !by[None].Fell && wrong.InClear && !wrong.Fell:
		v.Stance, v.Why = Cleartext, "it was offered STARTTLS, and delivered without it"
	case against(by) != "" && looks:
		v.Stance, v.Why = Opportunistic, against(by)
	case against(by) != "":
		v.Stance, v.Why = Ignores, against(by)
	case right.Outcome == Delivered && wrong.Outcome == Kept && notls.Outcome == Kept:
		v.Stance, v.Why = Enforces, "it delivered where the record matched, and kept its mail where none did and where TLS was missing"
	default:
		v.Stance, v.Why = Unknown, lacking(by)
	}
	switch v.Stance {
	case Enforces, Opportunistic:
		v.Notes = notes(by)
	case Ignores, Cleartext: // of whom nobody expects more
		v.Notes = []string{"what it takes: a resolver that validates and no other in its host's /etc/resolv.conf, with options trust-ad where that is glibc's; in Postfix smtp_dns_support_level = dnssec and smtp_tls_security_level = dane, in Exim dnssec_request_domains and hosts_try_dane"}
	case Silent, Unknown:
	}
	return v
}

// against says what was delivered that one that enforces DANE would have kept.
func against(by map[Kind]Result) string {
	var parts []string
	if r := by[Right]; r.InClear {
		parts = append(parts, "it delivered in the clear to a host with records"+after(r))
	}
	if r := by[Wrong]; r.Outcome == Delivered {
		parts = append(parts, "it delivered to a host that no record matches"+plainly(r)+after(r))
	}
	if r := by[NoTLS]; r.Outcome == Delivered {
		parts = append(parts, "it delivered in the clear to a host with records that offered no TLS"+after(r))
	}
	if r := by[Bogus]; r.Outcome == Delivered {
		parts = append(parts, "it delivered to a domain whose DNSSEC is broken, so it or its resolver does not validate")
	}
	return strings.Join(parts, "; ")
}

func plainly(r Result) string {
	if r.InClear {
		return ", in the clear"
	}
	return ""
}

func after(r Result) string {
	if r.Fell {
		return ", after it had left once with its mail"
	}
	return ""
}

// lacking says which of the three that matter are not as they would have to be.
func lacking(by map[Kind]Result) string {
	var parts []string
	switch by[Right].Outcome {
	case Kept:
		parts = append(parts, "it did not deliver even where the record matches (hint: does its resolver validate, and does it see the records? its log says why)")
	case Absent, "":
		parts = append(parts, "no mail came for the domain whose record matches")
	case Delivered:
	}
	for _, k := range []Kind{Wrong, NoTLS} {
		if r := by[k]; r.Outcome == Absent || r.Outcome == "" {
			parts = append(parts, "no mail came for "+string(k)+" ("+k.About()+")")
		}
	}
	return strings.Join(parts, "; ")
}

func notes(by map[Kind]Result) (notes []string) {
	if by[Agility].Outcome == Delivered {
		notes = append(notes, "it believes the weaker digest although a stronger one stands beside it (RFC 7671, section 9)")
	}
	if by[Unusable].Outcome == Delivered {
		notes = append(notes, "it delivers in the clear where there are records and none of them is usable: TLS is due then (RFC 7672, section 2.2)")
	}
	if by[Right].Outcome == Delivered && by[None].Outcome != Delivered {
		notes = append(notes, "it did not deliver to the domain without records: it sends by DANE alone, or that mail was not sent")
	}
	if best := by[Right].Best(); by[Right].Outcome == Delivered && best.TLS != 0 {
		if best.SNI == "" {
			notes = append(notes, "it names no host by SNI, which it must (RFC 7672, section 8.1)")
		}
		if best.TLS < tls.VersionTLS12 {
			notes = append(notes, fmt.Sprintf("it takes %s, which is no longer safe (RFC 8996)", tls.VersionName(best.TLS)))
		}
	}
	return notes
}
