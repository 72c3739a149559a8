//go:build gsstsig

package rfc2136

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const (
	// gssAlgorithm is the name that RFC 3645 gives it.
	gssAlgorithm = "gss-tsig."
	// gssMode of TKEY is the one for GSS-API (RFC 2930, section 2.5).
	gssMode = 3
	// gssLifetime is how long a key is asked for; servers go by the ticket.
	gssLifetime = 8 * time.Hour
)

// contexts negotiates keys on the strength of Kerberos tickets, one for each address, and
// remembers them.
type contexts struct {
	p       *Provider
	account *account
	service types.PrincipalName // of the server, if it is configured
	realm   string              // of the service, "" if it is not configured

	mu    sync.Mutex
	names map[string]string // of servers, by address
	keys  map[string]*key   // by address
}

// newNegotiator checks the settings, and that the keytab has what they say.
func newNegotiator(p *Provider, c Config) (negotiator, error) {
	fail := func(err error) (negotiator, error) { return nil, fmt.Errorf("GSS-TSIG: %w", err) }
	n := &contexts{p: p, names: map[string]string{}, keys: map[string]*key{}}
	n.account = &account{keytabFile: c.GSS.Keytab, configFile: c.GSS.Krb5Conf, timeout: p.timeout, now: p.now, dial: c.Dial}
	if n.account.dial == nil {
		n.account.dial = new(net.Dialer).DialContext
	}
	if c.GSS.Principal == "" || c.GSS.Keytab == "" {
		return fail(errors.New("it takes a principal and a keytab (hint: set gss-principal and gss-keytab)"))
	}
	var err error
	if n.account.name, n.account.realm, err = parsePrincipal(c.GSS.Principal); err != nil {
		return fail(err)
	}
	if c.GSS.Service != "" {
		if n.service, n.realm, err = parsePrincipal(c.GSS.Service); err != nil {
			return fail(fmt.Errorf("gss-service: %w", err))
		}
	} else if host, _, err := net.SplitHostPort(p.server); err == nil && net.ParseIP(withoutScope(host)) != nil {
		return fail(fmt.Errorf("the server %s is an address, and tickets are for names (hint: configure the server by its name, or set gss-service to its principal, such as DNS/ns1.example.org)", host))
	}
	if err := n.account.check(); err != nil {
		return fail(err)
	}
	return n, nil
}

func (n *contexts) named(host string, addresses []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range addresses {
		n.names[a] = strings.TrimSuffix(host, ".")
	}
}

func (n *contexts) forget(s *session) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.keys, s.address)
}

func (n *contexts) rightsHint(owner tlsa.Owner, rtype string) string {
	return fmt.Sprintf("may %s change %s at this name, in BIND as by grant %q name %s %s; in Active Directory, may it write to the node; and is this the primary",
		n.account, rtype, n.account, owner, rtype)
}

// key is that of the session's server. It is given up a while before it ends, as clocks
// are not the same.
func (n *contexts) key(ctx context.Context, s *session) (*key, *trouble) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if k := n.keys[s.address]; k != nil && n.p.now().Before(k.until.Add(-fudge)) {
		return k, nil
	}
	delete(n.keys, s.address)
	k, t := n.negotiate(ctx, s)
	if t != nil {
		return nil, t
	}
	n.keys[s.address] = k
	return k, nil
}

// negotiate gets a ticket for the server and agrees on a key with it (RFC 3645, section 3).
func (n *contexts) negotiate(ctx context.Context, s *session) (*key, *trouble) {
	service := n.service
	if len(service.NameString) == 0 {
		name := n.names[s.address]
		if name == "" {
			return nil, &trouble{kind: dnsprovider.Malformed, err: errors.New("the server's name is not known, and tickets are for names"), hint: "set gss-service to its principal, such as DNS/ns1.example.org"}
		}
		service, _, _ = parsePrincipal("DNS/" + name)
	}
	t, err := n.account.ticketFor(ctx, service, n.realm)
	if err != nil {
		return nil, n.account.ticketTrouble(ctx, err, service.PrincipalNameString())
	}
	h, err := initiate(t, n.p.now())
	if err != nil {
		return nil, &trouble{kind: dnsprovider.Malformed, err: errors.New("the ticket cannot be used")}
	}
	query := n.query(service, h.token)
	raw, failed := n.exchange(ctx, s, query)
	if failed != nil {
		return nil, failed
	}
	k, failed := n.settle(h, query, raw, service.PrincipalNameString())
	if failed == nil && t.until.Before(k.until) {
		k.until = t.until
	}
	return k, failed
}

// query asks for a key of a name that nobody has used before (RFC 3645, section 3.1.2).
func (n *contexts) query(service types.PrincipalName, token []byte) *dns.Msg {
	var unique [8]byte
	rand.Read(unique[:]) // it never fails
	name := dns.CanonicalName(fmt.Sprintf("%x.sig-%s", unique, service.NameString[len(service.NameString)-1]))
	now := n.p.now()
	m := new(dns.Msg)
	m.Question = []dns.Question{{Name: name, Qtype: dns.TypeTKEY, Qclass: dns.ClassANY}}
	m.Extra = []dns.RR{&dns.TKEY{
		Hdr:       dns.RR_Header{Name: name, Rrtype: dns.TypeTKEY, Class: dns.ClassANY},
		Algorithm: gssAlgorithm, Mode: gssMode,
		Inception: uint32(now.Unix()), Expiration: uint32(now.Add(gssLifetime).Unix()),
		KeySize: uint16(len(token)), Key: hex.EncodeToString(token),
	}}
	return m
}

// exchange sends the query over the session, unsigned: there is no key yet.
func (n *contexts) exchange(ctx context.Context, s *session, query *dns.Msg) (raw []byte, t *trouble) {
	s.key = nil
	reused := s.replies > 0
	for {
		err := s.round(ctx, []*dns.Msg{query}, func(_ int, reply, _ []byte) { raw = reply })
		if err == nil {
			return raw, nil
		}
		s.close()
		if !reused || !errors.Is(err, errClosed) || ctx.Err() != nil {
			return nil, n.p.unanswered(ctx, err, unheard)
		}
		reused = false
	}
}

// settle makes the key of the server's reply. The last reply of a negotiation is signed
// with that key, though the request was not signed (RFC 3645, section 2.2), which proves
// all of it. Of a request without a signature there is nothing in the reply's, not even
// that it is of no length ([MS-GSSA]); BIND does the same.
func (n *contexts) settle(h *handshake, query *dns.Msg, raw []byte, service string) (*key, *trouble) {
	reply, t := n.p.check(nil, query, raw, nil)
	if t != nil {
		return nil, t
	}
	if reply.Rcode != dns.RcodeSuccess {
		return nil, &trouble{
			kind: dnsprovider.Refused, err: fmt.Errorf("%s: the server negotiates no keys", rcodeName(reply.Rcode)),
			hint: "is it a server with GSS-TSIG: BIND wants tkey-gssapi-keytab, Windows a zone with secure updates",
		}
	}
	unauthentic := func(err error) *trouble {
		return &trouble{kind: dnsprovider.Unauthentic, err: err, hint: fmt.Sprintf("is this the server that %s is, and nothing between it and here", service)}
	}
	name := query.Question[0].Name
	tkey := tkeyOf(reply, name)
	switch {
	case tkey == nil:
		return nil, &trouble{kind: dnsprovider.Malformed, err: errors.New("the server's reply has no key in it"), hint: "is it a server with GSS-TSIG"}
	case tkey.Error != dns.RcodeSuccess:
		return nil, &trouble{
			kind: dnsprovider.Refused, err: fmt.Errorf("%s: the server does not accept the ticket for %s", tkeyError(tkey.Error), service),
			hint: "has the server's keytab the current key of that principal, and do its clock and this host's agree; its log says more",
		}
	}
	token, err := hex.DecodeString(tkey.Key)
	if err != nil {
		return nil, unauthentic(errors.New("the server's answer cannot be read"))
	}
	c, err := h.complete(token)
	var refusal *kerberosError
	switch {
	case errors.As(err, &refusal):
		t := &trouble{kind: dnsprovider.Refused, err: fmt.Errorf("the server does not accept the ticket for %s: %w", service, err)}
		n.account.explain(t, refusal)
		return nil, t
	case err != nil:
		return nil, unauthentic(fmt.Errorf("the server's answer proves nothing: %w", err))
	}
	now := n.p.now()
	k := &key{name: name, algorithm: gssAlgorithm, macs: c, until: now.Add(gssLifetime)}
	switch err := k.verify(raw, nil, now); {
	case errors.Is(err, errUnsigned):
		return nil, unauthentic(errors.New("the reply that a key was negotiated with is not signed with it: it is not believed (RFC 3645, section 2.2)"))
	case err != nil:
		return nil, unauthentic(err)
	}
	if until := time.Unix(int64(tkey.Expiration), 0); until.After(now) && until.Before(k.until) {
		k.until = until
	}
	return k, nil
}

// tkeyOf returns the one record of the reply that says what comes of the key.
func tkeyOf(reply *dns.Msg, name string) (found *dns.TKEY) {
	for _, rr := range reply.Answer {
		t, ok := rr.(*dns.TKEY)
		switch {
		case !ok:
			continue
		case found != nil:
			return nil
		case dns.CanonicalName(t.Hdr.Name) != name, dns.CanonicalName(t.Algorithm) != gssAlgorithm, t.Mode != gssMode:
			return nil
		}
		found = t
	}
	return found
}

// tkeyError is the mnemonic of an error in a TKEY record (RFC 2930, section 2.6).
func tkeyError(code uint16) string {
	if name, ok := dns.RcodeToString[int(code)]; ok {
		return name
	}
	return fmt.Sprintf("TKEY error %d", code)
}
