package fakeapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Cloudflare is version 4 of Cloudflare's API, as
// https://developers.cloudflare.com/api/resources/dns/ has it, with what its documentation
// says elsewhere and what people have seen, cited where it is done. The codes of errors are
// documented nowhere as a whole; they are those of published replies.
type Cloudflare struct {
	Zone  *Zone
	Token string // one that may do all in this zone
	ID    string // of the zone

	// Name is the zone's as the API has it, with U-labels
	// (https://github.com/cloudflare/cloudflare-go, ListZones). Default: Zone's.
	Name         string
	Status, Type string // of the zone; default: active, full
	// Others are zones of the same name that the token sees as well, their ids by their status.
	Others map[string]string
	// NoZoneRead is for a token that may not look for zones.
	NoZoneRead bool
	// MaxPage is the most records in a page, whatever is asked for; MaxBatch the most in a
	// batch. Default: 5,000,000, and the 200 of a free zone.
	MaxPage, MaxBatch int

	mu       sync.Mutex
	batches  int
	comments map[string]string
}

// CloudflareID is a zone's id of the form that all have.
const CloudflareID = "023e105f4ecef8ad9ca31a8372d0c353"

// NewCloudflare makes the API of an account with one zone.
func NewCloudflare(zone *Zone, token string) *Cloudflare {
	return &Cloudflare{
		Zone: zone, Token: token, ID: CloudflareID, Name: strings.TrimSuffix(zone.Name, "."), Status: "active", Type: "full",
		MaxPage: 5_000_000, MaxBatch: 200, comments: map[string]string{},
	}
}

// Batches is how many batches were asked for.
func (c *Cloudflare) Batches() int { c.mu.Lock(); defer c.mu.Unlock(); return c.batches }

// Comment sets the comment of a record, and returns what it was.
func (c *Cloudflare) Comment(id, comment string) (before string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before = c.comments[id]
	c.comments[id] = comment
	return before
}

// Kind tells what a request is for.
func (c *Cloudflare) Kind(r *http.Request) RequestKind {
	switch {
	case r.Method != http.MethodGet:
		return Change
	case strings.HasSuffix(r.URL.Path, "/dns_records"):
		return Listing
	}
	return Other
}

// cloudflareError is one of the errors in a reply.
type cloudflareError struct {
	status  int
	Code    int               `json:"code"`
	Message string            `json:"message"`
	Chain   []cloudflareError `json:"error_chain,omitempty"`
}

// Problem answers as the API does to what went wrong.
func (c *Cloudflare) Problem(w http.ResponseWriter, status int) {
	e := &cloudflareError{status: status, Code: 10000 + status, Message: "Internal error: please try again later."}
	switch status {
	case http.StatusUnauthorized: // https://developers.cloudflare.com/fundamentals/api/get-started/create-token/, verify
		e.Code, e.Message = 1000, "Invalid API Token"
	case http.StatusForbidden:
		e.Code, e.Message = 10000, "Authentication error"
	case http.StatusNotFound:
		e.Code, e.Message = 7003, "Could not route to /client/v4/zones/"+c.ID+"/dns_records, perhaps your object identifier is invalid?"
	case http.StatusConflict:
		e.Code, e.Message = 1000, "The zone is locked by another operation."
	case http.StatusUnprocessableEntity:
		e.Code, e.Message = 1004, "DNS Validation Error"
	case http.StatusTooManyRequests: // https://developers.cloudflare.com/fundamentals/api/reference/limits/
		e.Code, e.Message = 971, "Please wait and consider throttling your request speed"
	}
	answerCloudflare(w, e.status, nil, nil, e)
}

func answerCloudflare(w http.ResponseWriter, status int, result any, info map[string]int, errs ...*cloudflareError) {
	body := map[string]any{"success": len(errs) == 0, "errors": errs, "messages": []string{}, "result": result}
	if len(errs) == 0 {
		body["errors"] = []string{}
	}
	if info != nil {
		body["result_info"] = info
	}
	sendJSON(w, status, body)
}

func (c *Cloudflare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.admit(r); e != nil {
		answerCloudflare(w, e.status, nil, nil, e)
		return
	}
	zone := "/client/v4/zones/" + c.ID
	switch r.Method + " " + r.URL.Path {
	case "GET /client/v4/zones":
		c.listZones(w, r)
	case "GET " + zone:
		answerCloudflare(w, http.StatusOK, c.zone(c.ID, c.Status), nil)
	case "GET " + zone + "/dns_records":
		c.listRecords(w, r)
	case "POST " + zone + "/dns_records/batch":
		c.batches++
		c.batch(w, r)
	default:
		c.Problem(w, http.StatusNotFound)
	}
}

// admit checks the token.
func (c *Cloudflare) admit(r *http.Request) *cloudflareError {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !bearer || token == "" || strings.ContainsAny(token, " \t"):
		return &cloudflareError{
			status: http.StatusBadRequest, Code: 6003, Message: "Invalid request headers",
			Chain: []cloudflareError{{Code: 6111, Message: "Invalid format for Authorization header"}},
		}
	case token != c.Token:
		return &cloudflareError{status: http.StatusForbidden, Code: 9109, Message: "Invalid access token"}
	}
	return nil
}

func (c *Cloudflare) zone(id, status string) map[string]any {
	return map[string]any{"id": id, "name": c.Name, "status": status, "type": c.Type, "paused": false, "name_servers": []string{"ns1.host.example"}}
}

// listZones has the zones of a name. A token without Zone: Read sees none.
func (c *Cloudflare) listZones(w http.ResponseWriter, r *http.Request) {
	zones := []any{}
	if r.URL.Query().Get("name") == c.Name && !c.NoZoneRead {
		for status, id := range c.Others {
			zones = append(zones, c.zone(id, status))
		}
		zones = append(zones, c.zone(c.ID, c.Status))
	}
	answerCloudflare(w, http.StatusOK, zones, map[string]int{"page": 1, "per_page": 50, "count": len(zones), "total_count": len(zones), "total_pages": 1})
}

// listRecords has a page of the records. The SOA and the NS at the apex are none of them:
// they are Cloudflare's own.
func (c *Cloudflare) listRecords(w http.ResponseWriter, r *http.Request) {
	all := c.Zone.Records("", "")
	all = slices.DeleteFunc(all, func(r Record) bool { return r.Name == c.Zone.Name && (r.Type == "SOA" || r.Type == "NS") })
	slices.SortStableFunc(all, func(a, b Record) int { return strings.Compare(a.Name, b.Name) })
	page, size := cloudflareNumber(r.URL.Query().Get("page"), 1), min(cloudflareNumber(r.URL.Query().Get("per_page"), 100), c.MaxPage)
	from := min((page-1)*size, len(all))
	found := all[from:min(from+size, len(all))]
	result := make([]any, len(found))
	for i, r := range found {
		result[i] = c.record(r)
	}
	answerCloudflare(w, http.StatusOK, result, map[string]int{
		"page": page, "per_page": size, "count": len(found), "total_count": len(all), "total_pages": (len(all) + size - 1) / size,
	})
}

func cloudflareNumber(s string, otherwise int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return otherwise
	}
	return max(n, 1)
}

// record is a record as the API shows it. Hex is upper case
// (https://github.com/kubernetes-sigs/external-dns/pull/6616), TXT is in quotes.
func (c *Cloudflare) record(r Record) map[string]any {
	name := strings.TrimSuffix(r.Name, ".")
	shown := map[string]any{
		"id": cloudflareRecordID(r.ID), "name": name, "type": r.Type, "content": r.Data, "ttl": r.TTL, "proxied": false, "proxiable": false,
		"settings": map[string]any{}, "meta": map[string]any{}, "comment": c.comments[r.ID], "tags": []string{},
	}
	switch r.Type {
	case "TLSA":
		f := strings.Fields(r.Data)
		shown["content"] = strings.Join(f[:3], " ") + " " + strings.ToUpper(strings.Join(f[3:], ""))
		shown["data"] = map[string]any{
			"usage": numeral(f[0]), "selector": numeral(f[1]), "matching_type": numeral(f[2]), "certificate": strings.ToUpper(strings.Join(f[3:], "")),
		}
	case "CNAME", "NS":
		shown["content"] = strings.TrimSuffix(r.Data, ".")
	}
	return shown
}

func numeral(s string) int { n, _ := strconv.Atoi(s); return n }

// cloudflareRecordID is a record's id: 32 hex digits.
func cloudflareRecordID(id string) string { return fmt.Sprintf("%032x", numeral(id)) }
