package azuredns

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// recordSet is a record set as the API has it
// (https://learn.microsoft.com/en-us/rest/api/dns/record-sets/get).
type recordSet struct {
	Name       string     `json:"name,omitempty"` // relative to the zone, @ for the zone itself
	Type       string     `json:"type,omitempty"` // Microsoft.Network/dnsZones/TLSA
	ETag       string     `json:"etag,omitempty"`
	Properties properties `json:"properties"`
}

type properties struct {
	TTL      int64             `json:"TTL"`
	Metadata map[string]string `json:"metadata,omitempty"`
	TLSA     []tlsaRecord      `json:"TLSARecords,omitempty"`
	TXT      []txtRecord       `json:"TXTRecords,omitempty"`
	CNAME    *cnameRecord      `json:"CNAMERecord,omitempty"`
}

type tlsaRecord struct {
	Usage    uint8  `json:"usage"`
	Selector uint8  `json:"selector"`
	Matching uint8  `json:"matchingType"`
	Data     string `json:"certAssociationData"`
}

type txtRecord struct {
	Value []string `json:"value"` // the strings of one record
}

type cnameRecord struct {
	CNAME string `json:"cname"`
}

func (r tlsaRecord) association() (tlsa.Association, error) {
	return tlsa.ParseAssociation(fmt.Sprintf("%d %d %d %s", r.Usage, r.Selector, r.Matching, r.Data))
}

func (s *recordSet) ttl() time.Duration { return time.Duration(s.Properties.TTL) * time.Second }

// recordSets are those of one name that matter here; nil is none.
type recordSets struct{ tlsa, txt, cname, ns *recordSet }

// listing is a zone's, by canonical name.
type listing map[string]recordSets

// site is one zone.
type site struct {
	p    *Provider
	zone string
}

var _ api.Host[recordSets] = (*site)(nil)

func (s *site) path() string { return "/" + url.PathEscape(strings.TrimSuffix(s.zone, ".")) }

// reading is the key of what a pass has read of a zone.
type reading struct {
	p    *Provider
	zone string
}

// Forget drops what was read in this pass.
func (s *site) Forget(ctx context.Context) { dnsprovider.ForgetReading(ctx, reading{s.p, s.zone}) }

// list reads the zone, page by page. What changes meanwhile does not matter: each record set is
// read whole, and changed on condition that it is what was read.
func (s *site) list(ctx context.Context) (listing, *api.Trouble) {
	all := listing{}
	t := pages(ctx, s.p, s.p.url(s.path()+"/recordsets"), s.zone, func(set recordSet) *api.Trouble {
		name := s.zone
		if set.Name != "@" {
			name = strings.ToLower(set.Name) + "." + s.zone
		}
		at := all[name]
		switch kind := strings.ToUpper(set.Type[strings.LastIndex(set.Type, "/")+1:]); kind {
		case "TLSA":
			at.tlsa = &set
		case "TXT":
			at.txt = &set
		case "CNAME":
			at.cname = &set
		case "NS":
			at.ns = &set
		}
		all[name] = at
		return nil
	})
	if t == nil && len(all) == 0 { // such as {}
		t = &api.Trouble{
			Kind: dnsprovider.Temporary, Err: errors.New("a listing without any record, where even a new zone has SOA and NS"),
			Hint: "does something stand between here and the host's API",
		}
	}
	return all, t
}

// Look finds the names in the zone's listing.
func (s *site) Look(ctx context.Context, owners []tlsa.Owner) ([]api.Sight[recordSets], []*api.Trouble) {
	sights, troubles := make([]api.Sight[recordSets], len(owners)), make([]*api.Trouble, len(owners))
	all, t := api.ReadOnce(ctx, reading{s.p, s.zone}, s.list)
	for i, owner := range owners {
		if t != nil {
			troubles[i] = t
			continue
		}
		sights[i], troubles[i] = all.at(owner, s.zone)
	}
	return sights, troubles
}

// at is what stands at a name.
func (l listing) at(owner tlsa.Owner, zone string) (api.Sight[recordSets], *api.Trouble) {
	found := l[string(owner)]
	sight := api.Sight[recordSets]{Raw: found}
	if t := api.Delegated(owner, zone, func(name string) bool { return l[name].ns != nil }); t != nil {
		return sight, t
	}
	if found.cname != nil {
		target := tlsa.Owner("a resource of Azure's") // an alias record set names one
		if c := found.cname.Properties.CNAME; c != nil {
			if name, err := tlsa.ParseOwner(c.CNAME); err == nil {
				target = name
			}
		}
		return sight, api.Alias(owner, target)
	}
	for _, set := range []*recordSet{found.tlsa, found.txt} {
		if set != nil && set.ETag == "" {
			return sight, &api.Trouble{
				Kind: dnsprovider.Malformed, Err: errors.New("the record set has no ETag, so that it cannot be changed with care"), Hint: "has the API changed",
			}
		}
	}
	if s := found.tlsa; s != nil {
		for _, r := range s.Properties.TLSA {
			a, err := r.association()
			if err != nil {
				return sight, &api.Trouble{
					Kind: dnsprovider.Malformed, Err: fmt.Errorf("a record at the name is not understood: %w", err), Hint: "correct it in the portal",
				}
			}
			sight.TLSA = tlsa.NewRRset(s.ttl(), append(sight.TLSA.Associations, a)...)
		}
	}
	if s := found.txt; s != nil {
		for _, r := range s.Properties.TXT {
			sight.TXT = append(sight.TXT, strings.Join(r.Value, ""))
		}
		sight.TXTTTL = s.ttl()
	}
	return sight, nil
}

// Batches has each task in a request of its own: the API changes one record set at a time.
func (s *site) Batches(tasks []*api.Task[recordSets]) [][]*api.Task[recordSets] {
	return slices.Collect(slices.Chunk(tasks, 1))
}

// Send carries out a task, on condition that the record set is the one that was read, or that
// there is none. A record set that is empty is another than none.
func (s *site) Send(ctx context.Context, tasks []*api.Task[recordSets]) *api.Trouble {
	k := tasks[0]
	stands, wanted, kind := k.Seen.Raw.tlsa, wantedTLSA(k), "TLSA"
	if k.Edit != nil {
		stands, wanted, kind = k.Seen.Raw.txt, wantedTXT(k), "TXT"
	}
	condition := http.Header{"If-None-Match": {"*"}}
	if stands != nil {
		condition = http.Header{"If-Match": {stands.ETag}}
		wanted.Metadata = stands.Properties.Metadata
	}
	relative := strings.TrimSuffix(strings.TrimSuffix(string(k.Owner), s.zone), ".")
	if relative == "" {
		relative = "@"
	}
	where := s.p.url(s.path() + "/" + kind + "/" + url.PathEscape(relative))
	if len(wanted.TLSA)+len(wanted.TXT) == 0 {
		return s.p.call(ctx, http.MethodDelete, where, condition, s.zone, nil, nil)
	}
	return s.p.call(ctx, http.MethodPut, where, condition, s.zone, recordSet{Properties: wanted}, nil)
}

// wantedTLSA is the record set that is to stand there. What stays is written as it was read.
func wantedTLSA(k *api.Task[recordSets]) properties {
	wanted := k.Change.Wanted(k.Seen.TLSA)
	s := properties{TTL: int64(wanted.TTL / time.Second)}
	if stands := k.Seen.Raw.tlsa; stands != nil {
		for _, r := range stands.Properties.TLSA {
			if a, err := r.association(); err == nil && wanted.Has(a) {
				s.TLSA = append(s.TLSA, r)
			}
		}
	}
	for _, a := range k.Seen.TLSA.Missing(wanted.Associations...) {
		s.TLSA = append(s.TLSA, tlsaRecord{Usage: uint8(a.Usage), Selector: uint8(a.Selector), Matching: uint8(a.Matching), Data: a.Data})
	}
	return s
}

// wantedTXT is the record set with the value, or without.
func wantedTXT(k *api.Task[recordSets]) properties {
	if k.Edit == nil {
		return properties{}
	}
	s := properties{TTL: int64(k.Edit.TTL / time.Second)}
	if stands := k.Seen.Raw.txt; stands != nil {
		s.TTL = stands.Properties.TTL
		for _, r := range stands.Properties.TXT {
			if strings.Join(r.Value, "") != k.Edit.Value {
				s.TXT = append(s.TXT, r)
			}
		}
	}
	if k.Edit.Add {
		s.TXT = append(s.TXT, txtRecord{Value: []string{k.Edit.Value}})
	}
	return s
}
