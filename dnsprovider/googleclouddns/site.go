package googleclouddns

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// rrset is an RRset as the API has it
// (https://cloud.google.com/dns/docs/reference/rest/v1/resourceRecordSets).
type rrset struct {
	Name    string   `json:"name"` // with the trailing dot
	Type    string   `json:"type"`
	TTL     int      `json:"ttl"`
	RRDatas []string `json:"rrdatas"`
	// RoutingPolicy gives different clients different answers.
	RoutingPolicy any `json:"routingPolicy,omitempty"`
}

func (s *rrset) ttl() time.Duration { return time.Duration(s.TTL) * time.Second }

// rrsets are those of one name that matter here; nil is none.
type rrsets struct{ tlsa, txt, cname, ns *rrset }

// listing is a zone's, by canonical name.
type listing map[string]rrsets

// site is one managed zone.
type site struct {
	p             *Provider
	zone, managed string
}

var _ api.Host[rrsets] = (*site)(nil)

// reading is the key of what a pass has read of a zone.
type reading struct {
	p       *Provider
	managed string
}

// Forget drops what was read in this pass.
func (s *site) Forget(ctx context.Context) { dnsprovider.ForgetReading(ctx, reading{s.p, s.managed}) }

// list reads the zone, page by page. What changes meanwhile does not matter: each RRset is read
// whole, and changed on condition that it is what was read.
func (s *site) list(ctx context.Context) (listing, *api.Trouble) {
	all := listing{}
	for token, pages := "", 0; ; {
		var page struct {
			RRsets []rrset `json:"rrsets"`
			Next   string  `json:"nextPageToken"`
		}
		if t := s.p.call(ctx, http.MethodGet, paged("/"+s.managed+"/rrsets", token), s.zone, nil, &page); t != nil {
			return nil, t
		}
		for _, found := range page.RRsets {
			name := strings.ToLower(found.Name)
			if !dnsprovider.InZone(name, s.zone) {
				return nil, another(found.Name)
			}
			at := all[name]
			switch found.Type {
			case "TLSA":
				at.tlsa = &found
			case "TXT":
				at.txt = &found
			case "CNAME":
				at.cname = &found
			case "NS":
				at.ns = &found
			default:
				continue
			}
			all[name] = at
		}
		if page.Next == "" {
			if len(all) == 0 {
				return nil, nothing()
			}
			return all, nil
		}
		if pages++; page.Next == token || pages == maxPages {
			return nil, endless()
		}
		token = page.Next
	}
}

// nothing is the trouble of a listing without anything, such as {}.
func nothing() *api.Trouble {
	return &api.Trouble{
		Kind: dnsprovider.Temporary, Err: errors.New("a listing without any record, where even a new zone has SOA and NS"),
		Hint: "does something stand between here and the host's API",
	}
}

// Look finds the names in the zone's listing.
func (s *site) Look(ctx context.Context, owners []tlsa.Owner) ([]api.Sight[rrsets], []*api.Trouble) {
	sights, troubles := make([]api.Sight[rrsets], len(owners)), make([]*api.Trouble, len(owners))
	all, t := api.ReadOnce(ctx, reading{s.p, s.managed}, s.list)
	if t != nil && t.Kind == dnsprovider.NoZone {
		s.p.zones.forget(s.zone)
	}
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
func (l listing) at(owner tlsa.Owner, zone string) (api.Sight[rrsets], *api.Trouble) {
	found := l[string(owner)]
	sight := api.Sight[rrsets]{Raw: found}
	if t := api.Delegated(owner, zone, func(name string) bool { return l[name].ns != nil }); t != nil {
		return sight, t
	}
	if found.cname != nil {
		target := tlsa.Owner("elsewhere")
		if len(found.cname.RRDatas) == 1 {
			target = tlsa.Owner(strings.ToLower(found.cname.RRDatas[0]))
		}
		return sight, api.Alias(owner, target)
	}
	if s := found.tlsa; s != nil {
		if s.RoutingPolicy != nil {
			return sight, &api.Trouble{
				Kind: dnsprovider.Unsupported, Err: fmt.Errorf("the RRset has a routing policy: it is not the same for everybody"), Hint: "make it a plain one",
			}
		}
		for _, data := range s.RRDatas {
			a, err := tlsa.ParseAssociation(data)
			if err != nil {
				return sight, &api.Trouble{
					Kind: dnsprovider.Malformed, Err: fmt.Errorf("a record at the name is not understood: %w", err), Hint: "correct it in the console",
				}
			}
			sight.TLSA = tlsa.NewRRset(s.ttl(), append(sight.TLSA.Associations, a)...)
		}
	}
	if s := found.txt; s != nil {
		for _, data := range s.RRDatas {
			sight.TXT = append(sight.TXT, unquoted(data))
		}
		sight.TXTTTL = s.ttl()
	}
	return sight, nil
}

// unquoted is the value of a TXT record: its strings are one.
func unquoted(data string) string {
	if !strings.HasPrefix(data, `"`) {
		return data
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted && i+1 < len(data):
			i++
			b.WriteByte(data[i])
		case quoted:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// maxBatch is how many RRsets are changed in one request. The API takes a thousand
// (https://cloud.google.com/dns/quotas).
const maxBatch = 100

// Batches puts as many tasks in one request as there is room for.
func (s *site) Batches(tasks []*api.Task[rrsets]) [][]*api.Task[rrsets] {
	return slices.Collect(slices.Chunk(tasks, maxBatch))
}

// change is what is sent: all of it or nothing, and nothing if what is to be deleted is not
// what stands there (https://cloud.google.com/dns/docs/reference/rest/v1/changes).
type change struct {
	Additions []rrset `json:"additions,omitempty"`
	Deletions []rrset `json:"deletions,omitempty"`
}

// Send carries out the tasks in one change.
func (s *site) Send(ctx context.Context, tasks []*api.Task[rrsets]) *api.Trouble {
	var c change
	for _, k := range tasks {
		stands, wanted := k.Seen.Raw.tlsa, wantedTLSA(k)
		if k.Edit != nil {
			stands, wanted = k.Seen.Raw.txt, wantedTXT(k)
		}
		if stands != nil {
			c.Deletions = append(c.Deletions, *stands)
		}
		if len(wanted.RRDatas) > 0 {
			c.Additions = append(c.Additions, wanted)
		}
	}
	var result struct{} // what it says has changed is read back
	return s.p.call(ctx, http.MethodPost, "/"+s.managed+"/changes", s.zone, c, &result)
}

// wantedTLSA is the RRset that is to stand there. What stays is written as it was read.
func wantedTLSA(k *api.Task[rrsets]) rrset {
	wanted := k.Change.Wanted(k.Seen.TLSA)
	s := rrset{Name: string(k.Owner), Type: "TLSA", TTL: int(wanted.TTL / time.Second)}
	if stands := k.Seen.Raw.tlsa; stands != nil {
		for _, data := range stands.RRDatas {
			if a, err := tlsa.ParseAssociation(data); err == nil && wanted.Has(a) {
				s.RRDatas = append(s.RRDatas, data)
			}
		}
	}
	for _, a := range k.Seen.TLSA.Missing(wanted.Associations...) {
		s.RRDatas = append(s.RRDatas, a.String())
	}
	return s
}

// wantedTXT is the RRset with the value, or without.
func wantedTXT(k *api.Task[rrsets]) rrset {
	s := rrset{Name: string(k.Owner), Type: "TXT", TTL: int(k.Edit.TTL / time.Second)}
	if stands := k.Seen.Raw.txt; stands != nil {
		s.TTL = stands.TTL
		for _, data := range stands.RRDatas {
			if unquoted(data) != k.Edit.Value {
				s.RRDatas = append(s.RRDatas, data)
			}
		}
	}
	if k.Edit.Add {
		s.RRDatas = append(s.RRDatas, `"`+k.Edit.Value+`"`)
	}
	return s
}
