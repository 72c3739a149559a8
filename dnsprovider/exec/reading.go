package exec

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// reading is what the read command printed of a zone.
type reading struct {
	zone    string
	whole   bool
	owners  []tlsa.Owner // that it was asked about
	records map[string][]record
}

// looked are the types that are looked at.
var looked = []string{"TLSA", "TXT", "CNAME", "DNAME", "NS"}

// reading reads the records. What concerns one name alone, such as a record that is none,
// is that name's trouble when it is asked for, and nobody else's.
func (r reply) reading(zone string, owners []tlsa.Owner) (*reading, *trouble) {
	malformed := func(format string, args ...any) (*reading, *trouble) {
		return nil, &trouble{kind: dnsprovider.Malformed, err: fmt.Errorf("zone %s: "+format, append([]any{zone}, args...)...), hint: hintSchema}
	}
	out := &reading{zone: zone, owners: owners, records: map[string][]record{}}
	var list []record
	if raw, there := r["records"]; !there || json.Unmarshal(raw, &list) != nil || list == nil {
		return malformed("what it printed has no list of records")
	}
	if !r.get("whole", &out.whole) {
		return malformed("whole has to be true or false")
	}
	for _, one := range list {
		if one.Type = strings.ToUpper(one.Type); !slices.Contains(looked, one.Type) {
			continue
		}
		name, err := tlsa.ParseOwner(one.Name)
		absolute := strings.HasSuffix(one.Name, ".")
		switch {
		case !absolute && (err != nil || !dnsprovider.InZone(string(name), zone)):
			// Taken for another name it would be missing where it belongs.
			return malformed("a record's name is not absolute: %.100q", one.Name)
		case err != nil || !dnsprovider.InZone(string(name), zone):
			continue // nobody asks for it
		}
		out.records[string(name)] = append(out.records[string(name)], one)
	}
	return out, nil
}

// covers reports whether the reading says what stands at these owners.
func (r *reading) covers(owners []tlsa.Owner) bool {
	return r.whole || !slices.ContainsFunc(owners, func(owner tlsa.Owner) bool { return !slices.Contains(r.owners, owner) })
}

// at are the records of a type at a name.
func (r *reading) at(name, rrtype string) (out []record) {
	for _, one := range r.records[name] {
		if one.Type == rrtype {
			out = append(out, one)
		}
	}
	return out
}

// blocked is the trouble of a name at which no records can stand: below a zone cut, below a
// DNAME (RFC 6672, section 2.4), or beside a CNAME. What is highest counts.
func (r *reading) blocked(owner tlsa.Owner) *trouble {
	var names []string // from the zone down
	for name := string(owner); dnsprovider.InZone(name, r.zone); _, name, _ = strings.Cut(name, ".") {
		names = append(names, name)
	}
	for _, name := range slices.Backward(names) {
		ns, dname, cname := r.at(name, "NS"), r.at(name, "DNAME"), r.at(name, "CNAME")
		switch {
		case name != r.zone && len(ns) > 0:
			return &trouble{
				kind: dnsprovider.OutsideZone, err: fmt.Errorf("the name lies below the zone cut at %s and so not in the zone %s", name, r.zone),
				hint: "the provider has to name the zone " + name + "; its servers are " + ns[0].target() + " and such",
			}
		case name != string(owner) && len(dname) > 0:
			return aliased("DNAME", name, dname[0])
		case name == string(owner) && len(cname) > 0:
			return aliased("CNAME", name, cname[0])
		}
	}
	return nil
}

func aliased(rrtype, at string, r record) *trouble {
	alias := &dnsprovider.AliasError{Type: rrtype, At: tlsa.Owner(at), Target: tlsa.Owner(r.target())}
	return &trouble{kind: dnsprovider.Alias, err: alias, hint: alias.Hint()}
}

// target is the name that is a record's data, in canonical form where it has one.
func (r record) target() string {
	name, err := tlsa.ParseOwner(strings.TrimSpace(r.Data))
	if err != nil {
		return fmt.Sprintf("%.100q", r.Data)
	}
	return string(name)
}

// sight is what stands at an owner name.
type sight struct {
	rrset tlsa.RRset
	data  []string                      // as it was printed
	forms map[tlsa.Association][]string // of each association: how it was printed
}

// tlsa is what stands at owner. With several TTLs the lowest counts (RFC 2181, section 5.2).
func (r *reading) tlsa(owner tlsa.Owner) (sight, *trouble) {
	if t := r.blocked(owner); t != nil {
		return sight{}, t
	}
	s := sight{forms: map[tlsa.Association][]string{}}
	var as []tlsa.Association
	found := r.at(string(owner), "TLSA")
	for _, one := range found {
		a, err := tlsa.ParseAssociation(one.Data)
		if err != nil {
			return sight{}, unreadable(err)
		}
		as = append(as, a)
		if !slices.Contains(s.data, one.Data) {
			s.data = append(s.data, one.Data)
			s.forms[a] = append(s.forms[a], one.Data)
		}
	}
	ttl, err := lowest(found)
	if err != nil {
		return sight{}, unreadable(err)
	}
	s.rrset = tlsa.NewRRset(ttl, as...)
	return s, nil
}

func unreadable(err error) *trouble {
	return &trouble{
		kind: dnsprovider.Malformed, err: fmt.Errorf("a record that stands there cannot be read: %w", err),
		hint: "mend the record, or what the read command makes of it",
	}
}

// lowest is the lowest TTL of some records, 0 of none.
func lowest(records []record) (ttl time.Duration, err error) {
	for i, one := range records {
		if one.TTL == nil {
			return 0, errors.New("no TTL")
		}
		if *one.TTL < 0 || *one.TTL > math.MaxInt32 {
			return 0, fmt.Errorf("TTL %d: a TTL is from 0 to %d (RFC 2181, section 8)", *one.TTL, math.MaxInt32)
		}
		if t := time.Duration(*one.TTL) * time.Second; i == 0 || t < ttl {
			ttl = t
		}
	}
	return ttl, nil
}

// printed are associations in the forms in which they stand, or in ours if they do not.
func (s sight) printed(as []tlsa.Association) []string {
	out := []string{}
	for _, a := range as {
		if forms := s.forms[a]; len(forms) > 0 {
			out = append(out, forms...)
		} else {
			out = append(out, a.String())
		}
	}
	return out
}
