package exec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// version is that of the schema.
const version = 1

// The requests, see the documentation of the package.
type (
	readRequest struct {
		Version int          `json:"version"`
		Zone    string       `json:"zone"`
		Owners  []tlsa.Owner `json:"owners"`
	}
	changeRequest struct {
		Version int      `json:"version"`
		Zone    string   `json:"zone"`
		Changes []change `json:"changes"`
	}
	change struct {
		Owner  tlsa.Owner `json:"owner"`
		Type   string     `json:"type"`
		TTL    int64      `json:"ttl"`
		Before []string   `json:"before"`
		After  []string   `json:"after"`
		Add    []string   `json:"add"`
		Remove []string   `json:"remove"`
	}
)

// reply is what a command prints, field by field: what a call is not about is not read.
type reply map[string]json.RawMessage

type record struct {
	Name string `json:"name"`
	Type string `json:"type"`
	TTL  *int64 `json:"ttl"`
	Data string `json:"data"`
}

type result struct {
	Owner   string `json:"owner"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

// hintSchema is for whoever wrote a command that prints something else.
const hintSchema = "it has to print one JSON object and nothing else, of version 1 of the schema; what is for people goes to standard error"

// parseReply reads what a command printed. The trouble is the command's with itself, or
// what it says of the call as a whole.
func (p *Provider) parseReply(output []byte) (reply, *trouble) {
	malformed := func(format string, args ...any) (reply, *trouble) {
		return nil, &trouble{kind: dnsprovider.Malformed, err: fmt.Errorf(format, args...), hint: hintSchema, unclear: true}
	}
	if len(bytes.TrimSpace(output)) == 0 {
		return malformed("it ended well and printed nothing")
	}
	var r reply
	d := json.NewDecoder(bytes.NewReader(output))
	if err := d.Decode(&r); err != nil || r == nil {
		return malformed("what it printed is not a JSON object%s", place(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return malformed("it printed something after its JSON object")
	}
	var v int
	switch raw, there := r["version"]; {
	case !there:
		return malformed("what it printed says no version")
	case json.Unmarshal(raw, &v) != nil || v != version:
		return malformed("what it printed is of version %s, and this is understood: %d", p.quoted(raw), version)
	}
	var status, message string
	if !r.get("status", &status) || !r.get("message", &message) {
		return malformed("status and message have to be texts")
	}
	if t := p.said(status, message); t != nil {
		return nil, t
	}
	return r, nil
}

// get reads a field, if it is there and not null, and reports whether it is what it
// has to be.
func (r reply) get(field string, to any) bool {
	raw, there := r[field]
	return !there || json.Unmarshal(raw, to) == nil
}

// place is where JSON ends to be JSON. Which octet stands there is not said: it is the
// beginning of a web page more often than not.
func place(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf(", from octet %d on", syntax.Offset)
	}
	return ""
}

// results are what the change command says of each owner.
func (r reply) results() (map[tlsa.Owner]result, *trouble) {
	var list []result
	if raw, there := r["results"]; !there || json.Unmarshal(raw, &list) != nil || list == nil {
		return nil, &trouble{kind: dnsprovider.Malformed, err: errors.New("what it printed has no list of results"), hint: hintSchema, unclear: true}
	}
	out := map[tlsa.Owner]result{}
	for _, one := range list {
		owner, err := tlsa.ParseOwner(one.Owner)
		if err != nil {
			continue // nobody asked for that; whose it was to be has none
		}
		if before, twice := out[owner]; !twice || before.Status == statusDone {
			out[owner] = one
		}
	}
	return out, nil
}
