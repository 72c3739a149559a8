package acme

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-acme/lego/v4/acme"
	"github.com/go-acme/lego/v4/acme/api"
	"github.com/go-acme/lego/v4/certificate"
	"github.com/go-acme/lego/v4/challenge/tlsalpn01"
	legolog "github.com/go-acme/lego/v4/log"
)

// This is the only file that knows lego. What is used of it are the messages of RFC 8555
// with their nonces and signatures. Its own way through an order is not: it knows
// no context, sleeps, asks resolvers of its own choice and takes another chain than the
// one wanted in silence. It panics on keys that are not of its kinds, so that it is
// given CSRs alone.

// agent names us to CAs.
const agent = "tlsaroll"

// A session is a talk with one CA. Its calls are made one after the other.
type session struct {
	ca   string
	wire *wire
	core *api.Core
	now  func() time.Time
	mask []string // what must not be repeated
}

// connect reads the CA's directory. Without a key nothing but the directory and
// renewal information can be asked for; without a URI no more than the account.
func (i *Issuer) connect(ctx context.Context, ca CA, key crypto.Signer, uri string) (*session, error) {
	quiet(i.log)
	s := &session{ca: ca.name(), wire: newWire(ca.Roots, i.log.With("ca", ca.name())), now: i.cfg.Now}
	var err error
	s.core, err = call(ctx, s, stepDirectory, func() (*api.Core, error) {
		// The client is this session's alone: lego changes it.
		return api.New(&http.Client{Transport: s.wire}, agent, ca.Directory, uri, key)
	})
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) close() { s.wire.close() }

// call makes one of lego's calls, bounded by ctx. A call that nobody waits for any more
// ends by itself: its requests have the context too, and lego waits for nothing longer than
// the seconds between two nonces that the CA did not like.
func call[T any](ctx context.Context, s *session, step string, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, s.fail(step, context.Cause(ctx))
	}
	s.wire.during(ctx)
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return none, s.translate(ctx, step, r.err)
		}
		return r.value, nil
	case <-ctx.Done():
		return none, s.fail(step, context.Cause(ctx))
	}
}

// fail is the error of a step that the CA has no part in.
func (s *session) fail(step string, cause error) *Error {
	e := &Error{CA: s.ca, Step: step, Text: rootCause(cause), Err: cause}
	var unknown x509.UnknownAuthorityError
	if errors.As(cause, &unknown) {
		e.Hint = "if it is a CA of your own, write ca-file with what its web server's certificate goes back to"
	}
	return e
}

// translate puts what lego says into our words, from the CA's problem document and from
// what was seen on the wire. The rest of lego's text quotes whole replies.
func (s *session) translate(ctx context.Context, step string, err error) *Error {
	last := s.wire.lastExchange()
	var problem *acme.ProblemDetails
	switch {
	case ctx.Err() != nil:
		return s.fail(step, context.Cause(ctx))
	case errors.As(err, &problem):
		e := s.problem(step, problem)
		e.retryAfter = last.retryAfter
		return e
	case last.err != nil:
		return s.fail(step, last.err)
	case last.status >= http.StatusBadRequest:
		return &Error{CA: s.ca, Step: step, Status: last.status, retryAfter: last.retryAfter, Text: "the CA is in trouble: " + http.StatusText(last.status) + ", without a word why"}
	}
	e := &Error{CA: s.ca, Step: step, Text: "a reply that cannot be understood"}
	if step == stepDirectory {
		e.Hint = "is this the URL of an ACME directory (RFC 8555)"
	}
	return e
}

// problem puts a problem document into our words.
func (s *session) problem(step string, p *acme.ProblemDetails) *Error {
	e := &Error{CA: s.ca, Step: step, Status: p.HTTPStatus}
	if kind, ok := strings.CutPrefix(p.Type, typePrefix); ok {
		e.Type = printable(kind)
	}
	text := p.Detail
	for _, sub := range p.SubProblems {
		text += "; " + sub.Identifier.Value + ": " + strings.TrimPrefix(sub.Type, typePrefix) + ": " + sub.Detail
	}
	for _, secret := range s.mask {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	if e.Text = printable(text); e.Text == "" {
		e.Text = "without a word why"
	}
	e.Hint = hintFor(e.Type)
	return e
}

// profiles are those that the CA offers, with what it says of them.
func (s *session) profiles() map[string]string { return s.core.GetDirectory().Meta.Profiles }

// wantsExternal reports whether accounts have to be bound to others.
func (s *session) wantsExternal() bool { return s.core.GetDirectory().Meta.ExternalAccountRequired }

const stepAccount = "account"

// findAccount returns the URI of the account of the session's key.
func (s *session) findAccount(ctx context.Context) (string, error) {
	return s.account(ctx, func() (acme.ExtendedAccount, error) {
		return s.core.Accounts.New(acme.Account{OnlyReturnExisting: true})
	})
}

// newAccount makes an account of the session's key, or finds the one that there is. The
// terms of service are agreed to: who configures a CA wants its service.
func (s *session) newAccount(ctx context.Context, email, keyID, hmac string) (string, error) {
	request := acme.Account{TermsOfServiceAgreed: true, Contact: []string{}}
	if email != "" {
		request.Contact = append(request.Contact, "mailto:"+email)
	}
	return s.account(ctx, func() (acme.ExtendedAccount, error) {
		if keyID != "" {
			return s.core.Accounts.NewEAB(request, keyID, hmac)
		}
		return s.core.Accounts.New(request)
	})
}

func (s *session) account(ctx context.Context, ask func() (acme.ExtendedAccount, error)) (string, error) {
	account, err := call(ctx, s, stepAccount, ask)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(account.Location, "https://") {
		return "", &Error{CA: s.ca, Step: stepAccount, Text: "the CA gives no URI of the account"}
	}
	return account.Location, nil
}

// An order is one at the CA (RFC 8555, section 7.1.3).
type order struct {
	url, status, finalize, certificate string
	authorizations                     []string
	problem                            *Error // why it is invalid
}

// newOrder begins an order. replaces is a certificate's identifier, or "". A CA that has
// seen it replaced already is asked without (RFC 9773, section 5).
func (s *session) newOrder(ctx context.Context, names []string, profile, replaces string) (order, error) {
	o, err := call(ctx, s, stepOrder, func() (acme.ExtendedOrder, error) {
		return s.core.Orders.NewWithOptions(names, &api.OrderOptions{Profile: profile, ReplacesCertID: replaces})
	})
	return s.orderOf(stepOrder, o, err)
}

// getOrder reads an order again.
func (s *session) getOrder(ctx context.Context, step, url string) (order, error) {
	o, err := call(ctx, s, step, func() (acme.ExtendedOrder, error) { return s.core.Orders.Get(url) })
	o.Location = url
	return s.orderOf(step, o, err)
}

// finalize hands in the CSR.
func (s *session) finalize(ctx context.Context, o order, csr []byte) (order, error) {
	next, err := call(ctx, s, stepFinalize, func() (acme.ExtendedOrder, error) { return s.core.Orders.UpdateForCSR(o.finalize, csr) })
	next.Location = o.url
	return s.orderOf(stepFinalize, next, err)
}

func (s *session) orderOf(step string, o acme.ExtendedOrder, err error) (order, error) {
	if err != nil {
		return order{}, err
	}
	out := order{url: o.Location, status: o.Status, finalize: o.Finalize, certificate: o.Certificate, authorizations: o.Authorizations}
	if o.Error != nil {
		out.problem = s.problem(step, o.Error)
	}
	return out, nil
}

// An authorization is what the CA wants proven of one name (RFC 8555, section 7.1.4).
type authorization struct {
	name, status string
	challenges   []challenge
}

// A challenge is one way to prove it.
type challenge struct {
	kind, url, token string
	problem          *Error // why it failed
}

func (s *session) authorization(ctx context.Context, url string) (authorization, error) {
	a, err := call(ctx, s, stepAuthorization, func() (acme.Authorization, error) { return s.core.Authorizations.Get(url) })
	if err != nil {
		return authorization{}, err
	}
	out := authorization{name: a.Identifier.Value, status: a.Status}
	for _, c := range a.Challenges {
		ours := challenge{kind: c.Type, url: c.URL, token: c.Token}
		if c.Error != nil {
			ours.problem = s.problem(stepValidation(a.Identifier.Value), c.Error)
		}
		out.challenges = append(out.challenges, ours)
	}
	return out, nil
}

// accept tells the CA that the challenge is set up.
func (s *session) accept(ctx context.Context, url string) error {
	_, err := call(ctx, s, stepChallenge, func() (acme.ExtendedChallenge, error) { return s.core.Challenges.New(url) })
	return err
}

// keyAuthorization is what proves that the account's key was at hand (RFC 8555, section
// 8.1). Neither it nor the token is repeated in errors from then on.
func (s *session) keyAuthorization(token string) (string, error) {
	if token == "" {
		return "", errors.New("the CA gives no token")
	}
	text, err := s.core.GetKeyAuthorization(token)
	if err != nil {
		return "", errors.New("the account's key gives no key authorization")
	}
	s.mask = append(s.mask, text, token)
	return text, nil
}

// chains downloads the certificate in PEM: the CA's choice first, and the alternates,
// where they are asked for, in the order of their URLs. Those that cannot be had are
// done without.
func (s *session) chains(ctx context.Context, url string, alternates bool) ([][]byte, error) {
	var all map[string]*acme.RawCertificate
	var err error
	if alternates {
		all, err = call(ctx, s, stepCertificate, func() (map[string]*acme.RawCertificate, error) { return s.core.Certificates.GetAll(url, true) })
	}
	if err != nil {
		s.wire.log.Warn("not all chains of the certificate can be had", "error", err)
	}
	if all == nil {
		if all, err = call(ctx, s, stepCertificate, func() (map[string]*acme.RawCertificate, error) {
			cert, issuer, err := s.core.Certificates.Get(url, true)
			return map[string]*acme.RawCertificate{url: {Cert: cert, Issuer: issuer}}, err
		}); err != nil {
			return nil, err
		}
	}
	out := [][]byte{all[url].Cert}
	var others []string
	for link := range all {
		if link != url {
			others = append(others, link)
		}
	}
	slices.Sort(others)
	for _, link := range others {
		out = append(out, all[link].Cert)
	}
	return out, nil
}

// errNoRenewalInfo says that the CA does not offer any.
var errNoRenewalInfo = errors.New("the CA offers no renewal information")

// renewalInfo asks for the renewal information of a certificate and returns the body of
// a reply of success. lego's own reading takes an error page for a window that is open.
func (s *session) renewalInfo(ctx context.Context, id string) (body []byte, retryAfter string, err error) {
	if s.core.GetDirectory().RenewalInfo == "" {
		return nil, "", errNoRenewalInfo
	}
	body, err = call(ctx, s, stepRenewal, func() ([]byte, error) {
		resp, err := s.core.Certificates.GetRenewalInfo(id)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("HTTP %d", resp.StatusCode)
		}
		return io.ReadAll(resp.Body)
	})
	return body, s.wire.lastExchange().retryAfter, err
}

// certificateID is a certificate's name in renewal information and orders (RFC 9773,
// section 4.1).
func certificateID(leaf *x509.Certificate) (string, error) {
	if len(leaf.AuthorityKeyId) == 0 || leaf.SerialNumber == nil {
		return "", errors.New("a certificate without the identifier of its issuer's key or without a serial number")
	}
	return certificate.MakeARICertID(leaf)
}

// alpnCertificate is what proves a name under tls-alpn-01 (RFC 8737, section 3).
func alpnCertificate(name, keyAuthorization string) (*tls.Certificate, error) {
	return tlsalpn01.ChallengeCert(name, keyAuthorization)
}

// legoLog stands in for lego's logger, which is one for the whole process.
type legoLog struct {
	mu  sync.Mutex
	log *slog.Logger
}

// The one that lego has from the first session on. Who came last hears what it says; that
// is no more than that a nonce was not liked.
var (
	lego     = &legoLog{log: slog.New(slog.DiscardHandler)}
	legoOnce sync.Once
)

// quiet keeps lego from standard error, and has the logger hear what it says.
func quiet(log *slog.Logger) {
	legoOnce.Do(func() {
		legolog.Logger = lego
	})
	lego.mu.Lock()
	defer lego.mu.Unlock()
	lego.log = log
}

func (l *legoLog) say(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log.Debug("lego: " + printable(text))
}

func (l *legoLog) Fatal(args ...any)                 { l.say(fmt.Sprint(args...)) }
func (l *legoLog) Fatalln(args ...any)               { l.say(fmt.Sprint(args...)) }
func (l *legoLog) Fatalf(format string, args ...any) { l.say(fmt.Sprintf(format, args...)) }
func (l *legoLog) Print(args ...any)                 { l.say(fmt.Sprint(args...)) }
func (l *legoLog) Println(args ...any)               { l.say(fmt.Sprint(args...)) }
func (l *legoLog) Printf(format string, args ...any) { l.say(fmt.Sprintf(format, args...)) }
