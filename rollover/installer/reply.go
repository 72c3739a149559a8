package installer

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"

	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// reply is the answer to a request.
type reply struct {
	Protocol int            `json:"protocol"`
	Refused  string         `json:"refused,omitempty"`  // why nothing was done
	Entry    tlsa.ChainID   `json:"entry,omitempty"`    // installed: the live pair, "" if there is none
	Previous tlsa.ChainID   `json:"previous,omitempty"` // switch: the one before
	Changed  []string       `json:"changed,omitempty"`
	Warnings []swap.Problem `json:"warnings,omitempty"`
	Failed   *failure       `json:"failed,omitempty"`
}

// failure is a [swap.Error] on its way.
type failure struct {
	Step     swap.Step `json:"step"`
	Switched bool      `json:"switched,omitempty"`
	Mixed    []string  `json:"mixed,omitempty"`
	Text     string    `json:"text"`
}

func refused(err error) reply { return reply{Protocol: protocol, Refused: err.Error()} }

// replyOf says how a switch or an adoption ended.
func replyOf(result swap.Result, err error) reply {
	r := reply{Protocol: protocol, Changed: result.Changed, Warnings: result.Warnings}
	if result.Previous != "" {
		r.Previous = tlsa.ChainID(filepath.Base(result.Previous))
	}
	var failed *swap.Error
	switch {
	case err == nil:
	case errors.As(err, &failed):
		r.Failed = &failure{failed.Step, failed.Switched, failed.Mixed, failed.Err.Error()}
	default:
		r.Refused = err.Error()
	}
	return r
}

var errReply = errors.New("an answer that is none of tlsaroll's")

// readReply takes an answer off a stream.
func readReply(from io.Reader) (reply, error) {
	line, err := readLine(from)
	if err != nil {
		return reply{}, err
	}
	var r reply
	if json.Unmarshal(line, &r) != nil || r.Protocol != protocol {
		return reply{}, errReply
	}
	return r, nil
}

// result is what the answer says of a switch or an adoption.
func (r reply) result(lineage string) (swap.Result, error) {
	result := swap.Result{Previous: string(r.Previous), Changed: r.Changed, Warnings: r.Warnings}
	switch f := r.Failed; {
	case r.Refused != "":
		return result, &swap.Error{Lineage: lineage, Step: swap.StepLoad, Err: errors.New("the installer refuses: " + r.Refused)}
	case f != nil:
		return result, &swap.Error{Lineage: lineage, Step: f.Step, Switched: f.Switched, Mixed: f.Mixed, Err: errors.New(f.Text)}
	}
	return result, nil
}
