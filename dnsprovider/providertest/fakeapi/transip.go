package fakeapi

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// TransIPHost is where TransIP's API is.
const TransIPHost = "api.transip.nl"

// A TransIP is TransIP's API, version 6 (https://api.transip.nl/rest/docs.html), with one
// domain. Its tokens are asked for with a request that the account's private key signs, and
// each says in itself how long it lasts and what it is for. An entry is removed by naming all
// of it, with its expire. What the documentation does not say is from
// clients that run against the host:
//   - all entries of an RRset have one expire (https://github.com/hsmade/certbot-dns-transip/issues/6),
//   - an entry that stands there is refused (https://github.com/pbergman/provider/blob/main/test/provider.go),
//   - blanks at the ends of a content are (https://github.com/StackExchange/dnscontrol/pull/4832),
//   - what is not in order has the status 406 (https://github.com/transip/transip-api-php/issues/14).
//
// To replace all entries of the domain at once is refused here: nobody should.
type TransIP struct {
	*Server
	zone  *Zone
	login string
	key   *rsa.PublicKey

	mu     sync.Mutex
	tokens map[string]transipClaims
	nonces map[string]bool
	labels map[string]bool
}

// NewTransIP makes one whose account has the login and the key.
func NewTransIP(zone *Zone, login string, key *rsa.PublicKey) *TransIP {
	a := &TransIP{zone: zone, login: login, key: key, tokens: map[string]transipClaims{}, nonces: map[string]bool{}, labels: map[string]bool{}}
	a.Server = NewServer(zone, (*transip)(a))
	return a
}

// Revoke makes an end of all tokens, as the account's owner can, and returns how many there were.
func (a *TransIP) Revoke() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.tokens)
	clear(a.tokens)
	return n
}

// Tokens are those that were issued and not revoked.
func (a *TransIP) Tokens() (all []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for token := range a.tokens {
		all = append(all, token)
	}
	return all
}

// transip keeps the methods of the API apart from those of the server.
type transip TransIP

// transipClaims are what a token says (https://api.transip.nl/rest/docs.html#header-authentication).
type transipClaims struct {
	Issuer    string `json:"iss"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	ReadOnly  bool   `json:"ro"`
	GlobalKey bool   `json:"gk"`
}

type transipEntry struct {
	Name    string `json:"name"`
	Expire  int    `json:"expire"`
	Type    string `json:"type"`
	Content string `json:"content"`
}

func (a *transip) Kind(r *http.Request) RequestKind {
	switch {
	case !strings.HasSuffix(r.URL.Path, "/dns"):
		return Other
	case r.Method == http.MethodGet:
		return Listing
	}
	return Change
}

// transipLimit is how many requests there can be in a quarter of an hour
// (https://api.transip.nl/rest/docs.html#header-rate-limit).
const transipLimit = 1000

func (a *transip) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.limits(w, transipLimit-1)
	path, ok := strings.CutPrefix(r.URL.Path, "/v6/")
	switch {
	case !ok:
		a.Problem(w, http.StatusNotFound)
	case path == "auth" && r.Method == http.MethodPost:
		a.authenticate(w, r)
	default:
		a.mu.Lock()
		token, known := a.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		a.mu.Unlock()
		switch {
		case !known || token.Expires <= time.Now().Unix():
			a.refuse(w, http.StatusUnauthorized, "Your access token has been revoked.")
		case path == "domains" && r.Method == http.MethodGet:
			sendJSON(w, http.StatusOK, map[string]any{"domains": []map[string]any{{"name": strings.TrimSuffix(a.zone.Name, ".")}}})
		case path != "domains/"+strings.TrimSuffix(a.zone.Name, ".")+"/dns":
			a.Problem(w, http.StatusNotFound)
		case token.ReadOnly && r.Method != http.MethodGet:
			a.refuse(w, http.StatusForbidden, "This access token is read only.")
		default:
			a.entries(w, r)
		}
	}
}

// authenticate issues a token.
func (a *transip) authenticate(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	digest := sha512.Sum512(body)
	signature, err := base64.StdEncoding.DecodeString(r.Header.Get("Signature"))
	if err != nil || rsa.VerifyPKCS1v15(a.key, crypto.SHA512, digest[:], signature) != nil {
		a.refuse(w, http.StatusUnauthorized, "The signature of the request does not match.")
		return
	}
	var want struct {
		Login      string `json:"login"`
		Nonce      string `json:"nonce"`
		Label      string `json:"label"`
		ReadOnly   bool   `json:"read_only"`
		Expiration string `json:"expiration_time"`
		GlobalKey  bool   `json:"global_key"`
	}
	if err := json.Unmarshal(body, &want); err != nil {
		a.Problem(w, http.StatusBadRequest)
		return
	}
	lasts, ok := map[string]time.Duration{"": time.Hour, "1 hour": time.Hour, "30 minutes": 30 * time.Minute, "1 day": 24 * time.Hour}[want.Expiration]
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case want.Login != a.login:
		a.refuse(w, http.StatusUnauthorized, "There is no such account.")
	case !ok || want.Nonce == "" || a.nonces[want.Nonce]:
		a.refuse(w, http.StatusNotAcceptable, "The nonce or the expiration_time is not valid.")
	case a.labels[want.Label]:
		// https://github.com/aequitas/terraform-provider-transip/issues/44
		a.refuse(w, http.StatusConflict, fmt.Sprintf("The label '%s' is already used in another active access token.", want.Label))
	default:
		a.nonces[want.Nonce], a.labels[want.Label] = true, want.Label != ""
		now := time.Now()
		claims := transipClaims{"api.transip.nl", now.Unix(), now.Unix(), now.Add(lasts).Unix(), want.ReadOnly, want.GlobalKey}
		part := func(v any) string {
			text, _ := json.Marshal(v)
			return base64.RawURLEncoding.EncodeToString(text)
		}
		token := part(map[string]string{"typ": "JWT", "alg": "RS512", "jti": want.Nonce}) + "." + part(claims) + "." + part(len(a.nonces))
		a.tokens[token] = claims
		sendJSON(w, http.StatusCreated, map[string]string{"token": token})
	}
}

// entries reads, adds and removes. All is done under a lock: the host does one change at a time.
func (a *transip) entries(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Method == http.MethodGet {
		all := []transipEntry{}
		for _, r := range a.zone.Records("", "") {
			if r.Type != "SOA" && (r.Type != "NS" || r.Name != a.zone.Name) { // the domain's own servers are elsewhere in the API
				all = append(all, a.entry(r))
			}
		}
		sendJSON(w, http.StatusOK, map[string]any{"dnsEntries": all, "_links": []any{}})
		return
	}
	var body struct {
		Entry *transipEntry `json:"dnsEntry"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Entry == nil {
		a.refuse(w, http.StatusNotAcceptable, "Please supply the 'dnsEntry' parameter")
		return
	}
	switch e := *body.Entry; r.Method {
	case http.MethodPost:
		if reason := a.objection(e); reason != "" {
			a.refuse(w, http.StatusNotAcceptable, fmt.Sprintf("%s: %s %d %s %s", reason, e.Name, e.Expire, e.Type, e.Content))
			return
		}
		a.zone.Add(a.zone.Absolute(e.Name), e.Type, e.Expire, e.Content)
		sendJSON(w, http.StatusCreated, []any{})
	case http.MethodDelete:
		if a.zone.Remove(func(r Record) bool { return a.entry(r) == e }) == 0 {
			a.refuse(w, http.StatusNotFound, "The dns entry was not found.")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNoContent)
	default:
		a.Problem(w, http.StatusNotImplemented)
	}
}

// objection says why an entry cannot be added, nothing if it can.
func (a *transip) objection(e transipEntry) string {
	name := a.zone.Absolute(e.Name)
	for _, r := range a.zone.Records(name, e.Type) {
		switch {
		case r.Data == e.Content:
			return "the record is there already"
		case r.TTL != e.Expire:
			return "the expire of all records in an rrset must be all the same"
		}
	}
	switch {
	case e.Expire < 1 || e.Expire > 86400:
		return "the expire is not valid"
	case e.Content != strings.TrimSpace(e.Content):
		return "whitespace at the end or start of the content of a record is not allowed"
	case e.Content == "" || e.Type == "TLSA" && !tlsaData(e.Content):
		return "the content is not valid"
	case aliasInTheWay(a.zone, name, e.Type):
		return "a CNAME cannot stand beside other records"
	}
	return ""
}

func (a *transip) entry(r Record) transipEntry {
	e := transipEntry{a.zone.Relative(r.Name), r.TTL, r.Type, r.Data}
	if e.Name == "" {
		e.Name = "@"
	}
	if e.Type == "TXT" {
		e.Content = strings.Trim(r.Data, `"`) // a value in quotes is one that has quotes: https://github.com/StackExchange/dnscontrol/issues/2702
	}
	return e
}

func (a *transip) limits(w http.ResponseWriter, remaining int) {
	w.Header().Set("X-Rate-Limit-Limit", strconv.Itoa(transipLimit))
	w.Header().Set("X-Rate-Limit-Remaining", strconv.Itoa(remaining))
	w.Header().Set("X-Rate-Limit-Reset", strconv.FormatInt(time.Now().Add(15*time.Minute).Unix(), 10))
}

func (a *transip) refuse(w http.ResponseWriter, status int, message string) {
	sendJSON(w, status, map[string]string{"error": message})
}

// Problem has the one form that errors have.
func (a *transip) Problem(w http.ResponseWriter, status int) {
	if status == http.StatusTooManyRequests {
		a.limits(w, 0)
	}
	a.refuse(w, status, http.StatusText(status))
}
