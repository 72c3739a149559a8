package config

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// ACME is an order of our own at one CA.
type ACME struct {
	Directory string // URL
	Email     string
	// EABKeyID and EABKey bind the account to one that the CA gives its customers; "": it
	// is bound to none. The key is base64url.
	EABKeyID  string
	EABKey    Secret
	Challenge string // dns-01, http-01 or tls-alpn-01
	Address   string // where http-01 and tls-alpn-01 listen, host:port; "": on the challenge's port
	KeyType   certwatch.KeyType
	Profile   string
	// PreferredChain is the common name of the issuer of the topmost certificate.
	PreferredChain string
	CAFile         string // absolute path: roots to trust for the directory; "": the system's
}

const acmeExample = "write acme: {directory: https://…, email: postmaster@example.org}, or a list of such, to be asked in order"

// readACME reads orders of our own: at one CA, or at several in order.
func (v value) readACME(l *Lineage) {
	items := v.list()
	if len(items) == 0 {
		v.fail("no CA", acmeExample)
	}
	for _, item := range items {
		a, ok := item.readCA()
		if !ok {
			continue
		}
		if slices.ContainsFunc(l.ACME, func(b ACME) bool { return a.Directory != "" && a.Directory == b.Directory }) {
			item.fail(a.Directory+" is given twice", "keep one")
		}
		if len(l.ACME) > 0 && a.KeyType != l.ACME[0].KeyType {
			item.fail(fmt.Sprintf("key-type %s, and %s at the first CA: the key is one, whoever signs it", a.KeyType, l.ACME[0].KeyType), "write the same key-type at each")
		}
		l.ACME = append(l.ACME, a)
	}
}

func (v value) readCA() (ACME, bool) {
	a := ACME{Challenge: "dns-01", KeyType: certwatch.EC256}
	f, ok := v.mapping(acmeExample)
	if !ok {
		return a, false
	}
	f.readDirectory(&a)
	if e, ok := f.take("email"); ok {
		const hint = "write it bare, as in postmaster@example.org"
		if s, ok := e.text(hint); ok {
			if m, err := mail.ParseAddress(s); err != nil || m.Address != s {
				e.fail(fmt.Sprintf("%q is not a mail address", s), hint)
			}
			a.Email = s
		}
	}
	if e, ok := f.take("eab"); ok {
		e.readEAB(&a)
	}
	choice(&f, "challenge", &a.Challenge, "dns-01", "http-01", "tls-alpn-01")
	if v, ok := f.take("address"); ok {
		a.Address, _ = v.listenAddress()
		if a.Challenge == "dns-01" {
			v.warn("has no effect: dns-01 listens nowhere", "take it out, or write challenge: http-01")
		}
	}
	choice(&f, "key-type", &a.KeyType, certwatch.KeyTypes()...)
	if p, ok := f.take("profile"); ok {
		a.Profile, _ = p.text("write a profile that the CA offers")
	}
	if p, ok := f.take("preferred-chain"); ok {
		a.PreferredChain, _ = p.text("write the common name of a root, as in ISRG Root X2")
	}
	f.file("ca-file", &a.CAFile, "/etc/tlsaroll/ca.pem")
	f.done()
	return a, true
}

func (f *fields) readDirectory(a *ACME) {
	const hint = "write the URL of the CA's ACME directory"
	d, ok := f.take("directory")
	if !ok {
		if !f.has("directory") {
			f.lacks("no directory", hint)
		}
		return
	}
	if s, ok := d.text(hint); ok {
		if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" {
			d.fail(fmt.Sprintf("%q is not an https URL", s), hint)
		}
		a.Directory = s
	}
}

// readEAB reads an account at the CA that ours is bound to (RFC 8555, section 7.3.4).
func (v value) readEAB(a *ACME) {
	const example = "write eab: {key-id: …, hmac-file: /etc/tlsaroll/eab.hmac}, as the CA gives them"
	f, ok := v.mapping(example)
	if !ok {
		return
	}
	if k, ok := f.take("key-id"); ok {
		a.EABKeyID, _ = k.text("write the key identifier that the CA gives")
	} else if !f.has("key-id") {
		f.lacks("no key-id", example)
	}
	key, at, ok := f.secret("hmac", true)
	f.done()
	if !ok || v.SkipSecrets {
		return
	}
	// As CAs show it: base64url, some with padding, some in the other alphabet.
	text := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(string(key.Reveal()))
	if raw, err := base64.RawURLEncoding.DecodeString(text); err != nil || len(raw) == 0 {
		at.fail("the secret is not base64url", "put the HMAC key alone there, as the CA shows it")
		return
	}
	a.EABKey = NewSecret([]byte(text))
}

// listenAddress reads where to listen: a port with or without an address.
func (v value) listenAddress() (string, bool) {
	const hint = "write a port of every address, as in :80, or of one, as in 192.0.2.1:80"
	s, ok := v.text(hint)
	if !ok {
		return "", false
	}
	host, port, err := net.SplitHostPort(s)
	if _, bad := netip.ParseAddr(host); err != nil || host != "" && bad != nil {
		v.fail(fmt.Sprintf("%q is not an address with a port", s), hint)
		return "", false
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		v.fail(fmt.Sprintf("%q is not a port", port), hint)
		return "", false
	}
	return s, true
}

// readNames reads what certificates are ordered for: the hosts of the endpoints unless
// other names are given. It comes after the endpoints and the CAs.
func (f *fields) readNames(l *Lineage) {
	v, ok := f.take("names")
	if !ok {
		for _, e := range l.Endpoints {
			if !slices.Contains(l.Names, e.Host) {
				l.Names = append(l.Names, e.Host)
			}
		}
		return
	}
	const example = "write names: [mx1.example.org], or leave it out for the hosts of the endpoints"
	items := v.list()
	if len(items) == 0 {
		v.fail("no names", example)
	}
	for _, item := range items {
		s, ok := item.text(example)
		if !ok {
			continue
		}
		bare, wild := strings.CutPrefix(s, "*.")
		name, err := Host(bare)
		if err != nil {
			item.failed(err, example)
			continue
		}
		if _, err := netip.ParseAddr(name); err == nil {
			item.fail(name+" is an address, and certificates are ordered for names", example)
			continue
		}
		if wild {
			name = "*." + name
			if i := slices.IndexFunc(l.ACME, func(a ACME) bool { return a.Challenge != "dns-01" }); i >= 0 {
				item.fail(fmt.Sprintf("%s cannot prove the wildcard %s", l.ACME[i].Challenge, name), "write challenge: dns-01, or the names one by one")
				continue
			}
		}
		if slices.Contains(l.Names, name) {
			item.fail(name+" is given twice", "keep one")
			continue
		}
		l.Names = append(l.Names, name)
	}
	// A certificate that none of the endpoints' clients takes is ordered by mistake.
	for _, e := range l.Endpoints {
		_, parent, _ := strings.Cut(e.Host, ".")
		if len(l.Names) > 0 && !slices.Contains(l.Names, e.Host) && !slices.Contains(l.Names, "*."+parent) {
			v.warn("the host "+e.Host+" of an endpoint is not among them", "add it, as clients other than DANE's go by the name")
		}
	}
}
