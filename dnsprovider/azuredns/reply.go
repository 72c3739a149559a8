package azuredns

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
)

// failure is how the resource manager says that something went wrong
// (https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/common-deployment-errors).
type failure struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// call sends a request about a zone, and reads the result into result, unless that is nil.
func (p *Provider) call(ctx context.Context, method, where string, condition http.Header, zone string, body, result any) *api.Trouble {
	reply, t := p.rest.Do(ctx, method, where, condition, body)
	if t != nil {
		return t
	}
	if reply.Success() {
		if result == nil {
			return nil
		}
		return reply.Decode(result)
	}
	var f failure
	if t := reply.Decode(&f); t != nil && reply.Status >= 500 {
		return t
	}
	return p.refusal(reply, f, zone)
}

// url is the address of a path below the zones.
func (p *Provider) url(path string) string {
	return p.base + p.zones + path + "?" + url.Values{"api-version": {p.version}}.Encode()
}

func (p *Provider) hints(zone string) api.Hints {
	of := "the resource group " + p.resourceGroup
	if zone != "" {
		of = "the zone " + strings.TrimSuffix(zone, ".")
	}
	return api.Hints{
		Rights: "has the application " + p.client + " the role DNS Zone Contributor on " + of,
		Zone:   "is " + of + " in this subscription and resource group",
	}
}

// refusal makes trouble of what the API says.
func (p *Provider) refusal(r *api.Reply, f failure, zone string) *api.Trouble {
	message, _, _ := strings.Cut(f.Error.Message, "\n")
	says := api.Words(strings.TrimPrefix(f.Error.Code+": "+message, ": "))
	t := api.ByStatus(r, strings.TrimSuffix(says, ":"), p.hints(zone))
	switch f.Error.Code {
	case "ScopeLocked":
		t.Kind, t.Hint = dnsprovider.Refused, "a lock forbids changes: az lock list shows it"
	case "NoRegisteredProviderFound", "InvalidApiVersionParameter", "InvalidResourceType":
		t.Kind, t.Then = dnsprovider.Unsupported, api.Final
		t.Hint = "the version of the API is gone: set api-version to a newer one that has TLSA record sets"
	}
	return t
}
