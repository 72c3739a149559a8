package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// tries is how often one delivery is tried: over 20 minutes, about.
const tries = 6

// outlet is one way of telling people.
type outlet struct {
	name  string   // by its place in the configuration, without secrets
	kinds []string // what people call it
	most  int      // letters it takes at once
	send  func(ctx context.Context, batch []letter) error

	failures int
	pause    backoff.ExponentialBackOff
	again    time.Time // not before then
	trouble  string    // why something was given up; "" once something went through
}

// retry reports whether what failed is tried again, and sets when. After one was
// given up, those behind it get one try each: if one message is what an outlet
// cannot take, the others get through, and if it is the outlet, they keep nobody busy.
func (o *outlet) retry(now time.Time) bool {
	if o.failures++; o.failures >= tries {
		return false
	}
	o.again = now.Add(o.pause.NextBackOff())
	return true
}

// rest forgets failures.
func (o *outlet) rest() {
	o.failures, o.again = 0, time.Time{}
	o.pause = backoff.ExponentialBackOff{InitialInterval: 10 * time.Second, Multiplier: 3, RandomizationFactor: 0.2, MaxInterval: 15 * time.Minute}
	o.pause.Reset()
}

// outletsOf are the ways that the configuration has.
func outletsOf(cfg Config) ([]*outlet, error) {
	run := cfg.Run
	if run == nil {
		run = execute
	}
	var out []*outlet
	for i, n := range cfg.Notifiers {
		o := &outlet{most: 1}
		place := fmt.Sprintf("notify[%d]", i)
		switch {
		case len(n.Command) > 0:
			o.name = place + " (" + n.Command[0] + ")" // arguments may be secret
			o.kinds = []string{"command"}
			o.send = command{n.Command, run}.send
		case n.Mail != "":
			o.name, o.most, o.kinds = place+" (mail to "+n.Mail+")", maxMail, []string{"mail"}
			m := mailer{n.Mail, cfg.Host, run, sendmails}
			o.send = m.send
			if _, err := m.program(); err != nil {
				o.trouble = err.Error() // known before there is anything to tell
			}
		case n.SMTP.Server != "":
			o.name, o.most, o.kinds = place+" (mail to "+n.SMTP.To+" through "+n.SMTP.Server+")", maxMail, []string{"mail", "smtp"}
			o.send = submitter{SMTP: n.SMTP, host: cfg.Host, clear: loopback}.send
		default:
			o.name, o.kinds = place+" (webhook)", []string{"webhook", string(n.Format)}
			if n.Format != "" && n.Format != config.FormatJSON {
				o.name = place + " (webhook for " + string(n.Format) + ")"
			}
			w, err := newWebhook(n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", o.name, err)
			}
			o.send = w.send
		}
		o.rest()
		out = append(out, o)
	}
	return out, nil
}

// line is a message as JSON.
func (m Message) line() ([]byte, error) {
	text, err := json.Marshal(m)
	return append(text, '\n'), err
}
