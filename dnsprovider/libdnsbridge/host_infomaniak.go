package libdnsbridge

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/libdns/libdns"

	libdnsinfomaniak "github.com/libdns/infomaniak"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

const infomaniakMinTTL = time.Minute

// infomaniak is Infomaniak's API, version 2 (https://developer.infomaniak.com/docs/api).
func infomaniak() Host {
	return Host{
		Capability: dnsprovider.Capability{
			Type: "infomaniak", Name: "Infomaniak",
			Verified: "a server written from the API's documentation",
			Atomic:   dnsprovider.AddThenRemove,
			MinTTL:   infomaniakMinTTL,
			DNSSEC:   "on request",
			TXT:      true,
			Margin:   30 * time.Minute,
			MarginSource: "ours: Infomaniak gives no figure of its own, and says that changes take up to 48 hours with everybody's caches " +
				"(https://www.infomaniak.com/en/support/faq/admin2/domain)",
			Rights: "an API token with the scopes dns:read and dns:write, made in the Manager at \"API token\"",
			Hazards: []string{
				"there are 60 requests a minute for everything that the account does (https://developer.infomaniak.com/getting-started)",
				"a token that nobody uses for a year is switched off (https://www.infomaniak.com/en/support/faq/2582)",
				"a TTL below a minute is raised to a minute by us: what the host would do with it is not documented",
			},
		},
		Settings: []Setting{{Name: "token", Secret: true, Required: true}},
		Open: func(v Values) (Backend, error) {
			if err := printable("token", v["token"]); err != nil {
				return nil, err
			}
			return infomaniakZones{&libdnsinfomaniak.Client{Token: v["token"], HttpClient: &http.Client{}}}, nil
		},
	}
}

// infomaniakZones is the module's client without its Provider, which
//   - asks for the host's zone before each request, and takes the first whose name is the end of the
//     one wanted, wherever a label begins: of 60 requests a minute every second is for that;
//   - filters records in the same way, and so may give those of notmx.example.org for mx.example.org;
//   - drops what stands at the zone itself, which the host calls ".";
//   - gives nothing at all if one record of the zone cannot be parsed;
//   - makes 300 seconds of a TTL below 60.
type infomaniakZones struct{ client *libdnsinfomaniak.Client }

func (b infomaniakZones) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	all, err := b.client.GetDnsRecordsForZone(ctx, strings.TrimSuffix(zone, "."))
	if err != nil {
		return nil, infomaniakError(err)
	}
	records := make([]libdns.Record, len(all))
	for i := range all {
		records[i] = infomaniakRR(&all[i])
	}
	return records, nil
}

func infomaniakRR(r *libdnsinfomaniak.IkRecord) libdns.RR {
	rr := libdns.RR{Name: r.Source, TTL: time.Duration(r.TtlInSec) * time.Second, Type: r.Type, Data: r.Target}
	if rr.Name == "" || rr.Name == "." {
		rr.Name = "@"
	}
	if rr.Type == "CNAME" || rr.Type == "DNAME" {
		rr.Data = strings.TrimSuffix(rr.Data, ".") + "." // the host writes names in full, without the dot
	}
	return rr
}

func (b infomaniakZones) AppendRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, _ error) {
	for _, record := range records {
		rr := record.RR()
		_, err := b.client.CreateOrUpdateRecord(ctx, strings.TrimSuffix(zone, "."), libdnsinfomaniak.IkRecord{
			Source: rr.Name, Type: rr.Type, Target: rr.Data, TtlInSec: int(max(rr.TTL, infomaniakMinTTL) / time.Second),
		})
		if err != nil {
			return done, infomaniakError(err)
		}
		done = append(done, record)
	}
	return done, nil
}

// DeleteRecords deletes by ID, and looks each up right before: somebody may have put something else
// into a record that was read a while ago, and it keeps its ID.
func (b infomaniakZones) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, _ error) {
	zone = strings.TrimSuffix(zone, ".")
	all, err := b.client.GetDnsRecordsForZone(ctx, zone)
	if err != nil {
		return nil, infomaniakError(err)
	}
	for _, record := range records {
		want := record.RR()
		for i := range all {
			stands := infomaniakRR(&all[i])
			if !strings.EqualFold(stands.Name, want.Name) || stands.Type != want.Type || stands.Data != want.Data || want.TTL != 0 && want.TTL != stands.TTL {
				continue
			}
			err := b.client.DeleteRecord(ctx, zone, strconv.Itoa(all[i].ID))
			if err != nil && statusIn(err.Error()) != http.StatusNotFound { // somebody else was faster
				return done, infomaniakError(err)
			}
			done = append(done, record)
		}
	}
	return done, nil
}

// infomaniakError makes a sentence of what the module takes from a reply: "got errors: ", the
// status, and JSON.
func infomaniakError(err error) error {
	status, text, ok := strings.Cut(strings.TrimPrefix(err.Error(), "got errors: "), ": ")
	var says struct {
		Code, Description string
		Errors            []struct{ Description string }
	}
	if !ok || json.Unmarshal([]byte(text), &says) != nil {
		return err
	}
	parts := []string{status, says.Code, says.Description}
	for _, e := range says.Errors {
		parts = append(parts, e.Description)
	}
	return errors.New(strings.Join(parts, ": "))
}
