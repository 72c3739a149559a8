package config

import (
	"fmt"
	"net/mail"
	"net/url"
)

// readACME reads an order of our own.
func (v value) readACME() *ACME {
	a := &ACME{Challenge: "dns-01", KeyType: "ec256"}
	f, ok := v.mapping("write acme: {directory: https://…, email: postmaster@example.org}")
	if !ok {
		return a
	}
	const hint = "write the URL of the CA's ACME directory"
	if d, ok := f.take("directory"); ok {
		if s, ok := d.text(hint); ok {
			if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" {
				d.fail(fmt.Sprintf("%q is no URL of https", s), hint)
			}
			a.Directory = s
		}
	} else if !f.has("directory") {
		f.lacks("no directory", hint)
	}
	if e, ok := f.take("email"); ok {
		const hint = "write it bare, as in postmaster@example.org"
		if s, ok := e.text(hint); ok {
			if m, err := mail.ParseAddress(s); err != nil || m.Address != s {
				e.fail(fmt.Sprintf("%q is no mail address", s), hint)
			}
			a.Email = s
		}
	}
	choice(&f, "challenge", &a.Challenge, "dns-01", "http-01", "tls-alpn-01")
	choice(&f, "key-type", &a.KeyType, "ec256", "ec384", "rsa2048", "rsa3072", "rsa4096")
	if p, ok := f.take("profile"); ok {
		a.Profile, _ = p.text("write a profile that the CA offers")
	}
	f.done()
	return a
}
