package cloudflare

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// site is one zone.
type site struct {
	p        *Provider
	zone, id string
}

var _ api.Host[records] = (*site)(nil)

func (s *site) path() string { return "/zones/" + s.id + "/dns_records" }

// reading is the key of what a pass has read of a zone.
type reading struct {
	p  *Provider
	id string
}

// Forget drops what was read in this pass.
func (s *site) Forget(ctx context.Context) { dnsprovider.ForgetReading(ctx, reading{s.p, s.id}) }

// Look finds the names in the zone's listing.
func (s *site) Look(ctx context.Context, owners []tlsa.Owner) ([]api.Sight[records], []*api.Trouble) {
	sights, troubles := make([]api.Sight[records], len(owners)), make([]*api.Trouble, len(owners))
	all, t := api.ReadOnce(ctx, reading{s.p, s.id}, s.list)
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
func (l listing) at(owner tlsa.Owner, zone string) (api.Sight[records], *api.Trouble) {
	found := l[string(owner)]
	sight := api.Sight[records]{Raw: found}
	if t := api.Delegated(owner, zone, func(name string) bool { return len(l[name].ns) > 0 }); t != nil {
		return sight, t
	}
	if len(found.cname) > 0 {
		target, err := tlsa.ParseOwner(found.cname[0].Content)
		if err != nil {
			target = tlsa.Owner(api.Words(found.cname[0].Content))
		}
		return sight, api.Alias(owner, target)
	}
	for _, r := range found.tlsa {
		a, err := r.association()
		if err != nil {
			return sight, &api.Trouble{
				Kind: dnsprovider.Malformed, Err: fmt.Errorf("a record at the name is not understood: %w", err), Hint: "correct it in the dashboard",
			}
		}
		sight.TLSA = tlsa.NewRRset(lowest(found.tlsa), append(sight.TLSA.Associations, a)...)
	}
	for _, r := range found.txt {
		sight.TXT = append(sight.TXT, r.text())
	}
	sight.TXTTTL = lowest(found.txt)
	return sight, nil
}

// lowest is the TTL of an RRset. Each record has one of its own, though they ought to be
// the same (RFC 2181, section 5.2).
func lowest(rs []record) time.Duration {
	if len(rs) == 0 {
		return 0
	}
	return slices.MinFunc(rs, func(a, b record) int { return int(a.ttl() - b.ttl()) }).ttl()
}

// written is the TTL that a record beside these gets, as the API writes it. Automatic stays
// automatic.
func written(rs []record, otherwise time.Duration) int {
	if len(rs) == 0 {
		return int(otherwise / time.Second)
	}
	return slices.MinFunc(rs, func(a, b record) int { return int(a.ttl() - b.ttl()) }).TTL
}

// batch is the body of a request that changes records: all of it or nothing, in the order of
// the fields
// (https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes/).
type batch struct {
	Deletes []record `json:"deletes,omitempty"`
	Patches []record `json:"patches,omitempty"`
	Posts   []record `json:"posts,omitempty"`
}

func (b batch) size() int { return len(b.Deletes) + len(b.Patches) + len(b.Posts) }

func (b batch) with(other batch) batch {
	return batch{append(b.Deletes, other.Deletes...), append(b.Patches, other.Patches...), append(b.Posts, other.Posts...)}
}

// maxBatch is how many records may be in one request in a free zone; in others there is
// room for more.
const maxBatch = 200

// Batches puts as many tasks in one request as there is room for.
func (s *site) Batches(tasks []*api.Task[records]) (out [][]*api.Task[records]) {
	size := 0
	for _, k := range tasks {
		n := s.compose(k).size()
		if len(out) == 0 || size+n > maxBatch {
			out, size = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], k)
		size += n
	}
	return out
}

// Send carries out the tasks in one request.
func (s *site) Send(ctx context.Context, tasks []*api.Task[records]) *api.Trouble {
	var b batch
	for _, k := range tasks {
		b = b.with(s.compose(k))
	}
	var result struct{} // what it says has changed is read back
	_, t := s.p.call(ctx, s.zone, http.MethodPost, s.path()+"/batch", b, &result)
	return t
}

// compose says what is to be done with which records.
func (s *site) compose(k *api.Task[records]) (b batch) {
	at := k.Seen.Raw
	name := strings.TrimSuffix(string(k.Owner), ".")
	switch {
	case k.Edit != nil && k.Edit.Add:
		b.Posts = []record{{Type: "TXT", Name: name, Content: `"` + k.Edit.Value + `"`, TTL: written(at.txt, k.Edit.TTL)}}
	case k.Edit != nil:
		for _, r := range at.txt {
			if r.text() == k.Edit.Value {
				b.Deletes = append(b.Deletes, record{ID: r.ID})
			}
		}
	case k.Change.TTLOnly():
		ttl := written(nil, k.Change.After.TTL)
		for _, r := range at.tlsa {
			if r.ttl() != k.Change.After.TTL {
				b.Patches = append(b.Patches, record{ID: r.ID, TTL: ttl})
			}
		}
	default:
		for _, r := range at.tlsa {
			if a, err := r.association(); err == nil && slices.Contains(k.Change.Remove(), a) {
				b.Deletes = append(b.Deletes, record{ID: r.ID})
			}
		}
		ttl := written(at.tlsa, k.Change.After.TTL)
		for _, a := range k.Change.Add() {
			data := &tlsaData{Usage: uint8(a.Usage), Selector: uint8(a.Selector), MatchingType: uint8(a.Matching), Certificate: a.Data}
			b.Posts = append(b.Posts, record{Type: "TLSA", Name: name, Data: data, TTL: ttl})
		}
	}
	return b
}
