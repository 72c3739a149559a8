package installer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// protocol is the version of requests and answers.
const protocol = 1

// maxLine is the longest request or answer, octets.
const maxLine = 1 << 20

// maxLineage is the longest name of a lineage, octets: a configuration has none so long.
const maxLineage = 100

// verb is what is asked for.
type verb string

const (
	verbInstalled verb = "installed" // which pair is live
	verbAdopt     verb = "adopt"     // call this one live, which is served already
	verbSwitch    verb = "switch"    // install this one and reload
)

// request is a line of the daemon's. It holds a key, and is never printed.
type request struct {
	Protocol int          `json:"protocol"`
	Verb     verb         `json:"verb"`
	Lineage  string       `json:"lineage"`
	Entry    tlsa.ChainID `json:"entry,omitempty"` // which pair it is
	Chain    []byte       `json:"chain,omitempty"` // PEM, leaf first
	Key      []byte       `json:"key,omitempty"`   // PEM
}

// Reasons to refuse a request as it stands. None has a word of it: that may be a key.
var (
	errLong      = fmt.Errorf("a request of more than %d octets", maxLine)
	errCutOff    = errors.New("a request that was cut off")
	errRequest   = errors.New("a request that cannot be read (hint: are the daemon and the installer of the same version? restart both)")
	errNoPair    = errors.New("a request without a pair")
	errNoLineage = errors.New("a request without a lineage")
	errLineage   = fmt.Errorf("a lineage's name of more than %d octets", maxLineage)
)

// acts reports whether something is changed.
func (q request) acts() bool { return q.Verb != verbInstalled }

// readRequest takes a request off a stream. A line that does not end was not asked for,
// whatever it holds.
func readRequest(r io.Reader) (request, error) {
	line, err := readLine(r)
	if err != nil {
		return request{}, err
	}
	var q request
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if d.Decode(&q) != nil || d.More() || q.Protocol != protocol {
		return request{}, errRequest // the parser's own words may quote it
	}
	switch q.Verb {
	case verbInstalled:
	case verbAdopt, verbSwitch:
		if len(q.Chain) == 0 || len(q.Key) == 0 || q.Entry == "" {
			return request{}, errNoPair
		}
	default:
		return request{}, errRequest
	}
	switch {
	case q.Lineage == "":
		return request{}, errNoLineage
	case len(q.Lineage) > maxLineage: // it would be a line of the log
		return request{}, errLineage
	}
	return q, nil
}

// readLine reads up to the end of a line.
func readLine(r io.Reader) ([]byte, error) {
	in := bufio.NewReader(io.LimitReader(r, maxLine+1))
	line, err := in.ReadBytes('\n')
	switch {
	case len(line) > maxLine:
		return nil, errLong
	case err == nil:
		return line, nil
	case errors.Is(err, io.EOF):
		return nil, errCutOff
	}
	return nil, fmt.Errorf("%w: %w", errCutOff, err)
}

func encode(line any) []byte {
	text, err := json.Marshal(line)
	if err != nil {
		panic("installer: a line: " + err.Error()) // strings and numbers cannot fail
	}
	return append(text, '\n')
}
