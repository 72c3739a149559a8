package googleclouddns

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
)

// failure is how the API says that something went wrong
// (https://cloud.google.com/apis/design/errors, and the older list of reasons).
type failure struct {
	Error struct {
		Message string `json:"message"`
		Status  string `json:"status"`
		Errors  []struct {
			Reason string `json:"reason"`
		} `json:"errors"`
	} `json:"error"`
}

// call sends a request about a zone, and reads the result into result.
func (p *Provider) call(ctx context.Context, method, path, zone string, body, result any) *api.Trouble {
	reply, t := p.client.Do(ctx, method, p.base+path, nil, body)
	if t != nil {
		return t
	}
	if reply.Success() {
		return reply.Decode(result)
	}
	var f failure
	if t := reply.Decode(&f); t != nil && reply.Status >= 500 {
		return t
	}
	return p.refusal(reply, f, zone)
}

func (p *Provider) hints(zone string) api.Hints {
	zone = strings.TrimSuffix(zone, ".")
	of := " for the zone " + zone
	if zone == "" {
		of = ""
	}
	return api.Hints{
		Rights: "has the service account " + p.email + " the role roles/dns.admin" + of + ", and is the Cloud DNS API enabled in the project",
		Zone:   "is " + strings.TrimSpace("the zone "+zone) + " in this project, and managed-zone its name there",
	}
}

// refusal makes trouble of what the API says. What it says of a condition is about the change,
// whatever the status.
func (p *Provider) refusal(r *api.Reply, f failure, zone string) *api.Trouble {
	var reasons []string
	for _, e := range f.Error.Errors {
		reasons = append(reasons, e.Reason)
	}
	says := f.Error.Message
	if len(reasons) > 0 && !strings.Contains(says, reasons[0]) {
		says = strings.TrimRight(says, ". ") + " (" + reasons[0] + ")"
	}
	t := api.ByStatus(r, api.Words(says), p.hints(zone))
	is := func(names ...string) bool {
		return slices.ContainsFunc(reasons, func(r string) bool { return slices.Contains(names, r) })
	}
	change := strings.Contains(f.Error.Message, "entity.change")
	switch {
	case r.Status >= 500:
	case is("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"):
		// Said with 403 as well (https://cloud.google.com/dns/quotas).
		t.Kind, t.Hint, t.Then = dnsprovider.Temporary, "the project's quota of requests is used up: do other programs share it", api.Final
	case is("conditionNotMet", "alreadyExists", "cnameResourceRecordSetConflict"), change && r.Status == http.StatusNotFound, change && r.Status == http.StatusConflict:
		t.Kind, t.Hint, t.Then = dnsprovider.Conflict, "look again and plan again", api.Disputed
	}
	return t
}
