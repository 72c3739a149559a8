package libdnsbridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	libdnsgandi "github.com/libdns/gandi"
	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

const gandiMinTTL = 300 * time.Second

// gandi is Gandi's LiveDNS (https://api.gandi.net/docs/livedns/).
func gandi() Host {
	return Host{
		Capability: dnsprovider.Capability{
			Type: "gandi", Name: "Gandi",
			Verified:     "a server written from the API's documentation",
			Atomic:       dnsprovider.AddThenRemove,
			MinTTL:       gandiMinTTL,
			DNSSEC:       "on request",
			TXT:          true,
			Margin:       5 * time.Minute,
			MarginSource: "ours: Gandi gives no figure",
			Rights:       "a personal access token restricted to the domain, with \"Manage domain name technical configurations\"",
			Hazards: []string{
				"the API replaces whole RRsets without a condition: what somebody else adds to the same RRset within the same split second is lost",
				"a personal access token ends after a year at most: renew it in time",
				"a zone with 500 RRsets or more is refused, as the module reads the first 500 only",
			},
		},
		Settings: []Setting{{Name: "token", Secret: true, Required: true}},
		Open: func(v Values) (Backend, error) {
			if err := printable("token", v["token"]); err != nil {
				return nil, err
			}
			return &gandiBackend{token: v["token"], module: &libdnsgandi.Provider{BearerToken: v["token"]}}, nil
		},
		Quirks: Quirks{Classify: classifyGandi},
	}
}

// gandiBackend is the module, where it is told apart what can be taken for something else.
type gandiBackend struct {
	token  string
	mu     sync.Mutex
	module *libdnsgandi.Provider // see current
}

func (b *gandiBackend) current() *libdnsgandi.Provider {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.module
}

// says puts into words what the module says, see [gandiSays]. After an error the module begins
// afresh: it keeps for good what the API said of a zone, even where that was nothing.
func (b *gandiBackend) says(err error) error {
	if err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.module = &libdnsgandi.Provider{BearerToken: b.token}
	}
	return gandiSays(err)
}

// gandiPage is how many RRsets the API gives at once, and the module asks once
// (https://github.com/go-gandi/go-gandi/issues/38).
const gandiPage = 500

// GetRecords refuses a zone of which there may be more: what is on the next page would look absent.
func (b *gandiBackend) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	records, err := b.current().GetRecords(ctx, zone)
	if err != nil {
		return nil, b.says(err)
	}
	type key struct{ name, rrtype string }
	rrsets := map[key]bool{}
	for i, record := range records {
		rr := record.RR()
		rrsets[key{rr.Name, rr.Type}] = true
		if (rr.Type == "CNAME" || rr.Type == "DNAME") && !strings.HasSuffix(rr.Data, ".") {
			rr.Data = libdns.AbsoluteName(rr.Data, zone) // LiveDNS takes names relative to the zone
			records[i] = rr
		}
	}
	if len(rrsets) >= gandiPage {
		return nil, errGandiPages
	}
	return records, nil
}

var errGandiPages = fmt.Errorf("the zone has %d RRsets or more, and the module reads no more than that (hint: move the mail servers' names into a zone of their own)", gandiPage)

// AppendRecords raises TTLs that the API refuses.
func (b *gandiBackend) AppendRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	raised := make([]libdns.Record, len(records))
	for i, record := range records {
		rr := record.RR()
		rr.TTL = max(rr.TTL, gandiMinTTL)
		raised[i] = rr
	}
	done, err := b.current().AppendRecords(ctx, zone, raised)
	return done, b.says(err)
}

// DeleteRecords takes it for done where there is nothing to delete. Of TXT values the module
// wants the quotes where there are several at the name, and not where there is one: it is asked in
// both ways, and takes nothing else away in either.
func (b *gandiBackend) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, _ error) {
	for _, record := range records {
		_, err := b.current().DeleteRecords(ctx, zone, []libdns.Record{record})
		if rr := record.RR(); rr.Type == "TXT" && err != nil && strings.Contains(err.Error(), "Can't find such a DNS value") {
			rr.Data = strings.Trim(rr.Data, `"`)
			_, err = b.current().DeleteRecords(ctx, zone, []libdns.Record{rr})
		}
		switch {
		case err == nil:
			done = append(done, record)
		case strings.Contains(err.Error(), "Can't find"): // the RRset, or the value in it
		default:
			return done, b.says(err)
		}
	}
	return done, nil
}

var errGandiContent = errors.New("the API refuses what it was given, and the module does not read why")

// gandiSays puts into words what the module leaves of an answer that refuses the content of a
// request: the API forms it otherwise than others.
func gandiSays(err error) error {
	if err != nil && strings.Contains(err.Error(), "LiveDNS returned a 0 ") {
		return errGandiContent
	}
	return err
}

// classifyGandi knows what is put into words here. All else has its status.
func classifyGandi(err error) dnsprovider.Kind {
	switch {
	case errors.Is(err, errGandiPages):
		return dnsprovider.Unsupported
	case errors.Is(err, errGandiContent):
		return dnsprovider.Malformed
	}
	return 0
}
