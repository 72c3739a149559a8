package fakeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// GandiHost is where Gandi's API is.
const GandiHost = "api.gandi.net"

// GandiPage is how many RRsets the API gives unless asked for another page
// (https://github.com/go-gandi/go-gandi/issues/38).
const GandiPage = 500

// The TTLs that Gandi takes (https://api.gandi.net/docs/livedns/).
const gandiMinTTL, gandiMaxTTL, gandiTTL = 300, 2592000, 10800

// NewGandi makes Gandi's LiveDNS API (https://api.gandi.net/docs/livedns/) with one zone and
// one personal access token (https://api.gandi.net/docs/authentication/). It keeps whole RRsets:
// what is put in the place of one is all there is. A TXT value has quotes, whether it was
// put with them or not.
func NewGandi(zone *Zone, token string) *Server { return NewServer(zone, &gandi{zone, token}) }

type gandi struct {
	zone  *Zone
	token string
}

type gandiRRset struct {
	Href   string   `json:"rrset_href,omitempty"`
	Name   string   `json:"rrset_name,omitempty"`
	Type   string   `json:"rrset_type,omitempty"`
	TTL    int      `json:"rrset_ttl,omitempty"`
	Values []string `json:"rrset_values"`
}

func (a *gandi) domainPath() string {
	return "/v5/livedns/domains/" + strings.TrimSuffix(a.zone.Name, ".")
}

// Kind: one RRset is none of the zone's listing.
func (a *gandi) Kind(r *http.Request) RequestKind {
	switch {
	case r.Method != http.MethodGet:
		return Change
	case r.URL.Path == a.domainPath()+"/records":
		return Listing
	}
	return Other
}

func (a *gandi) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+a.token {
		a.Problem(w, http.StatusUnauthorized)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, a.domainPath())
	if !ok {
		a.Problem(w, http.StatusNotFound)
		return
	}
	at := "https://" + GandiHost + a.domainPath()
	path := strings.Split(strings.Trim(rest, "/"), "/")
	switch {
	case rest == "" && r.Method == http.MethodGet:
		sendJSON(w, http.StatusOK, map[string]any{
			"fqdn": strings.TrimSuffix(a.zone.Name, "."), "automatic_snapshots": false, "domain_href": at,
			"domain_keys_href": at + "/keys", "domain_records_href": at + "/records",
		})
	case len(path) == 1 && path[0] == "records" && r.Method == http.MethodGet:
		a.list(w, r)
	case len(path) == 3 && path[0] == "records":
		a.one(w, r, path[1], path[2])
	default:
		a.Problem(w, http.StatusNotFound)
	}
}

// list gives one page, and says in a header how many there are in all.
func (a *gandi) list(w http.ResponseWriter, r *http.Request) {
	all := []gandiRRset{}
	for _, record := range a.zone.Records("", "") {
		name := a.relative(record.Name)
		if record.Type == "SOA" || slices.ContainsFunc(all, func(s gandiRRset) bool { return s.Name == name && s.Type == record.Type }) {
			continue
		}
		s, _ := a.rrset(name, record.Type)
		all = append(all, s)
	}
	size, page := GandiPage, 1
	if n, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil && n > 0 {
		size = min(n, GandiPage)
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 {
		page = n
	}
	w.Header().Set("Total-Count", strconv.Itoa(len(all)))
	from := min((page-1)*size, len(all))
	sendJSON(w, http.StatusOK, all[from:min(from+size, len(all))])
}

func (a *gandi) one(w http.ResponseWriter, r *http.Request, name, rrtype string) {
	stands, ok := a.rrset(name, rrtype)
	if !ok && r.Method != http.MethodPut {
		sendJSON(w, http.StatusNotFound, map[string]any{
			"object": "dns-record", "cause": "Not Found", "code": http.StatusNotFound,
			"message": fmt.Sprintf("Can't find the DNS record %s/%s in the zone", name, rrtype),
		})
		return
	}
	switch r.Method {
	case http.MethodGet:
		sendJSON(w, http.StatusOK, stands)
	case http.MethodPut:
		a.put(w, r, name, rrtype)
	case http.MethodDelete:
		a.zone.Replace(a.zone.Absolute(name), rrtype, 0)
		w.WriteHeader(http.StatusNoContent)
	default:
		a.Problem(w, http.StatusMethodNotAllowed)
	}
}

func (a *gandi) put(w http.ResponseWriter, r *http.Request, name, rrtype string) {
	var want gandiRRset
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil {
		a.invalid(w, "body", "invalid JSON")
		return
	}
	if want.TTL == 0 {
		want.TTL = gandiTTL
	}
	if rrtype == "TXT" {
		for i, v := range want.Values {
			want.Values[i] = strconv.Quote(strings.Trim(v, `"`))
		}
	}
	once := slices.Compact(slices.Sorted(slices.Values(want.Values)))
	beside := a.zone.Records(a.zone.Absolute(name), "")
	switch {
	case len(want.Values) == 0:
		a.invalid(w, "rrset_values", "Shorter than minimum length 1.")
	case len(once) != len(want.Values):
		a.invalid(w, "rrset_values", "duplicate values")
	case want.TTL < gandiMinTTL || want.TTL > gandiMaxTTL:
		a.invalid(w, "rrset_ttl", fmt.Sprintf("%d is out of range", want.TTL))
	case slices.ContainsFunc(beside, func(r Record) bool { return (r.Type == "CNAME") != (rrtype == "CNAME") }):
		a.invalid(w, "rrset_type", "a CNAME record already exists on this name")
	default:
		a.zone.Replace(a.zone.Absolute(name), rrtype, want.TTL, want.Values...)
		sendJSON(w, http.StatusCreated, map[string]string{"message": "DNS Record Created"})
	}
}

func (a *gandi) relative(name string) string {
	if name == a.zone.Name {
		return "@"
	}
	return a.zone.Relative(name)
}

func (a *gandi) rrset(name, rrtype string) (s gandiRRset, ok bool) {
	for _, r := range a.zone.Records(a.zone.Absolute(name), rrtype) {
		s.TTL = r.TTL
		s.Values = append(s.Values, r.Data)
	}
	s.Name, s.Type = name, rrtype
	s.Href = fmt.Sprintf("https://%s%s/records/%s/%s", GandiHost, a.domainPath(), name, rrtype)
	return s, s.Values != nil
}

// invalid says what is wrong with a request: without the code and the message that other
// errors have (https://github.com/octodns/octodns-gandi/blob/main/tests/test_octodns_provider_gandi.py has one).
func (a *gandi) invalid(w http.ResponseWriter, name, description string) {
	sendJSON(w, http.StatusBadRequest, map[string]any{
		"status": "error", "errors": []map[string]string{{"location": "body", "name": name, "description": description}},
	})
}

// Problem has the bodies of the same tests.
func (a *gandi) Problem(w http.ResponseWriter, status int) {
	if status == http.StatusUnprocessableEntity {
		a.invalid(w, "rrset_values", "invalid value")
		return
	}
	cause := http.StatusText(status)
	message, ok := map[int]string{
		http.StatusUnauthorized: "The server could not verify that you authorized to access the document you requested. " +
			"Either you supplied the wrong credentials (e.g., bad api key), or your access token has expired",
		http.StatusForbidden: "Access was denied to this resource.",
		http.StatusNotFound:  "The resource could not be found.",
	}[status]
	if !ok {
		message = cause
	}
	sendJSON(w, status, map[string]any{"code": status, "message": message, "object": "HTTP" + strings.ReplaceAll(cause, " ", ""), "cause": cause})
}
