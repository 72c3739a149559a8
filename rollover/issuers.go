package rollover

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// An IssuerList is where some of the issuers published ahead come from: a list that
// somebody keeps, and that ages.
type IssuerList struct {
	Name string
	AsOf time.Time // the day of which it is
}

// issuersAhead are the 2 1 1 of CAs that may issue next: harmless once one
// 2 1 1 matches the live chain (DESIGN 8, issuers).
func (x *pass) issuersAhead(p LineagePolicy, l Lineage) []tlsa.Association {
	live := x.chain(l.Live)
	if live == nil || !p.Scheme.TA || len(p.Issuers) == 0 {
		return nil
	}
	if _, err := p.anchor(live); err != nil {
		return nil
	}
	return p.Issuers
}

// warnIssuers tells of what day the lists are that issuers published ahead come from,
// and of those that are so old that the CA may have changed its intermediates.
func (x *pass) warnIssuers(name string) {
	p := x.policy.Lineages[name]
	if !p.Scheme.TA {
		return
	}
	for _, list := range p.IssuerLists {
		day := list.AsOf.Format(time.DateOnly)
		if x.now.Sub(list.AsOf) > listAge {
			x.tell(name, warning(CodeIssuerListOld, list.Name, "the known set of issuers %s is as of %s, more than a year ago: a certificate of an issuer that it lacks waits for its record (hint: update tlsaroll, or name a file of CA certificates)", list.Name, day))
			continue
		}
		lacks := ""
		if live := x.chain(x.Lineages[name].Live); live != nil {
			if a, err := p.anchor(live); err == nil && !slices.Contains(p.Issuers, a) {
				lacks = "; the live certificate's issuer is not among those published ahead"
			}
		}
		x.tell(name, warning(CodeIssuerList, list.Name, "the known set of issuers %s is as of %s%s", list.Name, day, lacks))
	}
}

// A Crowd is an owner name at which issuers published ahead leave no room for a rollover.
type Crowd struct {
	Owner    tlsa.Owner
	Lineages []string // that publish issuers ahead there, sorted
	Issuers  int      // their records
	Keys     int      // at most, in a rollover of every lineage there: of keys in use, to come and in reserve
	Room     int      // for issuers
}

// Crowded are the owner names, in their order, at which the issuers that lineages are to
// publish ahead and the records of keys are more than fit (DESIGN 4.15). What others
// put there is not known to it.
func Crowded(lineages map[string]LineagePolicy) []Crowd {
	crowds, ahead := map[tlsa.Owner]*Crowd{}, map[tlsa.Owner][]tlsa.Association{}
	for _, name := range slices.Sorted(maps.Keys(lineages)) {
		p := lineages[name]
		for _, owner := range p.owners() {
			c := crowds[owner]
			if c == nil {
				c = &Crowd{Owner: owner}
				crowds[owner] = c
			}
			if p.Scheme.EE {
				c.Keys += 2 // of the live pair and of its successor
			}
			if p.Scheme.Standby {
				c.Keys++
			}
			if p.Scheme.TA && len(p.Issuers) > 0 {
				c.Lineages = append(c.Lineages, name)
				ahead[owner] = union(ahead[owner], p.Issuers)
			}
		}
	}
	var crowded []Crowd
	for _, owner := range slices.Sorted(maps.Keys(ahead)) {
		c := crowds[owner]
		c.Issuers = len(ahead[owner])
		for c.Room < MaxRecords && fits(owner, placeholders(c.Keys+c.Room+1)) {
			c.Room++
		}
		if c.Issuers > c.Room {
			crowded = append(crowded, *c)
		}
	}
	return crowded
}

// owners are the names where clients of any endpoint ask, each once.
func (p LineagePolicy) owners() []tlsa.Owner {
	var owners []tlsa.Owner
	for _, e := range p.Endpoints {
		owners = append(owners, e.Owners()...)
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// placeholders are n records of the size of all of ours.
func placeholders(n int) tlsa.RRset {
	as := make([]tlsa.Association, n)
	for i := range as {
		as[i] = tlsa.Association{Params: tlsa.TA, Data: fmt.Sprintf("%064x", i)}
	}
	return tlsa.NewRRset(0, as...)
}
