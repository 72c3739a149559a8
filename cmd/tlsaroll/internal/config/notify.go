package config

import (
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"
)

func (r *reader) readNotify(f *fields, c *Config) {
	choice(f, "notify-at", &c.NotifyAt, "info", "warning", "error")
	f.readRemind(&c.NotifyRemind)
	f.flag("notify-swaps", &c.NotifySwaps)
	v, ok := f.take("notify")
	if !ok {
		return
	}
	if words, ok := v.words(); ok {
		v.fail("not a list of argument lists", "write ["+argumentList(words)+"]")
		return
	}
	for _, item := range v.list() {
		if n, ok := item.notifier(); ok {
			c.Notify = append(c.Notify, n)
		}
	}
}

// readRemind reads how often people are reminded; 0, without a unit, is never.
func (f *fields) readRemind(to *time.Duration) {
	if v, ok := f.take("notify-remind"); ok {
		if s, isText := v.scalarText(); isText && s == "0" {
			*to = 0
			return
		}
	}
	f.duration("notify-remind", to, span{10 * time.Minute, 365 * day})
}

// notifier reads an argument list, {mail: …}, {smtp: …} or {webhook: …}.
func (v value) notifier() (n Notifier, ok bool) {
	if _, isList := v.words(); isList || !v.isMapping() {
		n.Command, ok = v.command()
		return n, ok
	}
	f, ok := v.mapping("")
	if !ok {
		return n, false
	}
	smtp := f.has("smtp")
	ways := 0
	for _, key := range []string{"mail", "smtp", "webhook", "webhook-file", "webhook-env", "webhook-credential"} {
		if f.has(key) {
			ways++
		}
	}
	f.mailAddress("mail", &n.Mail)
	if smtp {
		f.readSMTP(&n.SMTP)
	}
	f.readWebhook(&n, ways == 1 && n.Mail == "" && !smtp)
	f.done()
	if ways != 1 {
		v.fail("not one way of telling", "write {mail: postmaster@example.org}, {smtp: HOST, …} or {webhook: URL}, one an item")
	}
	return n, ways == 1
}

// mailAddress reads a bare address.
func (f *fields) mailAddress(name string, to *string) {
	v, ok := f.take(name)
	if !ok {
		return
	}
	const hint = "write it bare, as in postmaster@example.org"
	s, ok := v.text(hint)
	if !ok {
		return
	}
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
		v.fail(fmt.Sprintf("%q is not a mail address", s), hint)
	}
	*to = s
}

// readSMTP reads a mail server, and whose mail it is to take.
func (f *fields) readSMTP(to *SMTP) {
	const hint = "write smtp: mail.example.org:587"
	if v, ok := f.take("smtp"); ok {
		if s, ok := v.text(hint); ok {
			to.Server, _ = v.hostPort(s, "587", hint)
		}
	}
	f.mailAddress("from", &to.From)
	f.mailAddress("to", &to.To)
	for _, key := range []string{"from", "to"} {
		if !f.has(key) {
			f.lacks("no "+key, "write "+key+": postmaster@example.org")
		}
	}
	if v, ok := f.take("user"); ok {
		to.User, _ = v.text("write the name to log in with")
	}
	password, at, given := f.secret("password", f.has("user"))
	if to.Password = password; given && !f.has("user") {
		at.lacks("a password, and no user", "write user: NAME, or take the password out")
	}
}

// readWebhook reads a URL, and what understands it.
func (f *fields) readWebhook(n *Notifier, wanted bool) {
	if w, ok := f.take("webhook"); ok {
		if s, ok := w.text("write a URL of https"); ok {
			w.webhook(s)
			n.Webhook = NewSecret([]byte(s))
		}
	}
	if !f.has("webhook") {
		if s, at, ok := f.secret("webhook", false); ok {
			at.webhook(string(s.Reveal()))
			n.Webhook = s
		}
	}
	if !wanted {
		return
	}
	n.Format = FormatJSON
	choice(f, "format", &n.Format, FormatJSON, FormatSlack, FormatMatrix, FormatNtfy)
	if v, ok := f.take("room"); ok {
		const hint = `write the room's id, as in "!abc:example.org": a client shows it among the room's settings`
		if s, ok := v.text(hint); ok {
			if n.Room = s; !strings.HasPrefix(s, "!") {
				v.fail(fmt.Sprintf("%q is not the id of a room", s), hint)
			}
		}
		if n.Format != FormatMatrix {
			v.fail("a room, and no format that has one", "write format: matrix, or take it out")
		}
	}
	token, at, given := f.secret("token", n.Format == FormatMatrix)
	n.Token = token
	switch {
	case n.Format == FormatMatrix && !f.has("room"):
		f.lacks("no room", `write room: "!abc:example.org"`)
	case n.Format == FormatSlack && given:
		at.lacks("a token, which this format has no use for", "take it out: the URL of an incoming webhook is all that it takes")
	}
}

// webhook checks a URL, and never quotes it: it may hold a token.
func (v value) webhook(s string) {
	if v.SkipSecrets && s == "" {
		return
	}
	if u, err := url.Parse(s); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		v.fail("not an http or https URL", "write a URL of https")
	}
}
