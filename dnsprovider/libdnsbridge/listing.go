package libdnsbridge

import (
	"fmt"
	"strings"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// records are those of one name that matter here, as they were read.
type records struct {
	tlsa, txt    []libdns.Record
	cname, dname string // where an alias leads
	ns           bool
}

// listing is the records of a zone, by canonical name.
type listing map[string]records

// sorted puts records to their names. A name outside the zone says that it is another
// zone's listing.
func sorted(all []libdns.Record, zone string) (listing, error) {
	l := listing{}
	for _, r := range all {
		rr := r.RR()
		name := canonical(rr.Name, zone)
		if !dnsprovider.InZone(name, zone) {
			return nil, fmt.Errorf("the listing of the zone %s has a record of %.100q", zone, rr.Name)
		}
		at := l[name]
		switch strings.ToUpper(rr.Type) {
		case "TLSA":
			at.tlsa = append(at.tlsa, r)
		case "TXT":
			at.txt = append(at.txt, r)
		case "CNAME":
			at.cname = target(rr.Data, zone)
		case "DNAME":
			at.dname = target(rr.Data, zone)
		case "NS":
			at.ns = true
		default:
			continue
		}
		l[name] = at
	}
	return l, nil
}

// canonical makes the owner name of what a module returns: a name relative to the zone, or an
// absolute one with a dot. One that repeats the zone is relative all the same: somebody
// has written it whole where a relative one was wanted, and the DNS has it twice. Only where the
// case of letters differs has libdns.RelativeName left the zone on.
func canonical(name, zone string) string {
	bare := strings.TrimSuffix(zone, ".")
	folded := strings.ToLower(name)
	switch {
	case strings.HasSuffix(name, "."):
		return folded
	case (folded == bare || strings.HasSuffix(folded, "."+bare)) && !strings.HasSuffix(name, bare):
		return folded + "."
	}
	return strings.ToLower(libdns.AbsoluteName(name, zone))
}

// relative is the name as libdns wants it: "@" for the zone itself.
func relative(name tlsa.Owner, zone string) string {
	if string(name) == zone {
		return "@"
	}
	return strings.TrimSuffix(string(name), "."+zone)
}

// target is where an alias leads. Modules give it with and without the last dot; one without
// that ends in the zone's name is taken to be whole, as it is for people to read.
func target(name, zone string) string {
	folded := strings.ToLower(name)
	if !strings.HasSuffix(folded, ".") && dnsprovider.InZone(folded+".", zone) {
		return folded + "."
	}
	return canonical(name, zone)
}

// at is what stands at a name.
func (l listing) at(owner tlsa.Owner, zone string) (api.Sight[records], *api.Trouble) {
	found := l[string(owner)]
	sight := api.Sight[records]{Raw: found}
	if t := api.Delegated(owner, zone, func(name string) bool { return l[name].ns }); t != nil {
		return sight, t
	}
	if found.cname != "" {
		return sight, api.Alias(owner, tlsa.Owner(found.cname))
	}
	for name := string(owner); dnsprovider.InZone(name, zone) && name != zone; {
		_, name, _ = strings.Cut(name, ".")
		if target := l[name].dname; target != "" {
			err := &dnsprovider.AliasError{Type: "DNAME", At: tlsa.Owner(name), Target: tlsa.Owner(target)}
			return sight, &api.Trouble{Kind: dnsprovider.Alias, Err: err, Hint: err.Hint()}
		}
	}
	for _, r := range found.tlsa {
		a, err := associationOf(r)
		if err != nil {
			return sight, &api.Trouble{
				Kind: dnsprovider.Malformed, Err: fmt.Errorf("a record at the name is not understood: %w", err), Hint: "correct it in the host's own interface",
			}
		}
		sight.TLSA = tlsa.NewRRset(lowest(found.tlsa), append(sight.TLSA.Associations, a)...)
	}
	for _, r := range found.txt {
		sight.TXT = append(sight.TXT, textOf(r))
	}
	sight.TXTTTL = lowest(found.txt)
	return sight, nil
}

// associationOf reads a TLSA record. Some modules give the data in quotes.
func associationOf(r libdns.Record) (tlsa.Association, error) {
	return tlsa.ParseAssociation(strings.Trim(strings.TrimSpace(r.RR().Data), `"`))
}

// textOf is the value of a TXT record. Modules that know no types give it in quotes.
func textOf(r libdns.Record) string {
	if txt, ok := r.(libdns.TXT); ok {
		return strings.Trim(txt.Text, `"`)
	}
	return strings.Trim(r.RR().Data, `"`)
}
