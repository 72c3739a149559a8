package fakeapi

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// An AzureDNS is Azure DNS in version 2023-07-01-preview of its API, as
// https://github.com/Azure/azure-rest-api-specs has it (specification/dns), with one zone, and
// the token endpoint for applications
// (https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
type AzureDNS struct {
	Zone                        *Zone
	Subscription, ResourceGroup string
	Tenant, Client, Secret      string
	// Others are other zones of the resource group.
	Others []string
	// MaxPage is the most record sets in a page. Default: the API's, 100.
	MaxPage int
	// Elsewhere makes pages follow at another server.
	Elsewhere bool

	mu       sync.Mutex
	tokens   []string
	asked    int
	writes   int
	metadata map[string]map[string]string
}

const azureVersion = "2023-07-01-preview"

// NewAzureDNS makes the API of a subscription with one zone.
func NewAzureDNS(zone *Zone) *AzureDNS {
	return &AzureDNS{
		Zone: zone, Subscription: "00000000-1111-2222-3333-444444444444", ResourceGroup: "mail-rg",
		Tenant: "aaaaaaaa-1111-2222-3333-444444444444", Client: "bbbbbbbb-1111-2222-3333-444444444444", Secret: "8Q~azure-secret-of-the-client",
		MaxPage: 100, metadata: map[string]map[string]string{},
	}
}

// ExpireTokens makes the tokens end that were given.
func (a *AzureDNS) ExpireTokens() { a.mu.Lock(); defer a.mu.Unlock(); a.tokens = nil }

// Writes is how many record sets were to be written or deleted.
func (a *AzureDNS) Writes() int { a.mu.Lock(); defer a.mu.Unlock(); return a.writes }

// SetMetadata puts metadata on a record set, and Metadata reads them.
func (a *AzureDNS) SetMetadata(name, rrtype string, m map[string]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.metadata[fqdn(name)+rrtype] = m
}

// Metadata are those of a record set.
func (a *AzureDNS) Metadata(name, rrtype string) map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.metadata[fqdn(name)+rrtype]
}

// Kind tells what a request is for.
func (a *AzureDNS) Kind(r *http.Request) RequestKind {
	switch {
	case r.Method == http.MethodPut, r.Method == http.MethodDelete:
		return Change
	case strings.HasSuffix(r.URL.Path, "/recordsets"):
		return Listing
	}
	return Other
}

// Problem answers as the resource manager does to what went wrong
// (https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/common-deployment-errors).
func (a *AzureDNS) Problem(w http.ResponseWriter, status int) {
	code, message := "InternalServerError", "The server encountered an internal error."
	switch status {
	case http.StatusUnauthorized:
		code, message = "InvalidAuthenticationToken", "The access token is invalid."
	case http.StatusForbidden:
		code, message = "AuthorizationFailed", "The client '"+a.Client+"' with object id 'x' does not have authorization to perform action 'Microsoft.Network/dnsZones/TLSA/write' over scope '/subscriptions/x' or the scope is invalid."
	case http.StatusNotFound:
		code, message = "ParentResourceNotFound", "Can not perform requested operation on nested resource. Parent resource '"+a.Zone.Name+"' not found."
	case http.StatusConflict:
		code, message = "Conflict", "The request failed due to conflict with a concurrent request."
	case http.StatusPreconditionFailed:
		code, message = "PreconditionFailed", "The condition in the If-Match or If-None-Match header was not satisfied."
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		code, message = "BadRequest", "The request is not valid."
	case http.StatusTooManyRequests:
		code, message = "TooManyRequests", "The request is being throttled."
	}
	sendJSON(w, status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}

func (a *AzureDNS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.URL.Path == "/"+a.Tenant+"/oauth2/v2.0/token" {
		a.token(w, r)
		return
	}
	if token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !slices.Contains(a.tokens, token) {
		a.Problem(w, http.StatusUnauthorized)
		return
	}
	if v := r.URL.Query().Get("api-version"); v != azureVersion {
		sendJSON(w, http.StatusBadRequest, map[string]any{"error": map[string]string{
			"code": "NoRegisteredProviderFound", "message": "No registered resource provider found for location 'global' and API version '" + v + "' for type 'dnsZones'.",
		}})
		return
	}
	zones := "/subscriptions/" + a.Subscription + "/resourceGroups/" + a.ResourceGroup + "/providers/Microsoft.Network/dnsZones"
	rest, ok := strings.CutPrefix(r.URL.Path, zones)
	bare := strings.TrimSuffix(a.Zone.Name, ".")
	rest, inZone := strings.CutPrefix(rest, "/"+bare+"/")
	switch {
	case !ok:
		a.Problem(w, http.StatusNotFound)
	case r.Method == http.MethodGet && rest == "":
		var value []any
		for _, name := range append([]string{bare}, a.Others...) {
			value = append(value, map[string]any{"name": name, "type": "Microsoft.Network/dnszones", "location": "global", "etag": "x"})
		}
		sendJSON(w, http.StatusOK, map[string]any{"value": value})
	case r.Method == http.MethodGet && inZone && rest == "recordsets":
		a.list(w, r)
	case inZone && (r.Method == http.MethodPut || r.Method == http.MethodDelete):
		a.writes++
		rrtype, relative, _ := strings.Cut(rest, "/")
		a.write(w, r, rrtype, a.Zone.Absolute(relative))
	default:
		a.Problem(w, http.StatusNotFound)
	}
}

// token gives an access token for the secret.
func (a *AzureDNS) token(w http.ResponseWriter, r *http.Request) {
	a.asked++
	if r.FormValue("grant_type") != "client_credentials" || r.FormValue("client_id") != a.Client || r.FormValue("client_secret") != a.Secret ||
		!strings.HasSuffix(r.FormValue("scope"), "/.default") {
		sendJSON(w, http.StatusUnauthorized, map[string]any{
			"error":             "invalid_client",
			"error_description": "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value. Trace ID: x",
		})
		return
	}
	token := fmt.Sprintf("eyJ0.azure.%d", a.asked)
	a.tokens = append(a.tokens, token)
	sendJSON(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token})
}

// azureSet is a record set in requests and replies.
type azureSet struct {
	Name       string          `json:"name,omitempty"`
	Type       string          `json:"type,omitempty"`
	ETag       string          `json:"etag,omitempty"`
	Properties azureProperties `json:"properties"`
}

type azureProperties struct {
	TTL      int64             `json:"TTL"`
	FQDN     string            `json:"fqdn,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	TLSA     []azureTLSA       `json:"TLSARecords,omitempty"`
	TXT      []azureTXT        `json:"TXTRecords,omitempty"`
	CNAME    map[string]string `json:"CNAMERecord,omitempty"`
}

type azureTLSA struct {
	Usage    *int   `json:"usage"`
	Selector *int   `json:"selector"`
	Matching *int   `json:"matchingType"`
	Data     string `json:"certAssociationData"`
}

type azureTXT struct {
	Value []string `json:"value"`
}

// sets are the zone's record sets.
func (a *AzureDNS) sets() (all []azureSet) {
	var keys []string
	grouped := map[string][]Record{}
	for _, r := range a.Zone.Records("", "") {
		key := r.Name + r.Type
		if grouped[key] == nil {
			keys = append(keys, key)
		}
		grouped[key] = append(grouped[key], r)
	}
	for _, key := range keys {
		all = append(all, a.set(grouped[key]))
	}
	return all
}

// set makes a record set; its ETag is another after every change.
func (a *AzureDNS) set(rs []Record) azureSet {
	relative := a.Zone.Relative(rs[0].Name)
	if relative == "" {
		relative = "@"
	}
	s := azureSet{Name: relative, Type: "Microsoft.Network/dnszones/" + rs[0].Type, ETag: fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprint(rs))))[:36]}
	s.Properties = azureProperties{TTL: int64(rs[0].TTL), FQDN: rs[0].Name, Metadata: a.metadata[rs[0].Name+rs[0].Type]}
	for _, r := range rs {
		switch r.Type {
		case "TLSA":
			x, err := tlsa.ParseAssociation(r.Data)
			if err != nil {
				continue
			}
			usage, selector, matching := int(x.Usage), int(x.Selector), int(x.Matching)
			f := strings.Fields(r.Data)
			s.Properties.TLSA = append(s.Properties.TLSA, azureTLSA{&usage, &selector, &matching, strings.Join(f[3:], "")})
		case "TXT":
			s.Properties.TXT = append(s.Properties.TXT, azureTXT{[]string{strings.Trim(r.Data, `"`)}})
		case "CNAME":
			s.Properties.CNAME = map[string]string{"cname": strings.TrimSuffix(r.Data, ".")}
		}
	}
	return s
}

// list has a page of the record sets, and where the next is.
func (a *AzureDNS) list(w http.ResponseWriter, r *http.Request) {
	all := a.sets()
	from, _ := strconv.Atoi(r.URL.Query().Get("$skipToken"))
	from = min(from, len(all))
	to := min(from+a.MaxPage, len(all))
	body := map[string]any{"value": all[from:to]}
	if to < len(all) {
		next := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: url.Values{"api-version": {azureVersion}, "$skipToken": {strconv.Itoa(to)}}.Encode()}
		if a.Elsewhere {
			next.Host = "elsewhere.example"
		}
		body["nextLink"] = next.String()
	}
	sendJSON(w, http.StatusOK, body)
}

// write replaces or deletes a record set, if the conditions are met.
func (a *AzureDNS) write(w http.ResponseWriter, r *http.Request, rrtype, name string) {
	stands := a.Zone.Records(name, rrtype)
	tag := ""
	if len(stands) > 0 {
		tag = a.set(stands).ETag
	}
	wanted, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match") == "*"
	switch {
	case wanted != "" && wanted != tag, none && tag != "":
		a.Problem(w, http.StatusPreconditionFailed)
		return
	case r.Method == http.MethodDelete:
		a.Zone.Replace(name, rrtype, 0)
		delete(a.metadata, name+rrtype)
		w.WriteHeader(map[bool]int{true: http.StatusNoContent, false: http.StatusOK}[tag == ""])
		return
	}
	var s azureSet
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil || s.Properties.TTL < 1 || s.Properties.TTL > 1<<31-1 || aliasInTheWay(a.Zone, name, rrtype) {
		a.Problem(w, http.StatusBadRequest)
		return
	}
	var data []string
	for _, t := range s.Properties.TLSA {
		if t.Usage == nil || t.Selector == nil || t.Matching == nil || t.Data == "" || !tlsaData(fmt.Sprintf("%d %d %d %s", *t.Usage, *t.Selector, *t.Matching, t.Data)) {
			a.Problem(w, http.StatusBadRequest)
			return
		}
		data = append(data, fmt.Sprintf("%d %d %d %s", *t.Usage, *t.Selector, *t.Matching, t.Data))
	}
	for _, t := range s.Properties.TXT {
		data = append(data, quoted(strings.Join(t.Value, "")))
	}
	a.Zone.Replace(name, rrtype, int(s.Properties.TTL), data...)
	a.metadata[name+rrtype] = s.Properties.Metadata
	sendJSON(w, map[bool]int{true: http.StatusCreated, false: http.StatusOK}[tag == ""], a.set(a.Zone.Records(name, rrtype)))
}
