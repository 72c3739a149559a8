package notify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// Config is what a [Teller] works with.
type Config struct {
	Notifiers []config.Notifier
	At        rollover.Severity // the least that people are told of
	Remind    time.Duration     // how often of what lasts; 0: once
	Swaps     bool              // people are told of certificates in service, too
	File      string            // what was told, durably; its directory exists and is private
	Host      string            // this host's name
	Now       func() time.Time
	Log       *slog.Logger

	// Run runs a command with text on its standard input and gives what it prints;
	// nil: as a process.
	Run func(ctx context.Context, argv []string, stdin []byte) ([]byte, error)
}

// Teller tells people about warnings. It is safe for concurrent use.
type Teller struct {
	cfg     Config
	outlets []*outlet
	bell    chan struct{} // there are new letters

	mu      sync.Mutex // of what follows, and of the outlets
	told    Told
	letters []letter // on their way, the oldest first
	changed bool     // since the file was written
	unkept  error    // why it could not be written the last time
}

// New reads what was told before. A file that cannot be used is moved aside, which
// is logged, and everything is told anew.
func New(cfg Config) (*Teller, error) {
	outlets, err := outletsOf(cfg)
	if err != nil {
		return nil, err
	}
	for _, o := range outlets {
		if o.trouble != "" {
			cfg.Log.Warn("people cannot be told of warnings", "to", o.name, "err", o.trouble)
		}
	}
	t := &Teller{cfg: cfg, outlets: outlets, bell: make(chan struct{}, 1), told: Told{}}
	if err := sweep(cfg.File); err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	c, aside, why, err := load(cfg.File)
	if err != nil {
		return nil, fmt.Errorf("notify: what was told before: %w", err)
	}
	if why != nil {
		cfg.Log.Warn("what people were told before cannot be read: it was moved aside, and they are told anew", "moved", aside, "err", why)
	}
	for _, e := range c.Told {
		if rank(e.Severity) >= rank(cfg.At) { // else people have asked since not to hear of it
			t.told[e.key()] = e
		}
	}
	t.letters = slices.DeleteFunc(c.Pending, func(l letter) bool {
		return !slices.ContainsFunc(outlets, func(o *outlet) bool { return o.name == l.To })
	})
	return t, nil
}

// See takes in all warnings that there are now, of all lineages and of the
// program, and returns at once. What people are to be told is delivered by
// [Teller.Run]. Reminders and clearings come with the first See after they are due.
func (t *Teller) See(all []Notice) {
	if len(t.outlets) == 0 {
		return
	}
	var seen []Notice
	for _, n := range all {
		if rank(n.Severity) >= rank(t.cfg.At) {
			seen = append(seen, n)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.cfg.Now()
	before := t.told
	var messages []Message
	t.told, messages = t.told.Next(seen, t.cfg.Remind, now)
	if !t.told.sameAway(before) {
		t.changed = true
	}
	t.write(messages, now)
}

// Happened takes in what happened a moment ago, and returns at once. Of all that people are
// told of nothing but certificates that are in service, if they want that.
func (t *Teller) Happened(events []rollover.Event) {
	var messages []Message
	for _, e := range events {
		if t.cfg.Swaps && e.Kind == rollover.Verified {
			messages = append(messages, inService(e))
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(messages, t.cfg.Now())
}

// inService tells of a certificate that this host was seen to serve.
func inService(e rollover.Event) Message {
	n := Notice{Lineage: e.Lineage, Severity: rollover.Info, About: e.Pair.Short(), Since: e.At.UTC().Truncate(time.Second), Text: "certificate " + e.Pair.Short() + " is in service, and was seen to be served"}
	if e.From != "" {
		n.Text += ", in place of " + e.From.Short()
	}
	if !e.NotAfter.IsZero() {
		n.Text += "; it ends on " + e.NotAfter.UTC().Format(time.DateOnly)
	}
	return Message{Event: InService, Notice: n}
}

// write has messages delivered through every outlet. Whoever calls it has the lock.
func (t *Teller) write(messages []Message, now time.Time) {
	if len(messages) == 0 || len(t.outlets) == 0 {
		return
	}
	for _, m := range messages {
		m.Host = t.cfg.Host
		if e, ok := m.Code.Explain(); ok && m.Fix == "" {
			m.Fix = e.Do
		}
		for _, o := range t.outlets {
			t.letters = append(t.letters, letter{o.name, now, m})
		}
	}
	t.changed = true
	select {
	case t.bell <- struct{}{}:
	default:
	}
}

// Troubles says which outlets did not take the last thing they were to tell, and
// whether what was told cannot be made durable; none while all is well.
func (t *Teller) Troubles() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for _, o := range t.outlets {
		if o.trouble != "" {
			out = append(out, o.name+": "+o.trouble)
		}
	}
	if t.unkept != nil {
		out = append(out, "what was told cannot be written down, and is told again after a restart: "+t.unkept.Error())
	}
	return out
}
