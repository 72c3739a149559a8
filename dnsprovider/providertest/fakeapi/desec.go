package fakeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// DeSECHost is where deSEC's API is.
const DeSECHost = "desec.io"

// The TTLs that deSEC takes: the lowest is that of a new domain
// (https://desec.readthedocs.io/en/latest/dns/domains.html#domain-field-reference).
const desecMinTTL, desecMaxTTL = 3600, 86400

// desecPage is how many RRsets the API gives without pagination
// (https://desec.readthedocs.io/en/latest/dns/rrsets.html#pagination).
const desecPage = 500

// NewDeSEC makes deSEC's API (https://desec.readthedocs.io/) with one domain and one token. It
// keeps whole RRsets; what is put in the place of one is all there is, and an empty one
// removes it. Several RRsets in one request are changed all or none.
func NewDeSEC(zone *Zone, token string) *Server {
	return NewServer(zone, &desec{zone: zone, token: token})
}

type desec struct {
	zone  *Zone
	token string
	mu    sync.Mutex // a request with several RRsets is one step
}

// desecRRset is an RRset as in
// https://desec.readthedocs.io/en/latest/dns/rrsets.html#rrset-field-reference.
type desecRRset struct {
	Domain  string   `json:"domain,omitempty"`
	Name    string   `json:"name,omitempty"`
	Subname string   `json:"subname"`
	Type    string   `json:"type"`
	Records []string `json:"records"`
	TTL     int      `json:"ttl,omitempty"`
	Created string   `json:"created,omitempty"`
	Touched string   `json:"touched,omitempty"`
}

func (a *desec) domain() string { return strings.TrimSuffix(a.zone.Name, ".") }

func (a *desec) path() string { return "/api/v1/domains/" + a.domain() + "/rrsets/" }

// Kind: one RRset is none of the zone's listing.
func (a *desec) Kind(r *http.Request) RequestKind {
	switch {
	case r.Method != http.MethodGet:
		return Change
	case r.URL.Path == a.path():
		return Listing
	}
	return Other
}

func (a *desec) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Token "+a.token {
		a.Problem(w, http.StatusUnauthorized)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	rest, within := strings.CutPrefix(r.URL.Path, a.path())
	switch one := strings.Split(strings.Trim(rest, "/"), "/"); {
	case r.URL.Path == "/api/v1/domains/" && r.Method == http.MethodGet:
		sendJSON(w, http.StatusOK, []map[string]any{{"name": a.domain(), "minimum_ttl": desecMinTTL}})
	case !within:
		a.Problem(w, http.StatusNotFound)
	case rest == "" && r.Method == http.MethodGet:
		a.list(w)
	case rest == "" && r.Method == http.MethodPut:
		a.bulk(w, r)
	case len(one) == 2 && r.Method == http.MethodGet:
		if set, ok := a.rrset(one[0], one[1]); ok {
			sendJSON(w, http.StatusOK, set)
			return
		}
		a.Problem(w, http.StatusNotFound)
	default:
		sendJSON(w, http.StatusMethodNotAllowed, map[string]string{"detail": fmt.Sprintf("Method %q not allowed.", r.Method)})
	}
}

func (a *desec) list(w http.ResponseWriter) {
	all := []desecRRset{}
	for _, r := range a.zone.Records("", "") {
		name := a.zone.Relative(r.Name)
		if r.Type == "SOA" || slices.ContainsFunc(all, func(s desecRRset) bool { return s.Subname == name && s.Type == r.Type }) {
			continue
		}
		set, _ := a.rrset(name, r.Type)
		all = append(all, set)
	}
	if len(all) > desecPage {
		sendJSON(w, http.StatusBadRequest, map[string]string{"detail": "Pagination required. You can query up to 500 items at a time."})
		return
	}
	sendJSON(w, http.StatusOK, all)
}

func (a *desec) rrset(subname, rrtype string) (s desecRRset, ok bool) {
	if subname == "@" {
		subname = ""
	}
	name := a.zone.Absolute(subname)
	s = desecRRset{Domain: a.domain(), Name: name, Subname: subname, Type: rrtype}
	for _, r := range a.zone.Records(name, rrtype) {
		s.TTL = r.TTL
		s.Records = append(s.Records, r.Data)
	}
	return s, s.Records != nil
}

// bulk replaces RRsets, all or none
// (https://desec.readthedocs.io/en/latest/dns/rrsets.html#bulk-operations).
func (a *desec) bulk(w http.ResponseWriter, r *http.Request) {
	var sets []desecRRset
	if err := json.NewDecoder(r.Body).Decode(&sets); err != nil {
		sendJSON(w, http.StatusBadRequest, map[string]string{"detail": "JSON parse error - " + err.Error()})
		return
	}
	problems := make([]map[string][]string, len(sets))
	bad := false
	for i, s := range sets {
		problems[i] = map[string][]string{}
		for field, text := range a.wrong(s) {
			problems[i][field], bad = []string{text}, true
		}
	}
	if bad {
		sendJSON(w, http.StatusBadRequest, problems)
		return
	}
	for _, s := range sets {
		records := make([]string, len(s.Records))
		for i, record := range s.Records {
			records[i] = record
			if s.Type == "TLSA" { // it is stored in canonical form
				records[i] = strings.ToLower(record)
			}
		}
		a.zone.Replace(a.zone.Absolute(s.Subname), s.Type, s.TTL, records...)
	}
	sendJSON(w, http.StatusOK, sets)
}

// wrong says what the API does not take of an RRset, by field.
func (a *desec) wrong(s desecRRset) map[string]string {
	beside := a.zone.Records(a.zone.Absolute(s.Subname), "")
	once := slices.Compact(slices.Sorted(slices.Values(s.Records)))
	switch {
	case len(s.Records) > 0 && s.TTL < desecMinTTL:
		return map[string]string{"ttl": fmt.Sprintf("Ensure this value is greater than or equal to %d.", desecMinTTL)}
	case s.TTL > desecMaxTTL:
		return map[string]string{"ttl": fmt.Sprintf("Ensure this value is less than or equal to %d.", desecMaxTTL)}
	case len(once) != len(s.Records):
		return map[string]string{"records": "Duplicate records are not allowed."}
	case s.Type == "TXT" && slices.ContainsFunc(s.Records, func(v string) bool { return !strings.HasPrefix(v, `"`) }):
		return map[string]string{"records": "Record content malformed: expected quoted strings."}
	case len(s.Records) > 0 && slices.ContainsFunc(beside, func(r Record) bool { return (r.Type == "CNAME") != (s.Type == "CNAME") }):
		return map[string]string{"non_field_errors": "RRset with conflicting type present: CNAME. (No other RRsets are allowed alongside CNAME.)"}
	}
	return nil
}

// Problem has the bodies of Django REST framework, which the API is made with.
func (a *desec) Problem(w http.ResponseWriter, status int) {
	detail, ok := map[int]string{
		http.StatusUnauthorized:    "Invalid token.",
		http.StatusForbidden:       "You do not have permission to perform this action.",
		http.StatusNotFound:        "Not found.",
		http.StatusTooManyRequests: "Request was throttled. Expected available in 1 second.",
	}[status]
	if !ok {
		detail = http.StatusText(status)
	}
	sendJSON(w, status, map[string]string{"detail": detail})
}
