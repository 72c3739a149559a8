package cloudflare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// record is one record as the API has it
// (https://developers.cloudflare.com/api/resources/dns/subresources/records/).
type record struct {
	ID      string    `json:"id,omitempty"`
	Type    string    `json:"type,omitempty"`
	Name    string    `json:"name,omitempty"`
	Content string    `json:"content,omitempty"`
	Data    *tlsaData `json:"data,omitempty"`
	TTL     int       `json:"ttl,omitempty"`
}

// tlsaData are the fields of a TLSA record. A record that is written has to have them:
// content is not taken (https://github.com/kubernetes-sigs/external-dns/pull/6616).
type tlsaData struct {
	Usage        uint8  `json:"usage"`
	Selector     uint8  `json:"selector"`
	MatchingType uint8  `json:"matching_type"`
	Certificate  string `json:"certificate"` // hex; upper case when it is read
}

// UnmarshalJSON takes the fields as numbers and as text; other types have other fields.
func (d *tlsaData) UnmarshalJSON(b []byte) error {
	var fields struct {
		Usage        json.RawMessage `json:"usage"`
		Selector     json.RawMessage `json:"selector"`
		MatchingType json.RawMessage `json:"matching_type"`
		Certificate  string          `json:"certificate"`
	}
	if json.Unmarshal(b, &fields) != nil || fields.Certificate == "" {
		return nil // not the data of a TLSA record
	}
	for _, f := range []struct {
		to  *uint8
		raw json.RawMessage
	}{{&d.Usage, fields.Usage}, {&d.Selector, fields.Selector}, {&d.MatchingType, fields.MatchingType}} {
		octet, err := strconv.ParseUint(strings.Trim(string(f.raw), `"`), 10, 8)
		if err != nil {
			return nil
		}
		*f.to = uint8(octet)
	}
	d.Certificate = fields.Certificate
	return nil
}

// association reads a TLSA record.
func (r record) association() (tlsa.Association, error) {
	if d := r.Data; d != nil && d.Certificate != "" {
		return tlsa.ParseAssociation(fmt.Sprintf("%d %d %d %s", d.Usage, d.Selector, d.MatchingType, d.Certificate))
	}
	return tlsa.ParseAssociation(r.Content)
}

// text reads a TXT record: its strings are one value, in quotes or, in old records, without.
func (r record) text() string {
	content := strings.TrimSpace(r.Content)
	if !strings.HasPrefix(content, `"`) {
		return content
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(content); i++ {
		switch c := content[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted && i+1 < len(content):
			i++
			b.WriteByte(content[i])
		case quoted:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// ttl is the TTL that resolvers get.
func (r record) ttl() time.Duration {
	if r.TTL == auto {
		return autoTTL
	}
	return time.Duration(r.TTL) * time.Second
}

// records are those of one name that matter here.
type records struct{ tlsa, txt, cname, ns []record }

// listing is the records of a zone, by canonical name.
type listing map[string]records

// pageSize is how many records are asked for at once. The documentation allows five millions, and
// asks for 50,000 itself
// (https://developers.cloudflare.com/dns/zone-setups/troubleshooting/delete-all-records/). In
// one page nothing can shift.
const pageSize = 50_000

// maxReadings is how often a zone that changes while it is read is read.
const maxReadings = 3

// list reads all records of the zone.
func (s *site) list(ctx context.Context) (listing, *api.Trouble) {
	for range maxReadings {
		all, whole, t := s.pages(ctx)
		if t != nil {
			return nil, t
		}
		if whole {
			return s.sort(all)
		}
	}
	return nil, &api.Trouble{
		Kind: dnsprovider.Temporary, Err: errors.New("the zone changes while its pages are read"), Hint: "try again when others have done with it",
	}
}

// pages reads page by page, and reports whether they are of one piece: as many records as the
// API says there are, none twice.
func (s *site) pages(ctx context.Context) (all []record, whole bool, t *api.Trouble) {
	seen := map[string]bool{}
	total := -1
	for page := 1; ; page++ {
		query := url.Values{"per_page": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(page)}, "order": {"name"}, "direction": {"asc"}}
		var found []record
		info, t := s.p.call(ctx, s.zone, http.MethodGet, s.path()+"?"+query.Encode(), nil, &found)
		if t != nil {
			return nil, false, t
		}
		if total >= 0 && info.TotalCount != total {
			return nil, false, nil
		}
		total = info.TotalCount
		for _, r := range found {
			if r.ID == "" || seen[r.ID] {
				return nil, false, nil
			}
			seen[r.ID] = true
		}
		all = append(all, found...)
		if info == (resultInfo{}) {
			return all, len(found) < pageSize, nil // it does not say which page this is
		}
		if page >= info.TotalPages || len(found) == 0 {
			return all, len(all) == total, nil
		}
	}
}

// sort puts records to their names. A record whose name is outside the zone says that
// the id is another zone's.
func (s *site) sort(all []record) (listing, *api.Trouble) {
	l := listing{}
	for _, r := range all {
		name := strings.ToLower(strings.TrimSuffix(r.Name, ".")) + "."
		if !dnsprovider.InZone(name, s.zone) {
			return nil, &api.Trouble{
				Kind: dnsprovider.NoZone, Err: fmt.Errorf("zone-id is that of another zone, where %.100q stands", r.Name),
				Hint: "the overview of the zone in the dashboard has its id, under API",
			}
		}
		at := l[name]
		switch r.Type {
		case "TLSA":
			at.tlsa = append(at.tlsa, r)
		case "TXT":
			at.txt = append(at.txt, r)
		case "CNAME":
			at.cname = append(at.cname, r)
		case "NS":
			at.ns = append(at.ns, r)
		default:
			continue
		}
		l[name] = at
	}
	return l, nil
}
