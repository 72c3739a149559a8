package audit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A caaRecord is a CAA record (RFC 8659, section 4.1).
type caaRecord struct {
	critical   bool
	tag, value string
}

// parseCAA reads the presentation form, as in 0 issue "ca.example.net"; what cannot be
// read has no tag.
func parseCAA(text string) (r caaRecord) {
	fields := strings.SplitN(strings.TrimSpace(text), " ", 3)
	if len(fields) != 3 {
		return r
	}
	flags, err := strconv.ParseUint(fields[0], 10, 8)
	if err != nil {
		return r
	}
	return caaRecord{critical: flags&128 != 0, tag: strings.ToLower(fields[1]), value: strings.Trim(strings.TrimSpace(fields[2]), `"`)}
}

// issuer is the CA that an issue or issuewild record names; "" for none (section 4.2).
func (r caaRecord) issuer() string {
	name, _, _ := strings.Cut(r.value, ";")
	return strings.ToLower(strings.TrimSpace(name))
}

// knownTags are those of RFC 8659, section 4, RFC 9495 and RFC 8657, and of the CA/Browser Forum.
var knownTags = []string{"issue", "issuewild", "iodef", "issuemail", "contactemail", "contactphone", "issuevmc"}

// tellCAA tells of CAA records that hold nobody back, or the CA in use.
func (s *scene) tellCAA() {
	if !s.CAA.Known() {
		return // nothing hangs on it but the next certificate, and its CA will ask again
	}
	var issue, wild []caaRecord
	var unknown string
	for _, text := range s.CAA.Value {
		switch r := parseCAA(text); {
		case r.tag == "issue":
			issue = append(issue, r)
		case r.tag == "issuewild":
			wild = append(wild, r)
		case r.critical && !slices.Contains(knownTags, r.tag):
			unknown = r.tag
		}
	}
	if len(issue) == 0 && unknown == "" {
		s.tell(rollover.CodeCAANone, s.Name, "%s: no CAA record with issue holds for it", s.Name).of("caa")
		return
	}
	for _, l := range s.leaves() {
		holding := issue
		if len(wild) > 0 && !slices.Contains(l.Names(), s.Name) {
			holding = wild // a wildcard certificate is a question of issuewild (section 4.3)
		}
		if why := s.excluded(l, holding, unknown); why != "" {
			s.tell(rollover.CodeCAAExcludes, s.Name, "%s: %s cannot be renewed: %s", s.Name, l.describe(), why)
			return
		}
	}
}

// excluded says why the CA that issued a leaf may not do so again; "" if it may, or it is
// not known by which name CAA records mean it.
func (s *scene) excluded(l leaf, holding []caaRecord, unknown string) string {
	if l.untrusted != "" && !s.outOfDate(l) {
		return "" // a private CA minds no CAA records
	}
	var allowed []string
	for _, r := range holding {
		if name := r.issuer(); name != "" {
			allowed = append(allowed, name)
		}
	}
	ca := s.issuedBy(l)
	switch {
	case unknown != "":
		return "a CAA record with the tag " + unknown + " is critical, so that CAs which do not know it must not issue"
	case len(allowed) == 0:
		return "the CAA records let no CA issue"
	case ca != "" && !slices.Contains(allowed, ca):
		return "its CA is " + ca + ", and the CAA records let only " + listed(allowed) + " issue"
	}
	return ""
}

// issuedBy is the name in CAA records of the CA that issued a leaf; "" where it is not
// known.
func (s *scene) issuedBy(l leaf) string {
	for i := 1; i < len(l.Certificates()); i++ {
		a, err := l.Association(tlsa.TA, i)
		if err != nil {
			continue
		}
		for _, set := range s.IssuerSets {
			if slices.Contains(set.Current, a) || slices.Contains(set.Retired, a) {
				return set.CAA
			}
		}
	}
	return ""
}
