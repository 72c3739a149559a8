package fakeapi

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// INWXAccount is how a user of INWX proves who it is.
type INWXAccount struct {
	User, Password string
	// SharedSecret is that of the codes of the second factor ("Mobile TAN"), in base 32; empty
	// for a user without.
	SharedSecret string
}

// INWXMinTTL is the lowest TTL that INWX takes
// (https://kb.inwx.com/en-us/3-nameserver/120-can-i-change-the-ttl).
const INWXMinTTL = 300

// NewINWX makes INWX's API (https://www.inwx.de/en/help/apidoc, in JSON at /jsonrpc/) with one
// zone. Every answer has the status 200; a code within says what became of the command, as in
// EPP (RFC 5730, section 3). A session is a cookie. A code of the second factor counts once
// (https://github.com/go-acme/lego/pull/2084).
func NewINWX(zone *Zone, account INWXAccount) *Server {
	return NewServer(zone, &inwx{zone: zone, account: account, sessions: map[string]bool{}, used: map[string]bool{}})
}

type inwx struct {
	zone    *Zone
	account INWXAccount

	mu       sync.Mutex
	sessions map[string]bool // by cookie: whether the second factor was given
	used     map[string]bool // codes
}

type inwxCall struct {
	Method string     `json:"method"`
	Params inwxParams `json:"params"`
}

type inwxParams struct {
	User    string `json:"user"`
	Pass    string `json:"pass"`
	TAN     string `json:"tan"`
	Domain  string `json:"domain"`
	ID      string `json:"id"` // a string since November 2025 (https://github.com/caddy-dns/inwx/issues/18)
	Name    string `json:"name"`
	Type    string `json:"type"`
	Content string `json:"content"`
	TTL     int    `json:"ttl"`
}

const inwxCookie = "domrobot"

// call reads what is asked, and leaves it to be read again.
func (a *inwx) call(r *http.Request) (c inwxCall, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return c, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c, json.Unmarshal(body, &c)
}

// Kind: what is asked about one record is no listing.
func (a *inwx) Kind(r *http.Request) RequestKind {
	c, _ := a.call(r)
	switch {
	case c.Method == "nameserver.info" && c.Params.Name == "" && c.Params.Type == "" && c.Params.Content == "":
		return Listing
	case c.Method == "nameserver.createRecord" || c.Method == "nameserver.updateRecord" || c.Method == "nameserver.deleteRecord":
		return Change
	}
	return Other
}

func (a *inwx) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := a.call(r)
	if r.Method != http.MethodPost || r.URL.Path != "/jsonrpc/" || err != nil {
		http.NotFound(w, r)
		return
	}
	if c.Method == "account.login" {
		a.login(w, c.Params)
		return
	}
	session, second := a.session(r)
	switch {
	case session == "":
		a.done(w, 2002, nil)
	case c.Method == "account.logout":
		a.mu.Lock()
		delete(a.sessions, session)
		a.mu.Unlock()
		a.done(w, 1500, nil)
	case c.Method == "account.unlock":
		a.unlock(w, session, c.Params.TAN)
	case !second:
		a.refuse(w, 2200, "Error_AccountUnlockRequired", "You need to unlock your account with your mobile TAN.")
	case c.Method == "nameserver.deleteRecord":
		if a.zone.Remove(func(r Record) bool { return r.ID == c.Params.ID }) == 0 {
			a.done(w, 2303, nil)
			return
		}
		a.done(w, 1000, nil)
	case !strings.EqualFold(c.Params.Domain+".", a.zone.Name):
		a.done(w, 2303, nil)
	case c.Method == "nameserver.info":
		a.info(w, c.Params)
	case c.Method == "nameserver.createRecord":
		a.create(w, c.Params)
	default:
		a.done(w, 2000, nil)
	}
}

func (a *inwx) session(r *http.Request) (session string, second bool) {
	cookie, err := r.Cookie(inwxCookie)
	if err != nil {
		return "", false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	second, ok := a.sessions[cookie.Value]
	if !ok {
		return "", false
	}
	return cookie.Value, second
}

func (a *inwx) login(w http.ResponseWriter, p inwxParams) {
	if p.User != a.account.User || p.Pass != a.account.Password {
		a.done(w, 2200, nil)
		return
	}
	tfa := "0"
	if a.account.SharedSecret != "" {
		tfa = "GOOGLE-AUTH"
	}
	session := rand.Text()
	a.mu.Lock()
	a.sessions[session] = tfa == "0"
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: inwxCookie, Value: session, Path: "/", HttpOnly: true})
	a.done(w, 1000, map[string]any{"customerId": 1, "accountId": 1, "tfa": tfa})
}

func (a *inwx) unlock(w http.ResponseWriter, session, tan string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	known := tan == INWXCode(a.account.SharedSecret, now) || tan == INWXCode(a.account.SharedSecret, now.Add(-30*time.Second))
	if a.used[tan] || !known {
		a.refuse(w, 2200, "INVALID", "The confirmation code is invalid.")
		return
	}
	a.used[tan] = true
	a.sessions[session] = true
	a.done(w, 1000, nil)
}

// INWXCode is the second factor's code at a time (RFC 6238, with the defaults of RFC 4226).
func INWXCode(secret string, at time.Time) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(secret, "="))
	if err != nil {
		return ""
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	at4 := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at4:])&0x7fffffff)%1_000_000)
}

// info gives the records that match all filters. Names are whole and have no trailing dot,
// nor have those in the contents; a filter may leave the zone away. Without records there
// is no list.
func (a *inwx) info(w http.ResponseWriter, p inwxParams) {
	data := map[string]any{"roId": 1, "domain": strings.TrimSuffix(a.zone.Name, "."), "type": "MASTER"}
	var records []map[string]any
	for _, r := range a.zone.Records("", "") {
		prio, content := inwxContent(r)
		if p.Type != "" && p.Type != r.Type || p.Name != "" && a.absolute(p.Name) != r.Name || p.Content != "" && p.Content != content {
			continue
		}
		records = append(records, map[string]any{
			"id": r.ID, "name": strings.TrimSuffix(r.Name, "."), "type": r.Type, "content": content, "ttl": r.TTL, "prio": prio,
		})
	}
	data["count"] = len(records)
	if records != nil {
		data["record"] = records
	}
	a.done(w, 1000, data)
}

func (a *inwx) absolute(name string) string {
	name = fqdn(name)
	if name == a.zone.Name || strings.HasSuffix(name, "."+a.zone.Name) {
		return name
	}
	return a.zone.Absolute(strings.TrimSuffix(name, "."))
}

// inwxContent is how INWX writes RDATA: a priority is not part of it.
func inwxContent(r Record) (prio int, content string) {
	switch r.Type {
	case "TXT":
		return 0, strings.Trim(r.Data, `"`)
	case "CNAME", "NS":
		return 0, strings.TrimSuffix(r.Data, ".")
	case "MX", "SRV":
		first, rest, _ := strings.Cut(r.Data, " ")
		prio, _ = strconv.Atoi(first)
		return prio, strings.TrimSuffix(rest, ".")
	}
	return 0, r.Data
}

func (a *inwx) create(w http.ResponseWriter, p inwxParams) {
	name := a.absolute(p.Name)
	switch {
	case p.Type == "" || p.Content == "":
		a.done(w, 2003, nil)
		return
	case p.TTL != 0 && p.TTL < INWXMinTTL:
		a.done(w, 2004, nil)
		return
	}
	data := p.Content
	if p.Type == "TXT" {
		data = `"` + data + `"`
	}
	for _, r := range a.zone.Records(name, "") {
		if r.Type == p.Type && r.Data == data {
			a.done(w, 2302, nil)
			return
		}
		if (r.Type == "CNAME") != (p.Type == "CNAME") {
			a.done(w, 2308, nil)
			return
		}
	}
	if p.TTL == 0 {
		p.TTL = 3600
	}
	a.done(w, 1000, map[string]any{"id": a.zone.Add(name, p.Type, p.TTL, data).ID})
}

// inwxWords are the words for the codes (RFC 5730, section 3).
func inwxWords(code int) string {
	return map[int]string{
		1000: "Command completed successfully", 1500: "Command completed successfully; ending session",
		2000: "Unknown command", 2002: "Command use error", 2003: "Required parameter missing", 2004: "Parameter value range error",
		2005: "Parameter value syntax error", 2200: "Authentication error", 2201: "Authorization error", 2302: "Object exists",
		2303: "Object does not exist", 2304: "Object status prohibits operation", 2308: "Data management policy violation",
		2400: "Command failed", 2500: "Command failed; server closing connection", 2502: "Session limit exceeded; server closing connection",
	}[code]
}

func (a *inwx) done(w http.ResponseWriter, code int, data any) {
	answer := map[string]any{"code": code, "msg": inwxWords(code), "svTRID": "20261128-1"}
	if data != nil {
		answer["resData"] = data
	}
	sendJSON(w, http.StatusOK, answer)
}

func (a *inwx) refuse(w http.ResponseWriter, code int, reasonCode, reason string) {
	sendJSON(w, http.StatusOK, map[string]any{"code": code, "msg": inwxWords(code), "reasonCode": reasonCode, "reason": reason})
}

// Problem has the codes for what others say in the status.
func (a *inwx) Problem(w http.ResponseWriter, status int) {
	a.done(w, map[int]int{
		http.StatusUnauthorized: 2200, http.StatusForbidden: 2201, http.StatusNotFound: 2303, http.StatusConflict: 2304,
		http.StatusUnprocessableEntity: 2005, http.StatusTooManyRequests: 2502, http.StatusInternalServerError: 2400,
		http.StatusServiceUnavailable: 2500,
	}[status], nil)
}
