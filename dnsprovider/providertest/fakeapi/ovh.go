package fakeapi

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// OVHHost is where OVH's European API is.
const OVHHost = "eu.api.ovh.com"

// OVHKeys are the three secrets of a script at OVH.
type OVHKeys struct{ Application, Secret, Consumer string }

// OVHZoneTTL is the TTL of records that have 0: that of the zone.
const OVHZoneTTL = 3600

// An OVHServer is OVH's API (https://eu.api.ovh.com/console/, section /domain, and
// https://help.ovhcloud.com/csm/en-api-getting-started-ovhcloud-api for the signatures). The API shows
// and changes a draft, the Zone of the server; name servers have what was the
// draft when it was refreshed last
// (https://github.com/ovh/terraform-provider-ovh/issues/1290: seen in the console, never in DNS).
type OVHServer struct {
	*Server
	api *ovh
}

// NewOVH makes OVH's API with one zone.
func NewOVH(zone *Zone, keys OVHKeys) *OVHServer {
	api := &ovh{draft: zone, live: &Zone{Name: zone.Name}, keys: keys}
	api.publish()
	return &OVHServer{NewServer(zone, api), api}
}

// Refreshed is how often the draft was published.
func (s *OVHServer) Refreshed() int { return int(s.api.refreshed.Load()) }

// Fixture looks at what name servers have. What is seeded stands in both copies, and
// publishes nothing else.
func (s *OVHServer) Fixture() providertest.Fixture {
	f, live := s.Server.Fixture(), NewServer(s.api.live, s.api).Fixture()
	draft := f
	f.Look, f.Stands = live.Look, live.Stands
	f.Seed = func(t *testing.T, owner tlsa.Owner, ttl time.Duration, rdata ...string) {
		t.Helper()
		draft.Seed(t, owner, ttl, rdata...)
		live.Seed(t, owner, ttl, rdata...)
	}
	f.Alias = func(t *testing.T, owner, target tlsa.Owner) {
		t.Helper()
		draft.Alias(t, owner, target)
		live.Alias(t, owner, target)
	}
	f.Beside = func(t *testing.T, name, rrtype, rdata string) {
		t.Helper()
		draft.Beside(t, name, rrtype, rdata)
		live.Beside(t, name, rrtype, rdata)
	}
	return f
}

// TXTFixture looks at what name servers have, too.
func (s *OVHServer) TXTFixture() providertest.TXTFixture {
	f, live := s.Server.TXTFixture(), NewServer(s.api.live, s.api).TXTFixture()
	draft := f
	f.Look = live.Look
	f.Alias = s.Fixture().Alias
	f.Seed = func(t *testing.T, name tlsa.Owner, ttl time.Duration, values ...string) {
		t.Helper()
		draft.Seed(t, name, ttl, values...)
		live.Seed(t, name, ttl, values...)
	}
	return f
}

type ovh struct {
	draft, live *Zone
	keys        OVHKeys
	refreshed   atomic.Int32
}

type ovhRecord struct {
	ID        int64  `json:"id"`
	Zone      string `json:"zone"`
	FieldType string `json:"fieldType"`
	SubDomain string `json:"subDomain"`
	Target    string `json:"target"`
	TTL       int    `json:"ttl"`
}

func (a *ovh) zonePath() string {
	return "/1.0/domain/zone/" + strings.TrimSuffix(a.draft.Name, ".")
}

// Kind: the IDs of all records are the listing, with or without a filter. Each record is
// read by itself then.
func (a *ovh) Kind(r *http.Request) RequestKind {
	switch {
	case r.Method != http.MethodGet:
		return Change
	case r.URL.Path == a.zonePath()+"/record" && r.URL.RawQuery == "":
		return Listing
	}
	return Other
}

// ovhLag is how far the API's clock is behind: clients ask it for the time.
const ovhLag = time.Hour

func (a *ovh) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/1.0/auth/time" {
		sendJSON(w, http.StatusOK, time.Now().Add(-ovhLag).Unix())
		return
	}
	body, _ := io.ReadAll(r.Body)
	if status, code, message := a.stranger(r, body); status != 0 {
		sendJSON(w, status, map[string]string{"errorCode": code, "httpCode": fmt.Sprint(status, " ", http.StatusText(status)), "message": message})
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, a.zonePath()+"/")
	if !ok {
		a.fail(w, http.StatusNotFound, "This service does not exist")
		return
	}
	id, one := strings.CutPrefix(rest, "record/")
	switch {
	case r.Method == http.MethodGet && rest == "record":
		sendJSON(w, http.StatusOK, a.ids(r.URL.Query()))
	case r.Method == http.MethodPost && rest == "record":
		a.create(w, body)
	case r.Method == http.MethodGet && one:
		if record, ok := a.draft.ByID(id); ok && record.Type != "SOA" {
			sendJSON(w, http.StatusOK, a.shown(record))
			return
		}
		a.fail(w, http.StatusNotFound, "The requested object (id = "+id+") does not exist")
	case r.Method == http.MethodDelete && one:
		if a.draft.Remove(func(r Record) bool { return r.ID == id }) == 0 {
			a.fail(w, http.StatusNotFound, "The requested object (id = "+id+") does not exist")
			return
		}
		sendJSON(w, http.StatusOK, nil)
	case r.Method == http.MethodPost && rest == "refresh":
		a.publish()
		a.refreshed.Add(1)
		sendJSON(w, http.StatusOK, nil)
	case r.Method == http.MethodGet && rest == "soa":
		sendJSON(w, http.StatusOK, map[string]any{
			"server": "dns10.ovh.net.", "email": "tech.ovh.net.", "serial": 1, "refresh": 86400, "expire": 3600000,
			"nxDomainTtl": 60, "ttl": OVHZoneTTL,
		})
	default:
		a.fail(w, http.StatusNotFound, "Got an invalid (or empty) URL")
	}
}

// stranger is what is wrong with how a request is signed.
func (a *ovh) stranger(r *http.Request, body []byte) (status int, code, message string) {
	given := func(name string) string { return r.Header.Get("X-Ovh-" + name) }
	sent, err := strconv.ParseInt(given("Timestamp"), 10, 64)
	signed := sha1.Sum([]byte(strings.Join([]string{
		a.keys.Secret, a.keys.Consumer, r.Method, "https://" + r.Host + r.URL.RequestURI(), string(body), given("Timestamp"),
	}, "+")))
	switch off := time.Now().Add(-ovhLag).Unix() - sent; {
	case given("Application") != a.keys.Application:
		return http.StatusForbidden, "INVALID_KEY", "This application key is invalid"
	case given("Consumer") != a.keys.Consumer:
		return http.StatusForbidden, "NOT_CREDENTIAL", "This credential does not exist"
	case err != nil || off > 30 || off < -30:
		return http.StatusBadRequest, "QUERY_TIME_OUT", "Query out of time"
	case given("Signature") != fmt.Sprintf("$1$%x", signed):
		return http.StatusBadRequest, "INVALID_SIGNATURE", "Invalid signature"
	}
	return 0, "", ""
}

// ids are the numbers of the records. The filters are patterns as in SQL: an underscore
// is any character ("Filter the value of subDomain property (like)").
func (a *ovh) ids(query url.Values) []int64 {
	ids := []int64{}
	for _, r := range a.draft.Records("", "") {
		if r.Type == "SOA" ||
			query.Has("fieldType") && !like(query.Get("fieldType"), r.Type) ||
			query.Has("subDomain") && !like(query.Get("subDomain"), a.draft.Relative(r.Name)) {
			continue
		}
		ids = append(ids, a.shown(r).ID)
	}
	return ids
}

func like(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] == '%' {
		return like(pattern[1:], s) || s != "" && like(pattern, s[1:])
	}
	return s != "" && (pattern[0] == '_' || strings.EqualFold(pattern[:1], s[:1])) && like(pattern[1:], s[1:])
}

func (a *ovh) shown(r Record) ovhRecord {
	id, _ := strconv.ParseInt(r.ID, 10, 64)
	return ovhRecord{ID: id, Zone: strings.TrimSuffix(a.draft.Name, "."), FieldType: r.Type, SubDomain: a.draft.Relative(r.Name), Target: r.Data, TTL: r.TTL}
}

// create adds a record. One that stands there may come a second time
// (https://github.com/gheesh/ansible-ovh-dns/pull/8). The lowest TTL is 60 seconds; 0 is
// the zone's.
func (a *ovh) create(w http.ResponseWriter, body []byte) {
	var want ovhRecord
	if err := json.Unmarshal(body, &want); err != nil || want.FieldType == "" || want.Target == "" {
		a.fail(w, http.StatusBadRequest, "Missing or invalid parameter")
		return
	}
	if want.TTL != 0 && want.TTL < 60 {
		a.fail(w, http.StatusBadRequest, "Invalid TTL: "+strconv.Itoa(want.TTL))
		return
	}
	name := a.draft.Absolute(want.SubDomain)
	for _, r := range a.draft.Records(name, "") {
		if (r.Type == "CNAME") != (want.FieldType == "CNAME") {
			a.fail(w, http.StatusConflict, "A record of this name does not go with a CNAME")
			return
		}
	}
	if want.FieldType == "TXT" && !strings.HasPrefix(want.Target, `"`) {
		want.Target = strconv.Quote(want.Target)
	}
	sendJSON(w, http.StatusOK, a.shown(a.draft.Add(name, want.FieldType, want.TTL, want.Target)))
}

// publish gives the name servers what is in the draft.
func (a *ovh) publish() {
	records := a.draft.Records("", "")
	for i := range records {
		if records[i].TTL == 0 {
			records[i].TTL = OVHZoneTTL
		}
	}
	a.live.mu.Lock()
	defer a.live.mu.Unlock()
	a.live.records = records
}

// Problem has the classes of errors that the API names
// (https://github.com/ovh/go-ovh/blob/v1.9.0/ovh/error_test.go has examples).
func (a *ovh) Problem(w http.ResponseWriter, status int) {
	a.fail(w, status, map[int]string{
		http.StatusUnauthorized: "You must login first", http.StatusForbidden: "This call has not been granted",
		http.StatusNotFound: "This service does not exist", http.StatusConflict: "A task is already running on this zone",
		http.StatusUnprocessableEntity: "Invalid target", http.StatusTooManyRequests: "Too many requests",
		http.StatusInternalServerError: "Internal server error", http.StatusServiceUnavailable: "Service is temporarily unavailable",
	}[status])
}

func (a *ovh) fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("X-Ovh-QueryID", "EU.ext-1.test")
	class := "Client::"
	if status >= http.StatusInternalServerError {
		class = "Server::"
	}
	sendJSON(w, status, map[string]string{"class": class + strings.ReplaceAll(http.StatusText(status), " ", ""), "message": message})
}
