package exec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// errTooMuch ends a command that prints more than it may.
var errTooMuch = errors.New("too much output")

// output keeps what a command prints, up to a limit.
type output struct {
	kept bytes.Buffer
	max  int
	over func()
}

func (o *output) Write(b []byte) (int, error) {
	if o.kept.Len()+len(b) > o.max {
		o.over()
		return len(b), nil // it is being killed
	}
	return o.kept.Write(b)
}

// call runs a command, when it is its turn.
func (p *Provider) call(ctx context.Context, argv []string, request any) (reply, *trouble) {
	stdin, err := json.Marshal(request)
	if err != nil {
		return nil, &trouble{kind: dnsprovider.Malformed, err: err}
	}
	release, t := take(ctx, p.turn)
	if t != nil {
		return nil, t
	}
	defer release()
	program, err := subprocess.Find(argv[0])
	if err != nil {
		t := &trouble{kind: dnsprovider.Refused, err: err, hint: "is it installed, and may it be run"}
		return nil, t.of(argv)
	}
	limited, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	limited, kill := context.WithCancelCause(limited)
	defer kill(nil)
	stdout := &output{max: p.maxOutput, over: func() { kill(errTooMuch) }}
	command := subprocess.Command{
		Program: program, Argv: argv, Env: p.env, Path: subprocess.Path, Stdin: append(stdin, '\n'), Stdout: stdout,
	}
	stderr, err := command.Run(limited)
	said := p.lastLine(stderr)
	if said != "" && err == nil {
		p.log.Debug("a command says", "provider", p.name, "command", argv[0], "text", said)
	}
	if t := p.failed(ctx, limited, err, said); t != nil {
		return nil, t.of(argv)
	}
	r, t := p.parseReply(stdout.kept.Bytes())
	return r, t.of(argv)
}

// failed is the trouble of a command that did not end well. Nothing is known then of what
// it did.
func (p *Provider) failed(ctx, limited context.Context, err error, said string) *trouble {
	if said != "" {
		said = ": " + said
	}
	t := &trouble{kind: dnsprovider.Temporary, unclear: true}
	switch cause := context.Cause(limited); {
	case ctx.Err() != nil:
		t.err = fmt.Errorf("stopped: %w", ctx.Err())
	case errors.Is(cause, errTooMuch):
		t.err = fmt.Errorf("it printed more than %d octets and was killed", p.maxOutput)
		t.kind, t.hint = dnsprovider.Malformed, hintSchema
	case cause != nil:
		t.err = fmt.Errorf("not done after %v, killed with all it started%s", p.timeout, said)
		t.hint = "raise timeout, or find out what it waits for"
	case err != nil:
		t.err = fmt.Errorf("%w%s", err, said)
		t.hint = "it is called again later; to see what is wrong run it by hand, with the same kind of JSON on its standard input"
	default:
		return nil
	}
	return t
}

// take waits for a token, and gives it back with release.
func take(ctx context.Context, tokens chan struct{}) (release func(), t *trouble) {
	if t := ended(ctx); t != nil {
		return nil, t
	}
	select {
	case <-tokens:
		return func() { tokens <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ended(ctx)
	}
}
