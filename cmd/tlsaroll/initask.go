package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/draft"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
)

// dialogue gets answers: from a person, or by the defaults where nobody is to be asked.
type dialogue struct {
	ui      *ui
	lines   *bufio.Reader // nil: nobody is asked
	guesses []error       // what somebody would have to be asked
}

// answer gets one. What wrong has to say of an answer is told, and it is asked again.
func (d *dialogue) answer(ctx context.Context, q draft.Question, wrong func(string) error) (string, error) {
	if d.lines == nil {
		if q.Guess != "" {
			d.guesses = append(d.guesses, fmt.Errorf("init: %s (hint: %s decides it)", q.Guess, q.Option))
		}
		return q.Default, nil
	}
	if q.Guess != "" {
		d.ui.say(q.Guess, "")
	}
	for {
		prompt := q.Text
		if q.Default != "" {
			prompt += " [" + q.Default + "]"
		}
		d.ui.say(prompt, "")
		line, err := d.typed(ctx)
		text := strings.TrimSpace(line)
		switch {
		case ctx.Err() != nil:
			return "", errStopped
		case err != nil && text == "":
			return "", errNobody
		}
		if text == "" {
			text = q.Default
		}
		why := wrong(text)
		if why == nil {
			return text, nil
		}
		d.ui.say(why.Error(), "")
	}
}

// typed is the next line, which nobody waits for who ends the program.
func (d *dialogue) typed(ctx context.Context) (string, error) {
	type read struct {
		line string
		err  error
	}
	next := make(chan read, 1)
	go func() {
		line, err := d.lines.ReadString('\n')
		next <- read{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-next:
		return r.line, r.err
	}
}

// settle has all that is open decided.
func (p *program) settle(ctx context.Context, w *draft.World, o initOptions) (initOptions, error) {
	d := &dialogue{ui: p.ui}
	if !o.yes {
		d.lines = bufio.NewReader(p.ui.stdin)
	}
	for _, note := range w.Notes {
		p.ui.warn(note, "")
	}
	a := &o.Answers
	if len(a.Hosts) == 0 {
		text, err := d.answer(ctx, w.AskHosts(), wrongHosts)
		if err != nil {
			return o, err
		}
		a.Hosts = once(strings.Fields(text))
		if slices.ContainsFunc(a.Hosts, func(name string) bool { _, seen := w.Hosts[name]; return !seen }) && w.Blind == "" && d.lines != nil {
			if err := p.lookAt(ctx, w, o, a.Hosts); err != nil {
				return o, err
			}
		}
	}
	if len(a.Hosts) == 0 {
		return o, usage(d.guesses...)
	}
	if err := d.certificates(ctx, *w, a); err != nil {
		return o, err
	}
	if a.Provider == "" {
		var err error
		if a.Provider, err = d.answer(ctx, w.AskProvider(*a), func(s string) error { return wrongProvider(*w, s) }); err != nil {
			return o, err
		}
	}
	if err := p.tsig(ctx, d, *w, &o); err != nil {
		return o, err
	}
	if a.Mail == "" && w.Sendmail {
		var err error
		if a.Mail, err = d.answer(ctx, w.AskMail(*a), wrongMail); err != nil {
			return o, err
		}
	} else if err := wrongMail(a.Mail); a.Mail != "" && err != nil {
		d.guesses = append(d.guesses, fmt.Errorf("--mail %q: %w", a.Mail, err))
	}
	if len(d.guesses) > 0 {
		return o, usage(d.guesses...)
	}
	return o, nil
}

// tsig has the key for dynamic updates taken from a file, or left for later.
func (p *program) tsig(ctx context.Context, d *dialogue, w draft.World, o *initOptions) error {
	var key finder.TSIGKey
	take := func(file string) (err error) {
		if file == draft.Later {
			return nil
		}
		if file, err = filepath.Abs(file); err == nil {
			key, err = p.thisHost().ReadTSIG(file, w.WantedKey(o.Answers))
		}
		return err
	}
	switch q := w.AskTSIG(o.Answers); {
	case o.TSIG != "" && o.Provider != "rfc2136":
		d.guesses = append(d.guesses, fmt.Errorf("--tsig %s: the zone is changed through %s, which takes no such key (hint: --provider rfc2136)", o.TSIG, o.Provider))
		return nil
	case o.TSIG != "":
		if err := take(o.TSIG); err != nil {
			return usage(fmt.Errorf("--tsig %w", err))
		}
	case q == nil:
		return nil
	default:
		file, err := d.answer(ctx, *q, take)
		if err != nil || file == draft.Later {
			return err
		}
		if d.lines == nil { // nobody saw to it yet
			if err := take(file); err != nil {
				return usage(fmt.Errorf("%w (hint: --tsig FILE names another)", err))
			}
		}
	}
	o.TSIG, o.Key, o.secret = key.File, key.Key, key.Secret
	return nil
}

// certificates has it decided which pairs follow those that are served.
func (d *dialogue) certificates(ctx context.Context, w draft.World, a *draft.Answers) error {
	for _, name := range a.Certs {
		if err := wrongCert(w, name); err != nil {
			return usage(fmt.Errorf("--cert %s: %w", name, err))
		}
	}
	for q := w.AskCertificate(*a); q != nil; q = w.AskCertificate(*a) {
		text, err := d.answer(ctx, *q, func(s string) error { return wrongCert(w, s) })
		if err != nil {
			return err
		}
		if slices.Contains(a.Certs, text) || d.lines == nil { // asked again it would be the same
			return nil
		}
		a.Certs = append(a.Certs, text)
	}
	return nil
}

func wrongCert(w draft.World, name string) error {
	var known []string
	for _, p := range w.Pairs {
		if p.String() == name {
			return nil
		}
		known = append(known, p.String())
	}
	if len(known) == 0 {
		return errors.New("no ACME client keeps a certificate here (hint: tlsaroll rollover hands one in)")
	}
	return fmt.Errorf("no ACME client keeps that here (hint: there are: %s)", list(known))
}

func wrongHosts(text string) error {
	if text == "" {
		return errors.New("a name is wanted, as in mx1.example.org")
	}
	for _, name := range strings.Fields(text) {
		host, err := config.Host(name)
		switch {
		case err != nil:
			return err
		case host != name:
			return fmt.Errorf("%q is written %s", name, host)
		case !strings.Contains(host, "."):
			return fmt.Errorf("%q is not a full name (hint: write it whole, as in mx1.example.org)", name)
		}
	}
	return nil
}

// once are names without those that were said before.
func once(names []string) (out []string) {
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func wrongProvider(w draft.World, kind string) error {
	if refused, ok := refusedTypes()[kind]; ok {
		return fmt.Errorf("not supported: %s (hint: %s)", refused.Reason, refused.Instead)
	}
	if what, hint := w.WrongProvider(kind); what != "" {
		return fmt.Errorf("%s (hint: %s)", what, hint)
	}
	return nil
}

func wrongMail(text string) error {
	if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
		return errors.New("no mail address (hint: write postmaster@example.org)")
	}
	return nil
}
