package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
)

// The rules for every line that is printed: results go to standard output. All
// else goes to standard error with a "tlsaroll:" prefix, begins with a small letter and
// ends without a full stop; what to do about it stands in brackets. Colour is for
// terminals, unless NO_COLOR is set (no-color.org).

// world is what a run of the program has from its process.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookupEnv      func(string) (string, bool)
	now            func() time.Time
	hangups        func() (<-chan os.Signal, func())
	host           func(*agent.Config) // has tests stand in for the host's clock and addresses; nil: as they are
	// look has tests stand in for mail servers and DNS where domains are checked; nil: the network
	look func(survey.Config) (sight, error)
	find func(*finder.Host) // has tests give init another host to look at; nil: this one
	// exchange has tests stand in for DNS where init looks; nil: the network
	exchange func(ctx context.Context, m *dns.Msg, network string, server netip.AddrPort) (*dns.Msg, error)
}

// ui has the words for the user, who may sit at this process's terminal or at that of
// a client of the daemon.
type ui struct {
	stdin io.Reader
	face  control.Face     // shows lines
	now   func() time.Time // in the zone of who reads them
	own   *screen          // this process's; nil where the user sits elsewhere

	colourOut, colourErr bool
	terminal             bool // standard error is one
	readable             bool // standard output is one
	moving               bool // and its cursor moves
}

func newUI(w world) *ui {
	own := &screen{stdout: &sink{Writer: w.stdout}, stderr: w.stderr}
	return &ui{
		stdin: w.stdin, face: own, now: w.now, own: own,
		colourOut: coloured(w.stdout, w.lookupEnv), colourErr: coloured(w.stderr, w.lookupEnv),
		terminal: isTerminal(w.stderr), readable: isTerminal(w.stdout), moving: isTerminal(w.stdout) && !dumb(w.lookupEnv),
	}
}

// at is the ui of a client, who is on this host and so in its zone.
func at(t control.Terminal, to control.Face, now func() time.Time) *ui {
	return &ui{face: to, now: now, colourOut: t.ColourOut, colourErr: t.ColourErr, terminal: t.Sticky}
}

// facts are what a daemon must know of the user's terminal.
func (u *ui) facts() control.Terminal {
	return control.Terminal{ColourOut: u.colourOut, ColourErr: u.colourErr, Sticky: u.terminal, Width: u.own.width()}
}

// coloured reports whether colour may be used on a stream.
func coloured(w io.Writer, lookupEnv func(string) (string, bool)) bool {
	if v, ok := lookupEnv("NO_COLOR"); ok && v != "" {
		return false
	}
	return isTerminal(w) && !dumb(lookupEnv)
}

// dumb reports whether the terminal knows no control sequences.
func dumb(lookupEnv func(string) (string, bool)) bool {
	v, _ := lookupEnv("TERM")
	return v == "dumb"
}

// isTerminal reports whether a person may be watching.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && isTerminalFile(f)
}

func isTerminalFile(f interface{ Fd() uintptr }) bool { return term.IsTerminal(int(f.Fd())) }

// colour is an SGR parameter of ECMA-48.
type colour string

const (
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

func paint(on bool, c colour, s string) string {
	if !on {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}

// result prints lines to standard output.
func (u *ui) result(lines string) { u.face.Result(u.zoned(lines)) }

// zoned has the times in a text as who reads it now has them.
func (u *ui) zoned(text string) string {
	if u.now == nil { // the daemon's answer, or a check's, which is so already
		return text
	}
	return rollover.ForPeople(text, u.now())
}

// warn says what is worth a word, and what to do about it.
func (u *ui) warn(text, hint string) {
	u.say(paint(u.colourErr, yellow, "warning: ")+text, hint)
}

// say prints a line to standard error.
func (u *ui) say(text, hint string) {
	if hint != "" {
		text += " (hint: " + hint + ")"
	}
	u.face.Say("tlsaroll: " + u.zoned(text))
}

// sticky reports whether there is a terminal on which a line can change.
func (u *ui) sticky() bool { return u.terminal }

// stick shows a line that the next one replaces; what is said meanwhile goes above it.
func (u *ui) stick(text string) { u.face.Stick("tlsaroll: " + u.zoned(text)) }

// unstick leaves the line that changes where it stands.
func (u *ui) unstick() { u.face.Unstick() }

// Exit codes.
const (
	exitDone    = 0 // done
	exitError   = 1 // an error
	exitUsage   = 2 // usage or configuration
	exitWaiting = 3 // something is in progress
	exitPerson  = 4 // needs a person
)

// exitCode is an error that says how the program ends. Without a cause it ends
// in silence: all is said already.
type exitCode struct {
	code  int
	cause error
}

func (e *exitCode) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.cause.Error()
}

func (e *exitCode) Unwrap() error { return e.cause }

// usage marks errors in what the user asked for.
func usage(errs ...error) error {
	return &exitCode{exitUsage, errors.Join(errs...)}
}

// exit reports the error that a command ended with, one line a finding, and
// returns the exit code.
func (u *ui) exit(err error) int {
	if err == nil && u.own != nil && u.own.stdout.err != nil {
		err = fmt.Errorf("standard output: %w", u.own.stdout.err)
	}
	for _, line := range findings(err) {
		u.say(paint(u.colourErr, red, line), "")
	}
	var coded *exitCode
	var misconfigured config.Errors
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &misconfigured):
		return exitUsage
	}
	return exitError
}

// findings are an error's lines, without those that only carry a code. What wraps
// others has words of its own, and is not looked into.
func findings(err error) (lines []string) {
	if parts := joined(err); parts != nil {
		for _, e := range parts {
			lines = append(lines, findings(e)...)
		}
		return lines
	}
	if coded, ok := err.(*exitCode); ok { //nolint:errorlint // see above
		return findings(coded.cause)
	}
	if err == nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(err.Error(), "\n"), "\n")
}

// joined are the errors of which err is no more than the list, as by [errors.Join].
func joined(err error) []error {
	list, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var lines []string
	for _, e := range list.Unwrap() {
		lines = append(lines, e.Error())
	}
	if err.Error() != strings.Join(lines, "\n") {
		return nil
	}
	return list.Unwrap()
}
