package cloudflare_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

const (
	rightsHint = " (hint: is the token whole, active and not expired, and has it DNS: Edit and Zone: Read for the zone example.org and from this address; see My Profile, API Tokens)"
	zoneHint   = " (hint: is example.org at this Cloudflare account, and is zone-id that of this zone)"
	recordHint = " (hint: the host does not take this record, or has changed its API)"
	laterHint  = " (hint: the host is in trouble: try again later, its status page may say more)"
	pageHint   = " (hint: does a proxy or a maintenance page stand between here and the host's API)"
)

// TestSentences: each reply in words, with what to do.
func TestSentences(t *testing.T) {
	failure := func(errs string) string {
		return `{"success":false,"errors":[` + errs + `],"messages":[],"result":null}`
	}
	for _, test := range []struct {
		status int
		body   string
		kind   error
		want   string
	}{
		{401, failure(`{"code":1000,"message":"Invalid API Token"}`), dnsprovider.ErrRefused, "401 Unauthorized: Invalid API Token (code 1000)" + rightsHint},
		{403, failure(`{"code":9109,"message":"Invalid access token"}`), dnsprovider.ErrRefused, "403 Forbidden: Invalid access token (code 9109)" + rightsHint},
		{403, failure(`{"code":10000,"message":"Authentication error"}`), dnsprovider.ErrRefused, "403 Forbidden: Authentication error (code 10000)" + rightsHint},
		{400, failure(`{"code":6003,"message":"Invalid request headers","error_chain":[{"code":6111,"message":"Invalid format for Authorization header"}]}`), dnsprovider.ErrRefused,
			"400 Bad Request: Invalid request headers (code 6003), Invalid format for Authorization header (code 6111)" + rightsHint},
		{400, failure(`{"code":9103,"message":"Unknown X-Auth-Key or X-Auth-Email"}`), dnsprovider.ErrRefused, "400 Bad Request: Unknown X-Auth-Key or X-Auth-Email (code 9103)" + rightsHint},
		{404, failure(`{"code":7003,"message":"Could not route to \/client\/v4\/zones\/x, perhaps your object identifier is invalid?"}`), dnsprovider.ErrNoZone,
			"404 Not Found: Could not route to /client/v4/zones/x, perhaps your object identifier is invalid? (code 7003)" + zoneHint},
		{400, failure(`{"code":7003,"message":"Could not route"}`), dnsprovider.ErrNoZone, "400 Bad Request: Could not route (code 7003)" + zoneHint},
		{400, failure(`{"code":1004,"message":"DNS Validation Error","error_chain":[{"code":9021,"message":"TTL must be between 60 and 86400 seconds, or 1 for Automatic."}]}`), dnsprovider.ErrMalformed,
			"400 Bad Request: DNS Validation Error (code 1004), TTL must be between 60 and 86400 seconds, or 1 for Automatic (code 9021)" + recordHint},
		{400, failure(`{"code":81045,"message":"The record quota has been exceeded."}`), dnsprovider.ErrRefused,
			"400 Bad Request: The record quota has been exceeded (code 81045) (hint: the plan of the zone allows no more records: remove some, or change the plan)"},
		{404, failure(`{"code":81044,"message":"Record does not exist."}`), dnsprovider.ErrConflict, "404 Not Found: Record does not exist (code 81044) (hint: look again and plan again)"},
		{400, failure(`{"code":81053,"message":"An A, AAAA, or CNAME record with that host already exists. For more details, refer to <https://developers.cloudflare.com/dns/>."}`), dnsprovider.ErrConflict,
			"400 Bad Request: An A, AAAA, or CNAME record with that host already exists (code 81053) (hint: look again and plan again)"},
		{422, failure(``), dnsprovider.ErrMalformed, "422 Unprocessable Entity" + recordHint},
		{429, "error code: 1015", dnsprovider.ErrTemporary, "429 Too Many Requests (hint: the host limits how often it is asked: do other programs share the account)"},
		{500, failure(`{"code":1000,"message":"Internal\nerror"}`), dnsprovider.ErrTemporary, "500 Internal Server Error: Internal error (code 1000)" + laterHint},
		{502, "<html><title>502</title>", dnsprovider.ErrTemporary, "status 502 and a web page where JSON is wanted" + pageHint},
		{200, "<!DOCTYPE html>", dnsprovider.ErrTemporary, "status 200 and a web page where JSON is wanted" + pageHint},
		{200, "", dnsprovider.ErrTemporary, "status 200 and an empty reply where JSON is wanted" + pageHint},
		{200, "busy", dnsprovider.ErrTemporary, "status 200 and a reply that is not JSON of the kind wanted" + pageHint},
		{200, failure(`{"code":1,"message":"odd"}`), dnsprovider.ErrMalformed, "200 OK: odd (code 1) (hint: does something stand between here and the host's API)"},
		{200, `{"success":true,"result":{"id":1}}`, dnsprovider.ErrMalformed, "the reply is not of the form that is documented (hint: has the API changed)"},
		{302, "", dnsprovider.ErrMalformed, "302 Found (hint: does something stand between here and the host's API)"},
		{403, "<html>blocked", dnsprovider.ErrRefused, "403 Forbidden" + rightsHint},
	} {
		_, err := with(says{test.status, test.body}).RRset(t.Context(), "", owner)
		want := "read _25._tcp.mx.example.org.: cloudflare example.org: " + test.want
		if err == nil || err.Error() != want || !errors.Is(err, test.kind) {
			t.Errorf("error is\n%v, want\n%s\nof kind %v", err, want, test.kind)
		}
	}
}

// TestConfirmedAndNotMade: a reply that says yes is no proof.
func TestConfirmedAndNotMade(t *testing.T) {
	a := newAccount(t, "example.org.")
	a.seed(owner, 3600, "1")
	a.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = w.Write([]byte(`{"success":true,"errors":[],"result":{}}`))
			// and what was wanted comes of somebody else, who wants something else
			a.seed(owner, 3600, "1", "f")
			return
		}
		a.server.ServeHTTP(w, r)
	}))
	err := a.provider(t).Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, Before: rrset(time.Hour, "1"), After: rrset(time.Hour, "1", "2")}})[0]
	if !errors.Is(err, dnsprovider.ErrConflict) || !strings.Contains(err.Error(), "the change was made, and something else stands there now") {
		t.Errorf("error is %v", err)
	}
}

// TestDisputed: the API says that something stands in the way, and nothing is to be seen.
func TestDisputed(t *testing.T) {
	a := newAccount(t, "example.org.")
	a.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"success":false,"errors":[{"code":81057,"message":"The record already exists."}]}`))
			return
		}
		a.server.ServeHTTP(w, r)
	}))
	err := a.provider(t).Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, After: rrset(time.Hour, "1")}})[0]
	if !errors.Is(err, dnsprovider.ErrConflict) || !strings.Contains(err.Error(), "The record already exists (code 81057)") {
		t.Errorf("error is %v", err)
	}
}
