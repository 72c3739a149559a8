package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// trouble is an error on its way to its owner.
type trouble struct {
	kind    dnsprovider.Kind
	err     error
	hint    string
	command string // whose trouble it is; "" if that is nobody's
	unclear bool   // what was asked for may have been done all the same
}

// Error is for whoever reads once for many.
func (t *trouble) Error() string { return t.err.Error() }

// Unwrap is the cause.
func (t *trouble) Unwrap() error { return t.err }

// of names the command.
func (t *trouble) of(argv []string) *trouble {
	if t != nil && t.command == "" {
		t.command = argv[0] // its arguments may be secret
	}
	return t
}

// about makes the error that a caller sees.
func (p *Provider) about(op string, owner tlsa.Owner, t *trouble) error {
	if t == nil {
		return nil
	}
	err := t.err
	if t.command != "" {
		err = fmt.Errorf("%s: %w", t.command, err)
	}
	return &dnsprovider.Error{Op: op, Provider: p.name, Owner: owner, Kind: t.kind, Err: err, Hint: t.hint}
}

// ended is the trouble of a caller who no longer waits, nil while he does.
func ended(ctx context.Context) *trouble {
	if err := ctx.Err(); err != nil {
		return &trouble{kind: dnsprovider.Temporary, err: err}
	}
	return nil
}

const statusDone = "done"

// status is what a command may say, and what that means.
type status struct {
	word string
	kind dnsprovider.Kind
	hint string
}

func statuses() []status {
	return []status{
		{statusDone, 0, ""},
		{"conflict", dnsprovider.Conflict, "look again and plan again"},
		{"refused", dnsprovider.Refused, "what the command works with does not let it: look at the key or token that it has, and its rights"},
		{"no-zone", dnsprovider.NoZone, "is that the name of the zone, and the account or server that has it"},
		{"outside-zone", dnsprovider.OutsideZone, "the provider has to name the zone that the name lies in"},
		{"alias", dnsprovider.Alias, "the records belong where the alias leads"},
		{"unsupported", dnsprovider.Unsupported, "the command has no means to do this"},
		{"malformed", dnsprovider.Malformed, "the command, or the host, does not understand what it was asked: is it of version 1 of the schema"},
		{"temporary", dnsprovider.Temporary, "it is tried again later"},
	}
}

// said makes trouble of a status and its message, nil where it is done or nothing is said.
func (p *Provider) said(word, message string) *trouble {
	if word == "" {
		return nil
	}
	known := statuses()
	i := slices.IndexFunc(known, func(s status) bool { return s.word == word })
	switch {
	case i < 0:
		var words []string
		for _, s := range known {
			words = append(words, s.word)
		}
		return &trouble{
			kind: dnsprovider.Malformed, err: fmt.Errorf("it says the status %q, which is none", p.quoted([]byte(word))),
			hint: "it is one of " + strings.Join(words, ", "), unclear: true,
		}
	case known[i].word == statusDone:
		return nil
	}
	text := known[i].word
	if m := p.quoted([]byte(message)); m != "" {
		text += ": " + m
	}
	return &trouble{kind: known[i].kind, err: errors.New(text), hint: known[i].hint}
}
