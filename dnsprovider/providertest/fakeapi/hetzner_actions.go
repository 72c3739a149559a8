package fakeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A hetznerAction is a change on its way (https://docs.hetzner.cloud/reference/cloud#actions).
type hetznerAction struct {
	ID        int              `json:"id"`
	Command   string           `json:"command"`
	Status    string           `json:"status"`
	Progress  int              `json:"progress"`
	Started   time.Time        `json:"started"`
	Finished  *time.Time       `json:"finished"`
	Resources []map[string]any `json:"resources"`
	Error     *hetznerError    `json:"error"`

	due time.Time
	do  func()
}

// change begins an action.
func (a *hetzner) change(w http.ResponseWriter, r *http.Request, name, rrtype, command string) {
	var want struct {
		Records []hetznerRecord `json:"records"`
		TTL     *int            `json:"ttl"`
	}
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil {
		a.refuse(w, http.StatusBadRequest, "json_error", "invalid JSON input")
		return
	}
	if slices.ContainsFunc(a.actions, func(each *hetznerAction) bool { return each.Status == "running" }) {
		a.Problem(w, http.StatusConflict)
		return
	}
	if name != strings.ToLower(name) || strings.HasSuffix(name, ".") {
		a.invalid(w, "name", "must be in lower case and relative to the zone")
		return
	}
	at := a.zone.Absolute(name)
	stands := a.zone.Records(at, rrtype)
	switch command {
	case "add_records":
		if reason := a.objection(stands, at, rrtype, want.Records, want.TTL); reason != "" {
			a.invalid(w, "records", reason)
			return
		}
		a.begin(w, "add_rrset_records", func() { a.add(at, rrtype, want.Records, want.TTL) })
	case "remove_records":
		if len(stands) == 0 {
			a.Problem(w, http.StatusNotFound)
			return
		}
		a.begin(w, "remove_rrset_records", func() {
			a.zone.Remove(func(r Record) bool {
				return r.Name == at && r.Type == rrtype && slices.ContainsFunc(want.Records, func(v hetznerRecord) bool { return v.Value == r.Data })
			})
		})
	default:
		a.Problem(w, http.StatusNotFound)
	}
}

// objection says why records cannot be added, nothing if they can.
func (a *hetzner) objection(stands []Record, at, rrtype string, records []hetznerRecord, ttl *int) string {
	if len(records) == 0 {
		return "must not be empty"
	}
	if aliasInTheWay(a.zone, at, rrtype) {
		return "a CNAME cannot coexist with other records"
	}
	if ttl != nil && *ttl < hetznerMinTTL {
		return "the TTL must be in between 60s and 2147483647s"
	}
	for _, r := range stands {
		if slices.ContainsFunc(records, func(v hetznerRecord) bool { return v.Value == r.Data }) {
			return "must only contain distinct record values"
		}
		if ttl != nil && (*ttl != r.TTL || a.bare[at+" "+rrtype]) {
			return fmt.Sprintf("RRSet %s has differing record TTLs", at)
		}
	}
	for _, v := range records {
		if rrtype == "TLSA" && !tlsaData(v.Value) || rrtype == "TXT" && v.Value != quoted(v.Value) {
			return "is not a valid value of the type"
		}
	}
	return ""
}

func (a *hetzner) add(at, rrtype string, records []hetznerRecord, ttl *int) {
	seconds := hetznerDefaultTTL
	stands := a.zone.Records(at, rrtype)
	switch {
	case len(stands) > 0:
		seconds = stands[0].TTL
	case ttl != nil:
		seconds = *ttl
		delete(a.bare, at+" "+rrtype)
	default:
		a.bare[at+" "+rrtype] = true
	}
	for _, v := range records {
		a.zone.Add(at, rrtype, seconds, v.Value)
	}
}

// begin begins an action, and answers.
func (a *hetzner) begin(w http.ResponseWriter, command string, do func()) {
	now := time.Now()
	action := &hetznerAction{
		ID: len(a.actions) + 1, Command: command, Status: "running", Started: now, due: now.Add(a.slow), do: do,
		Resources: []map[string]any{{"id": hetznerZoneID, "type": "zone"}},
	}
	a.actions = append(a.actions, action)
	a.settle()
	sendJSON(w, http.StatusCreated, map[string]any{"action": action})
}

// settle carries out the actions that are due.
func (a *hetzner) settle() {
	now := time.Now()
	for _, action := range a.actions {
		if action.Status != "running" || now.Before(action.due) {
			continue
		}
		action.Status, action.Progress, action.Finished = "success", 100, &now
		if a.broken {
			action.Status, action.Error = "error", &hetznerError{Code: "action_failed", Message: "Action failed"}
			continue
		}
		action.do()
	}
}

// list gives the actions that are asked for; to ask for all is a thing of the past.
func (a *hetzner) list(w http.ResponseWriter, r *http.Request) {
	ids := r.URL.Query()["id"]
	if len(ids) == 0 {
		a.refuse(w, http.StatusGone, "deprecated_api_endpoint", "API functionality was removed")
		return
	}
	found := []*hetznerAction{}
	for _, action := range a.actions {
		if slices.Contains(ids, strconv.Itoa(action.ID)) {
			found = append(found, action)
		}
	}
	meta := map[string]any{"page": 1, "per_page": hetznerPage, "previous_page": nil, "next_page": nil, "last_page": 1, "total_entries": len(found)}
	sendJSON(w, http.StatusOK, map[string]any{"actions": found, "meta": map[string]any{"pagination": meta}})
}
