package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// protocol is the version of requests and frames.
const protocol = 1

// maxRequest is the longest body of a request, octets.
const maxRequest = 1 << 20

// maxName is the longest name of a command or lineage, octets: there are none so long.
const maxName = 100

// Request asks the daemon for a command.
type Request struct {
	Version  string // of the program that asks, for messages
	Command  string
	Args     json.RawMessage // the command's own options; may be nil
	Lineage  string          // "": none, or all
	Pair     *Pair           // handed in with the command, or nil
	Terminal Terminal
}

// Pair is the content of a certificate chain's file and of its key's.
type Pair struct {
	Chain     []byte // PEM
	Key       config.Secret
	ChainFile string // names, for messages alone
	KeyFile   string
	Findings  []string // what was seen of the files, for whoever hands them in
}

// Terminal is what the caller knows of the one that will show the answer.
type Terminal struct {
	ColourOut bool `json:"colour_out,omitempty"` // standard output may have colour
	ColourErr bool `json:"colour_err,omitempty"`
	Sticky    bool `json:"sticky,omitempty"` // standard error is a terminal
	Width     int  `json:"width,omitempty"`  // columns; 0: unknown
}

// wireVersion is the part of a request that every version of the protocol has.
type wireVersion struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
}

// wireRequest is the body of a request.
type wireRequest struct {
	wireVersion
	Command  string          `json:"command"`
	Args     json.RawMessage `json:"args,omitempty"`
	Lineage  string          `json:"lineage,omitempty"`
	Pair     *wirePair       `json:"pair,omitempty"`
	Terminal Terminal        `json:"terminal"`
}

// wirePair is a pair with its key laid open; nothing else holds one.
type wirePair struct {
	Chain     []byte   `json:"chain"`
	Key       []byte   `json:"key"`
	ChainFile string   `json:"chain_file,omitempty"`
	KeyFile   string   `json:"key_file,omitempty"`
	Findings  []string `json:"findings,omitempty"`
}

func (r Request) encode() ([]byte, error) {
	w := wireRequest{wireVersion{protocol, r.Version}, r.Command, r.Args, r.Lineage, nil, r.Terminal}
	if p := r.Pair; p != nil {
		w.Pair = &wirePair{p.Chain, p.Key.Reveal(), p.ChainFile, p.KeyFile, p.Findings}
	}
	body, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("control socket: the options of %s are not JSON", r.Command)
	}
	if len(body) > maxRequest {
		return nil, fmt.Errorf("control socket: %w (hint: is the file of --cert really a certificate? it is far too large)", errLong)
	}
	return body, nil
}

var errLong = fmt.Errorf("a request of more than %d octets", maxRequest)

// unlike says that two programs speak different versions of the protocol.
func unlike(daemon, client wireVersion) error {
	return errUnlike{fmt.Errorf("the daemon is version %s (protocol %d), this is %s (protocol %d) (hint: restart it)",
		orUnknown(daemon.Version), daemon.Protocol, orUnknown(client.Version), client.Protocol)}
}

func orUnknown(version string) string {
	if version == "" {
		return "unknown"
	}
	return version
}

// errUnlike is unlike's, for the status of the answer.
type errUnlike struct{ error }

// decode reads a request to a daemon of that version. Its errors never quote the
// body, which may hold a key.
func decode(body []byte, version string) (Request, error) {
	var v wireVersion
	var syntax *json.SyntaxError
	if err := json.Unmarshal(body, &v); errors.As(err, &syntax) {
		return Request{}, fmt.Errorf("a request that is not JSON from octet %d", syntax.Offset)
	} else if err != nil {
		return Request{}, errors.New("a request without a version of the protocol")
	}
	if v.Protocol != protocol {
		return Request{}, unlike(wireVersion{protocol, version}, v)
	}
	var w wireRequest
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(&w) != nil {
		return Request{}, errors.New("a request with fields that are unknown or of another kind")
	}
	switch {
	case w.Command == "":
		return Request{}, errors.New("a request without a command")
	case len(w.Command) > maxName, len(w.Lineage) > maxName: // they would be a line of the log
		return Request{}, fmt.Errorf("a name of more than %d octets", maxName)
	}
	r := Request{w.Version, w.Command, w.Args, w.Lineage, nil, w.Terminal}
	if p := w.Pair; p != nil {
		r.Pair = &Pair{p.Chain, config.NewSecret(p.Key), p.ChainFile, p.KeyFile, p.Findings}
	}
	return r, nil
}
