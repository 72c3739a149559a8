package fakeapi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// HetznerHost is where Hetzner's Cloud API is.
const HetznerHost = "api.hetzner.cloud"

// The bounds of https://docs.hetzner.cloud/reference/cloud#zone-rrset-actions-change-an-rrsets-ttl
// and of #zone-rrsets-list-rrsets.
const hetznerMinTTL, hetznerPage, hetznerMaxPage = 60, 25, 100

// hetznerDefaultTTL is that of the zone, for an RRset without one of its own.
const hetznerDefaultTTL = 3600

// A Hetzner is Hetzner's Cloud API (https://docs.hetzner.cloud/reference/cloud) with one zone in
// primary mode and one token. It keeps RRsets, which have a TTL of their own or the
// zone's, and changes them with actions: what an action does is there once
// the action says so. While one runs, another is a conflict. Records that are
// added to an RRset with another TTL than it has are refused
// (https://github.com/stalwartlabs/dns-update/pull/76, tried at the host).
// To remove a value that is not there is no error; to remove from an RRset
// that is not there is.
type Hetzner struct {
	*Server
	api *hetzner
}

// NewHetzner makes one whose actions are done when it answers.
func NewHetzner(zone *Zone, token string) *Hetzner {
	api := &hetzner{zone: zone, token: token, bare: map[string]bool{}}
	return &Hetzner{NewServer(zone, api), api}
}

// Slow makes actions last so long from now on.
func (h *Hetzner) Slow(d time.Duration) { h.api.mu.Lock(); defer h.api.mu.Unlock(); h.api.slow = d }

// FailActions makes actions end with an error from now on, and do nothing.
func (h *Hetzner) FailActions() { h.api.mu.Lock(); defer h.api.mu.Unlock(); h.api.broken = true }

// DefaultTTL makes the RRset at name one without a TTL of its own.
func (h *Hetzner) DefaultTTL(name, rrtype string) {
	h.api.mu.Lock()
	defer h.api.mu.Unlock()
	h.api.bare[fqdn(name)+" "+rrtype] = true
}

type hetzner struct {
	zone  *Zone
	token string

	mu      sync.Mutex
	slow    time.Duration
	broken  bool
	actions []*hetznerAction
	bare    map[string]bool // by name and type
}

const hetznerZoneID = 4711

type hetznerError struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details,omitempty"`
}

type hetznerRecord struct {
	Value   string `json:"value"`
	Comment string `json:"comment,omitempty"`
}

func (a *hetzner) Kind(r *http.Request) RequestKind {
	switch {
	case r.Method != http.MethodGet:
		return Change
	case strings.HasSuffix(r.URL.Path, "/rrsets"):
		return Listing
	}
	return Other
}

func (a *hetzner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.limits(w, 3599, time.Second)
	if r.Header.Get("Authorization") != "Bearer "+a.token {
		a.Problem(w, http.StatusUnauthorized)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle()
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	parts := strings.Split(path, "/")
	zone := len(parts) > 1 && parts[0] == "zones" && (parts[1] == strings.TrimSuffix(a.zone.Name, ".") || parts[1] == strconv.Itoa(hetznerZoneID))
	switch {
	case ok && path == "actions" && r.Method == http.MethodGet:
		a.list(w, r)
	case ok && path == "zones" && r.Method == http.MethodGet:
		sendJSON(w, http.StatusOK, map[string]any{"zones": []any{a.described()}, "meta": map[string]any{"pagination": map[string]any{
			"page": 1, "per_page": hetznerPage, "previous_page": nil, "next_page": nil, "last_page": 1, "total_entries": 1,
		}}})
	case !ok || !zone:
		a.Problem(w, http.StatusNotFound)
	case len(parts) == 2 && r.Method == http.MethodGet:
		sendJSON(w, http.StatusOK, map[string]any{"zone": a.described()})
	case len(parts) == 3 && parts[2] == "rrsets" && r.Method == http.MethodGet:
		a.rrsets(w, r)
	case len(parts) == 7 && parts[2] == "rrsets" && parts[5] == "actions" && r.Method == http.MethodPost:
		a.change(w, r, parts[3], parts[4], parts[6])
	default:
		a.Problem(w, http.StatusNotFound)
	}
}

func (a *hetzner) described() map[string]any {
	return map[string]any{
		"id": hetznerZoneID, "name": strings.TrimSuffix(a.zone.Name, "."), "created": "2026-01-30T23:55:00Z", "ttl": hetznerDefaultTTL, "mode": "primary",
		"primary_nameservers": []any{}, "protection": map[string]bool{"delete": false}, "labels": map[string]string{}, "record_count": len(a.zone.Records("", "")),
		"registrar": "other", "status": "ok",
	}
}

// rrsets gives a page.
func (a *hetzner) rrsets(w http.ResponseWriter, r *http.Request) {
	all := []map[string]any{}
	seen := map[string]bool{}
	for _, record := range a.zone.Records("", "") {
		name := a.zone.Relative(record.Name)
		if name == "" {
			name = "@"
		}
		id := name + "/" + record.Type
		if seen[id] {
			continue
		}
		seen[id] = true
		var values []hetznerRecord
		for _, each := range a.zone.Records(record.Name, record.Type) {
			values = append(values, hetznerRecord{Value: each.Data})
		}
		rrset := map[string]any{
			"id": id, "name": name, "type": record.Type, "ttl": record.TTL, "labels": map[string]string{},
			"protection": map[string]bool{"change": false}, "records": values, "zone": hetznerZoneID,
		}
		if a.bare[record.Name+" "+record.Type] {
			rrset["ttl"] = nil
		}
		all = append(all, rrset)
	}
	page, size := max(1, atoiOr(r.URL.Query().Get("page"), 1)), min(hetznerMaxPage, max(1, atoiOr(r.URL.Query().Get("per_page"), hetznerPage)))
	last := max(1, (len(all)+size-1)/size)
	from := min((page-1)*size, len(all))
	meta := map[string]any{"page": page, "per_page": size, "previous_page": nil, "next_page": nil, "last_page": last, "total_entries": len(all)}
	if page < last {
		meta["next_page"] = page + 1
	}
	sendJSON(w, http.StatusOK, map[string]any{"rrsets": all[from:min(from+size, len(all))], "meta": map[string]any{"pagination": meta}})
}

func (a *hetzner) limits(w http.ResponseWriter, remaining int, reset time.Duration) {
	w.Header().Set("RateLimit-Limit", "3600")
	w.Header().Set("RateLimit-Remaining", strconv.Itoa(remaining))
	w.Header().Set("RateLimit-Reset", strconv.FormatInt(time.Now().Add(reset).Unix(), 10))
}

func (a *hetzner) refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Correlation-Id", "c0ffee5eed")
	sendJSON(w, status, map[string]any{"error": hetznerError{Code: code, Message: message}})
}

func (a *hetzner) invalid(w http.ResponseWriter, field, message string) {
	w.Header().Set("X-Correlation-Id", "c0ffee5eed")
	sendJSON(w, http.StatusUnprocessableEntity, map[string]any{"error": hetznerError{
		Code: "invalid_input", Message: fmt.Sprintf("invalid input in field '%s': %s", field, message),
		Details: map[string]any{"fields": []map[string]any{{"name": field, "messages": []string{message}}}},
	}})
}

// Problem has the codes of https://docs.hetzner.cloud/reference/cloud#errors.
func (a *hetzner) Problem(w http.ResponseWriter, status int) {
	if status == http.StatusTooManyRequests {
		a.limits(w, 0, time.Duration(atoiOr(w.Header().Get("Retry-After"), 1))*time.Second)
	}
	known, ok := map[int][2]string{
		http.StatusUnauthorized:        {"unauthorized", "the token you have provided is invalid"},
		http.StatusForbidden:           {"forbidden", "insufficient permissions for this request"},
		http.StatusNotFound:            {"not_found", "not found"},
		http.StatusConflict:            {"conflict", "the resource has changed during the request, please retry"},
		http.StatusUnprocessableEntity: {"service_error", "error within a service"},
		http.StatusTooManyRequests:     {"rate_limit_exceeded", "limit of 3600 requests per hour reached"},
		http.StatusInternalServerError: {"server_error", "error within the API backend"},
		http.StatusServiceUnavailable:  {"unavailable", "a service or product is currently not available"},
	}[status]
	if !ok {
		known = [2]string{"unknown_error", http.StatusText(status)}
	}
	a.refuse(w, status, known[0], known[1])
}

func atoiOr(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return otherwise
}
