package fakeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// googleRRset is an RRset in requests and replies.
type googleRRset struct {
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	TTL     int      `json:"ttl"`
	RRDatas []string `json:"rrdatas"`
}

func (s googleRRset) key() string { return fmt.Sprintf("%s (%s)", s.Name, s.Type) }

// rrsets are the zone's records, by name and type.
func (g *GoogleCloudDNS) rrsets() (all []googleRRset) {
	for _, r := range g.Zone.Records("", "") {
		i := slices.IndexFunc(all, func(s googleRRset) bool { return s.Name == r.Name && s.Type == r.Type })
		if i < 0 {
			all = append(all, googleRRset{Kind: "dns#resourceRecordSet", Name: r.Name, Type: r.Type, TTL: r.TTL})
			i = len(all) - 1
		}
		all[i].RRDatas = append(all[i].RRDatas, r.Data)
	}
	slices.SortStableFunc(all, func(a, b googleRRset) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// createChange deletes RRsets and then adds others, all or nothing. What is deleted "must match
// existing data exactly" (https://cloud.google.com/dns/docs/reference/rest/v1/changes): else 412,
// as in https://github.com/kubernetes-sigs/external-dns/issues/467, and 404 where there is
// none. What is added must not exist: else 409, as in
// https://github.com/hashicorp/terraform-provider-google/issues/9112.
func (g *GoogleCloudDNS) createChange(w http.ResponseWriter, r *http.Request) {
	var c struct{ Additions, Deletions []googleRRset }
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || len(c.Additions)+len(c.Deletions) == 0 {
		(&googleError{http.StatusBadRequest, "The 'entity.change' parameter is required but was missing.", "required"}).answer(w)
		return
	}
	all := g.rrsets()
	find := func(s googleRRset) int {
		return slices.IndexFunc(all, func(stands googleRRset) bool { return stands.key() == s.key() })
	}
	for i, s := range c.Deletions {
		at := find(s)
		switch {
		case at < 0:
			(&googleError{http.StatusNotFound, fmt.Sprintf("The 'entity.change.deletions[%d]' resource named '%s' does not exist.", i, s.key()), "notFound"}).answer(w)
			return
		case all[at].TTL != s.TTL || !slices.Equal(all[at].RRDatas, s.RRDatas):
			(&googleError{http.StatusPreconditionFailed, fmt.Sprintf("Precondition not met for 'entity.change.deletions[%d]'", i), "conditionNotMet"}).answer(w)
			return
		}
		all = slices.Delete(all, at, at+1)
	}
	for i, s := range c.Additions {
		if e := g.refuseAddition(i, s, all, find(s) >= 0); e != nil {
			e.answer(w)
			return
		}
		all = append(all, s)
	}
	for _, s := range c.Deletions {
		g.Zone.Replace(s.Name, s.Type, 0)
	}
	for _, s := range c.Additions {
		g.Zone.Replace(s.Name, s.Type, s.TTL, s.RRDatas...)
	}
	sendJSON(w, http.StatusOK, map[string]any{"kind": "dns#change", "id": fmt.Sprint(g.change), "status": "pending", "additions": c.Additions, "deletions": c.Deletions})
}

func (g *GoogleCloudDNS) refuseAddition(i int, s googleRRset, all []googleRRset, exists bool) *googleError {
	invalid := func(field string, value any) *googleError {
		return &googleError{http.StatusBadRequest, fmt.Sprintf("Invalid value for 'entity.change.additions[%d].%s': '%v'", i, field, value), "invalid"}
	}
	switch {
	case exists:
		return &googleError{http.StatusConflict, fmt.Sprintf("The resource 'entity.change.additions[%d]' named '%s' already exists", i, s.key()), "alreadyExists"}
	case s.Name != g.Zone.Name && !strings.HasSuffix(s.Name, "."+g.Zone.Name):
		return invalid("name", s.Name)
	case s.TTL < 0 || s.TTL > 1<<31-1:
		return invalid("ttl", s.TTL)
	case len(s.RRDatas) == 0:
		return invalid("rrdata", "")
	}
	for j, data := range s.RRDatas {
		a, err := tlsa.ParseAssociation(data)
		if s.Type == "TLSA" && (err != nil || a.Data == "") || s.Type == "TXT" && !strings.HasPrefix(data, `"`) || slices.Contains(s.RRDatas[:j], data) {
			return invalid(fmt.Sprintf("rrdata[%d]", j), data)
		}
	}
	for _, other := range all {
		if other.Name == s.Name && (other.Type == "CNAME") != (s.Type == "CNAME") {
			return &googleError{
				http.StatusBadRequest,
				fmt.Sprintf("The resource record set 'entity.change.additions[%d]' is invalid because the DNS name '%s' may have either one CNAME resource record set or resource record sets of other types, but not both.", i, s.Name),
				"cnameResourceRecordSetConflict",
			}
		}
	}
	return nil
}
