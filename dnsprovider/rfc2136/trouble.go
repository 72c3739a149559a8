package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// trouble is an error on its way to its owner: what it means, and what it leaves open.
type trouble struct {
	kind    dnsprovider.Kind
	err     error
	hint    string
	address string // of the server it came up with; "" if none was asked
	leaves  leaves
}

// leaves says what is to be done about the rest.
type leaves uint8

const (
	final     leaves = iota // the answer stands
	elsewhere               // the server has not done it: another address may (RFC 2136, section 4.6)
	unheard                 // nobody was there: likewise
	open                    // the request may have been carried out, and the reply is lost
	eachAlone               // it may be the fault of one of several owners
)

// another reports whether another address is to be tried.
func (l leaves) another() bool { return l == elsewhere || l == unheard }

// silent reports whether the server has fallen silent.
func (l leaves) silent() bool { return l == unheard || l == open }

func (t *trouble) at(address string) *trouble {
	if t != nil && t.address == "" {
		t.address = address
	}
	return t
}

// about makes the error that a caller sees.
func (p *Provider) about(op string, owner tlsa.Owner, t *trouble) error {
	if t == nil {
		return nil
	}
	provider := p.name
	if t.address != "" {
		provider += " " + t.address
	}
	return &dnsprovider.Error{Op: op, Provider: provider, Owner: owner, Kind: t.kind, Err: t.err, Hint: t.hint}
}

// errNoReply is the cause of a time-out.
var errNoReply = errors.New("no reply")

// unanswered makes trouble of an error of the network. The outer context is the
// caller's: that it ended is said in its own words.
func (p *Provider) unanswered(outer context.Context, err error, then leaves) *trouble {
	if done := outer.Err(); done != nil {
		return &trouble{kind: dnsprovider.Temporary, err: done, leaves: final}
	}
	var insecure *notSecure
	if errors.As(err, &insecure) {
		if errors.Is(err, errNoReply) {
			insecure = &notSecure{fmt.Errorf("%w within %s", errNoReply, p.timeout)}
		}
		return insecure.trouble(p.tls.ServerName, then)
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout()) {
		err = fmt.Errorf("%w within %s", errNoReply, p.timeout)
	}
	return &trouble{
		kind: dnsprovider.Temporary, err: err, leaves: then,
		hint: "is the server up, and does it take TCP from here",
	}
}

// ended is the trouble of a caller who no longer waits, nil while he does.
func ended(ctx context.Context) *trouble {
	if err := ctx.Err(); err != nil {
		return &trouble{kind: dnsprovider.Temporary, err: err}
	}
	return nil
}
