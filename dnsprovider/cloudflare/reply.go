package cloudflare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
)

// reply is the form of all replies
// (https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/).
type reply struct {
	Success bool            `json:"success"`
	Errors  []notice        `json:"errors"`
	Result  json.RawMessage `json:"result"`
	Info    resultInfo      `json:"result_info"`
}

// notice is an error as the API writes it. The chain says what the first means.
type notice struct {
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Chain   []notice `json:"error_chain"`
}

// resultInfo says which page this is, and of how many.
type resultInfo struct {
	Count      int `json:"count"`
	TotalCount int `json:"total_count"`
	TotalPages int `json:"total_pages"`
}

// call sends a request about zone, and reads the result into result.
func (p *Provider) call(ctx context.Context, zone, method, path string, body, result any) (resultInfo, *api.Trouble) {
	got, t := p.client.Do(ctx, method, p.base+path, nil, body)
	if t != nil {
		return resultInfo{}, t
	}
	var r reply
	if t := got.Decode(&r); t != nil {
		if !got.Success() && got.Status < 500 {
			return resultInfo{}, api.ByStatus(got, "", p.hints(zone))
		}
		return resultInfo{}, t
	}
	if !got.Success() || !r.Success {
		return resultInfo{}, p.refusal(got, r.Errors, zone)
	}
	if err := json.Unmarshal(r.Result, result); err != nil {
		return resultInfo{}, &api.Trouble{
			Kind: dnsprovider.Malformed, Then: api.Open, Err: errors.New("the reply is not of the form that is documented"),
			Hint: "has the API changed",
		}
	}
	return r.Info, nil
}

// hints are what to do about rights and zones.
func (p *Provider) hints(zone string) api.Hints {
	zone = strings.TrimSuffix(zone, ".")
	return api.Hints{
		Rights: "is the token whole, active and not expired, and has it DNS: Edit and Zone: Read for the zone " + zone +
			" and from this address; see My Profile, API Tokens",
		Zone: "is " + zone + " at this Cloudflare account, and is zone-id that of this zone",
	}
}

// refusal makes trouble of what the API says. Its codes come before the HTTP status, as
// that is not the same for one code everywhere.
func (p *Provider) refusal(r *api.Reply, errs []notice, zone string) *api.Trouble {
	says, codes := p.words(errs)
	t := api.ByStatus(r, says, p.hints(zone))
	if r.Success() { // and yet success is false
		t.Kind, t.Then = dnsprovider.Malformed, api.EachAlone
	}
	if r.Status == 429 || r.Status >= 500 {
		return t
	}
	for _, code := range codes {
		if p.byCode(t, code, zone) {
			break
		}
	}
	return t
}

// byCode corrects what the status says. The codes are not documented in one place; each
// was seen in replies that people have published.
func (p *Provider) byCode(t *api.Trouble, code int, zone string) (known bool) {
	hints := p.hints(zone)
	switch code {
	case 6003, 6111, 9103, 9106, 9107, 9109, 10000, 10001:
		// The form of the header, an unknown key, none, no such token, no right: all of it
		// is about the token.
		t.Kind, t.Hint, t.Then = dnsprovider.Refused, hints.Rights, api.Final
	case 1001, 1049, 7000, 7003:
		t.Kind, t.Hint, t.Then = dnsprovider.NoZone, hints.Zone, api.Final
	case 81044, 1032:
		// No such record: somebody has removed what was to be removed.
		t.Kind, t.Hint, t.Then = dnsprovider.Conflict, "look again and plan again", api.Disputed
	case 81053, 81054, 81056, 81057, 81058:
		// Other records stand in the way, a CNAME or NS; or this record stands there.
		t.Kind, t.Hint, t.Then = dnsprovider.Conflict, "look again and plan again", api.Disputed
	case 81045:
		t.Kind, t.Hint, t.Then = dnsprovider.Refused, "the plan of the zone allows no more records: remove some, or change the plan", api.Final
	default:
		return false
	}
	return true
}

// words makes one phrase of all that the API says is wrong.
func (p *Provider) words(errs []notice) (says string, codes []int) {
	var phrases []string
	var add func([]notice)
	add = func(errs []notice) {
		for _, e := range errs {
			codes = append(codes, e.Code)
			phrase := api.Words(strings.SplitN(e.Message, " For more details", 2)[0], p.token)
			phrases = append(phrases, strings.TrimSpace(fmt.Sprintf("%s (code %d)", phrase, e.Code)))
			add(e.Chain)
		}
	}
	add(errs)
	return api.Words(strings.Join(phrases, ", "), p.token), codes
}
