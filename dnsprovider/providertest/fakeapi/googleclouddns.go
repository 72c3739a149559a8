package fakeapi

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A GoogleCloudDNS is version 1 of Cloud DNS's API
// (https://cloud.google.com/dns/docs/reference/rest/v1), with one managed zone, and the token
// endpoint for service accounts
// (https://developers.google.com/identity/protocols/oauth2/service-account).
type GoogleCloudDNS struct {
	Zone    *Zone
	Project string
	Managed string // the name of the managed zone
	Email   string // of the service account
	// Visibility and DNSSEC are those of the zone. Default: public, on.
	Visibility, DNSSEC string
	// Others are managed zones beside it, their DNS names by their names.
	Others map[string]string
	// MaxPage is the most RRsets in a page. Default: 1000.
	MaxPage int

	mu     sync.Mutex
	tokens []string
	asked  int
	change int
}

// googleKey is the service account's key, made when it is first wanted.
var googleKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// NewGoogleCloudDNS makes the API of a project with one zone.
func NewGoogleCloudDNS(zone *Zone) *GoogleCloudDNS {
	return &GoogleCloudDNS{
		Zone: zone, Project: "mail-123456", Managed: "the-zone", Email: "tlsaroll@mail-123456.iam.gserviceaccount.com",
		Visibility: "public", DNSSEC: "on", MaxPage: 1000,
	}
}

// Credentials is the file of the service account's key, for a server at this URL.
func (g *GoogleCloudDNS) Credentials(url string) string {
	der, err := x509.MarshalPKCS8PrivateKey(googleKey())
	if err != nil {
		panic(err)
	}
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": g.Project, "private_key_id": "0123456789abcdef", "client_email": g.Email,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": url + "/token",
	})
	if err != nil {
		panic(err)
	}
	return string(file)
}

// ExpireTokens makes the tokens end that were given.
func (g *GoogleCloudDNS) ExpireTokens() { g.mu.Lock(); defer g.mu.Unlock(); g.tokens = nil }

// Tokens is how many tokens were asked for, and Changes how many changes.
func (g *GoogleCloudDNS) Tokens() int { g.mu.Lock(); defer g.mu.Unlock(); return g.asked }

// Changes is how many changes were asked for.
func (g *GoogleCloudDNS) Changes() int { g.mu.Lock(); defer g.mu.Unlock(); return g.change }

// Kind tells what a request is for.
func (g *GoogleCloudDNS) Kind(r *http.Request) RequestKind {
	switch {
	case strings.HasSuffix(r.URL.Path, "/changes"):
		return Change
	case strings.HasSuffix(r.URL.Path, "/rrsets"):
		return Listing
	}
	return Other
}

// googleError is the error in a reply.
type googleError struct {
	status          int
	message, reason string
}

// Problem answers as the API does to what went wrong.
func (g *GoogleCloudDNS) Problem(w http.ResponseWriter, status int) {
	e := &googleError{status, "Backend Error", "backendError"}
	switch status {
	case http.StatusUnauthorized:
		e.message, e.reason = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", "authError"
	case http.StatusForbidden:
		e.message, e.reason = "Forbidden", "forbidden"
	case http.StatusNotFound:
		e.message, e.reason = "The 'parameters.managedZone' resource named '"+g.Managed+"' does not exist.", "notFound"
	case http.StatusConflict:
		e.message, e.reason = "Conflict", "conflict"
	case http.StatusUnprocessableEntity:
		e.message, e.reason = "Invalid value", "invalid"
	case http.StatusTooManyRequests:
		e.message, e.reason = "Quota exceeded for quota group 'default' and limit 'Queries per minute'", "rateLimitExceeded"
	}
	e.answer(w)
}

func (e *googleError) answer(w http.ResponseWriter) {
	sendJSON(w, e.status, map[string]any{"error": map[string]any{
		"code": e.status, "message": e.message, "errors": []any{map[string]string{"message": e.message, "domain": "global", "reason": e.reason}},
	}})
}

func (g *GoogleCloudDNS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Method == http.MethodPost && r.URL.Path == "/token" {
		g.token(w, r)
		return
	}
	if token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !slices.Contains(g.tokens, token) {
		g.Problem(w, http.StatusUnauthorized)
		return
	}
	zones := "/dns/v1/projects/" + g.Project + "/managedZones"
	switch r.Method + " " + r.URL.Path {
	case "GET " + zones:
		g.listZones(w)
	case "GET " + zones + "/" + g.Managed:
		sendJSON(w, http.StatusOK, g.managedZone(g.Managed, g.Zone.Name))
	case "GET " + zones + "/" + g.Managed + "/rrsets":
		g.listRRsets(w, r)
	case "POST " + zones + "/" + g.Managed + "/changes":
		g.change++
		g.createChange(w, r)
	default:
		g.Problem(w, http.StatusNotFound)
	}
}

// token gives an access token for a JWT that the service account has signed, and that is of now.
func (g *GoogleCloudDNS) token(w http.ResponseWriter, r *http.Request) {
	g.asked++
	refuse := func(why string) {
		sendJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": why})
	}
	if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		sendJSON(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type", "error_description": "Invalid grant_type: " + r.FormValue("grant_type")})
		return
	}
	parts := strings.Split(r.FormValue("assertion"), ".")
	if len(parts) != 3 {
		refuse("Bad Request")
		return
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Scope    string `json:"scope"`
		Audience string `json:"aud"`
		Issued   int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	signature, err2 := base64.RawURLEncoding.DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	now := time.Now().Unix()
	switch {
	case err != nil || err2 != nil || json.Unmarshal(body, &claims) != nil:
		refuse("Bad Request")
	case rsa.VerifyPKCS1v15(&googleKey().PublicKey, crypto.SHA256, digest[:], signature) != nil:
		refuse("Invalid JWT Signature.")
	case claims.Issuer != g.Email:
		refuse("Invalid grant: account not found")
	case claims.Issued > now+300 || claims.Expires < now || claims.Expires-claims.Issued > 3600:
		refuse("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.")
	case !strings.HasSuffix(claims.Audience, "/token") || !strings.Contains(claims.Scope, "clouddns.readwrite"):
		refuse("Invalid JWT: Failed audience check.")
	default:
		token := fmt.Sprintf("ya29.c.%d", g.asked)
		g.tokens = append(g.tokens, token)
		sendJSON(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
	}
}

func (g *GoogleCloudDNS) managedZone(name, dnsName string) map[string]any {
	return map[string]any{
		"kind": "dns#managedZone", "name": name, "id": "1234567890", "dnsName": dnsName, "visibility": g.Visibility,
		"dnssecConfig": map[string]string{"kind": "dns#managedZoneDnsSecConfig", "state": g.DNSSEC},
	}
}

func (g *GoogleCloudDNS) listZones(w http.ResponseWriter) {
	zones := []any{g.managedZone(g.Managed, g.Zone.Name)}
	for name, dnsName := range g.Others {
		zones = append(zones, g.managedZone(name, dnsName))
	}
	sendJSON(w, http.StatusOK, map[string]any{"kind": "dns#managedZonesListResponse", "managedZones": zones})
}

// listRRsets has a page of the RRsets, the SOA and NS of the zone among them.
func (g *GoogleCloudDNS) listRRsets(w http.ResponseWriter, r *http.Request) {
	all := g.rrsets()
	from, _ := strconv.Atoi(r.URL.Query().Get("pageToken"))
	from = min(from, len(all))
	to := min(from+g.MaxPage, len(all))
	body := map[string]any{"kind": "dns#resourceRecordSetsListResponse", "rrsets": all[from:to]}
	if to < len(all) {
		body["nextPageToken"] = strconv.Itoa(to)
	}
	sendJSON(w, http.StatusOK, body)
}
