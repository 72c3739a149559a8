package fakeapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// InfomaniakHost is where Infomaniak's API is.
const InfomaniakHost = "api.infomaniak.com"

// infomaniakMinTTL is the lowest TTL that this server takes. The documentation names none;
// no client that was read sends a lower one.
const infomaniakMinTTL = 60

// NewInfomaniak makes Infomaniak's API, version 2 (https://developer.infomaniak.com/docs/api),
// with one zone and one token (https://www.infomaniak.com/en/support/faq/2582). What is
// not written there is from clients that run against the host:
// https://github.com/Infomaniak/terraform-provider-infomaniak and https://github.com/libdns/infomaniak.
//
// The source of a record at the zone itself is ".", names in data have no dot at their end, a TXT
// value comes back in quotes, and
// TLSA data in upper case with blanks in between: a client that was tried at the host compares
// without either (https://github.com/stalwartlabs/dns-update/pull/63). Nothing is
// known about a record that is written twice; here it stands twice then.
func NewInfomaniak(zone *Zone, token string) *Server {
	return NewServer(zone, &infomaniak{zone, token})
}

type infomaniak struct {
	zone  *Zone
	token string
}

type infomaniakRecord struct {
	ID          int            `json:"id,omitempty"`
	Source      string         `json:"source"`
	Type        string         `json:"type"`
	TTL         int            `json:"ttl"`
	Target      string         `json:"target"`
	UpdatedAt   int            `json:"updated_at,omitempty"`
	Description map[string]any `json:"description,omitempty"`
}

func (a *infomaniak) fqdn() string { return strings.TrimSuffix(a.zone.Name, ".") }

func (a *infomaniak) Kind(r *http.Request) RequestKind {
	switch {
	case r.Method != http.MethodGet:
		return Change
	case strings.HasSuffix(r.URL.Path, "/records"):
		return Listing
	}
	return Other
}

func (a *infomaniak) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+a.token {
		a.Problem(w, http.StatusUnauthorized)
		return
	}
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(path) == 4 && path[0] == "2" && path[1] == "domains" && path[3] == "zones" && r.Method == http.MethodGet:
		a.zones(w, path[2])
	case len(path) < 4 || path[0] != "2" || path[1] != "zones" || path[3] != "records":
		// https://github.com/acmesh-official/acme.sh/issues/3188
		a.refuse(w, http.StatusNotFound, "method_not_found", "Method not found")
	case path[2] != a.fqdn():
		a.Problem(w, http.StatusNotFound)
	case len(path) == 4 && r.Method == http.MethodGet:
		a.list(w)
	case len(path) == 4 && r.Method == http.MethodPost:
		a.create(w, r)
	case len(path) == 5 && r.Method == http.MethodDelete:
		if a.zone.Remove(func(r Record) bool { return r.ID == path[4] }) == 0 {
			a.Problem(w, http.StatusNotFound)
			return
		}
		a.succeed(w, true)
	default:
		a.refuse(w, http.StatusMethodNotAllowed, "method_not_allowed", "Method not allowed")
	}
}

// zones gives the zone of any name in it.
func (a *infomaniak) zones(w http.ResponseWriter, domain string) {
	if domain != a.fqdn() && !strings.HasSuffix(domain, "."+a.fqdn()) {
		a.Problem(w, http.StatusNotFound)
		return
	}
	a.succeed(w, []map[string]any{{"id": 1, "fqdn": a.fqdn(), "dnssec": map[string]bool{"is_enabled": true}}})
}

func (a *infomaniak) list(w http.ResponseWriter) {
	all := []infomaniakRecord{}
	for _, r := range a.zone.Records("", "") {
		if r.Type != "SOA" {
			all = append(all, a.record(r))
		}
	}
	a.succeed(w, all)
}

func (a *infomaniak) record(r Record) infomaniakRecord {
	id, _ := strconv.Atoi(r.ID)
	out := infomaniakRecord{ID: id, Source: a.zone.Relative(r.Name), Type: r.Type, TTL: r.TTL, Target: r.Data, UpdatedAt: 1659958248}
	if out.Source == "" {
		out.Source = "."
	}
	fields := strings.Fields(r.Data)
	switch r.Type {
	case "TXT":
		out.Target = quoted(r.Data)
	case "TLSA":
		data := strings.ToUpper(strings.Join(fields[3:], ""))
		out.Target = strings.Join(fields[:3], " ")
		for block := range slices.Chunk([]byte(data), 56) {
			out.Target += " " + string(block)
		}
	case "CNAME", "NS":
		out.Target = strings.TrimSuffix(r.Data, ".")
	case "MX":
		out.Target = strings.TrimSuffix(r.Data, ".")
		priority, _ := strconv.Atoi(fields[0])
		out.Description = map[string]any{"priority": map[string]int{"value": priority}}
	}
	return out
}

func (a *infomaniak) create(w http.ResponseWriter, r *http.Request) {
	var want infomaniakRecord
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil {
		a.Problem(w, http.StatusBadRequest)
		return
	}
	name := a.zone.Absolute(strings.TrimSuffix(want.Source, "."))
	switch {
	case want.TTL < infomaniakMinTTL:
		a.invalid(w, "ttl", "The ttl must be at least 60.")
	case want.Target == "" || want.Type == "":
		a.invalid(w, "target", "The target field is required.")
	case want.Type == "TLSA" && !tlsaData(want.Target):
		a.invalid(w, "target", "The target is not valid for this type.")
	case aliasInTheWay(a.zone, name, want.Type):
		a.invalid(w, "source", "A CNAME cannot coexist with another record.")
	default:
		if want.Type == "TXT" {
			want.Target = quoted(want.Target)
		}
		a.succeed(w, a.record(a.zone.Add(name, want.Type, want.TTL, want.Target)))
	}
}

func (a *infomaniak) succeed(w http.ResponseWriter, data any) {
	sendJSON(w, http.StatusOK, map[string]any{"result": "success", "data": data})
}

func (a *infomaniak) refuse(w http.ResponseWriter, status int, code, description string) {
	sendJSON(w, status, map[string]any{"result": "error", "error": map[string]any{"code": code, "description": description}})
}

func (a *infomaniak) invalid(w http.ResponseWriter, attribute, description string) {
	sendJSON(w, http.StatusUnprocessableEntity, map[string]any{"result": "error", "error": map[string]any{
		"code": "validation_failed", "description": "Validation failed",
		"errors": []map[string]any{{"code": "validation_rule_" + attribute, "description": description, "context": map[string]string{"attribute": attribute}}},
	}})
}

// Problem has the form that the documentation gives to every error.
func (a *infomaniak) Problem(w http.ResponseWriter, status int) {
	if status == http.StatusUnprocessableEntity {
		a.invalid(w, "target", "The target is not valid for this type.")
		return
	}
	code, ok := map[int]string{
		http.StatusUnauthorized: "not_authorized", http.StatusForbidden: "forbidden",
		http.StatusNotFound: "object_not_found", http.StatusTooManyRequests: "too_many_requests",
	}[status]
	if !ok {
		code = "error"
	}
	a.refuse(w, status, code, http.StatusText(status))
}
