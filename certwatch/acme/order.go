package acme

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// The steps that errors name.
const (
	stepDirectory     = "directory"
	stepOrder         = "order"
	stepProfile       = "profile"
	stepAuthorization = "authorization"
	stepChallenge     = "challenge"
	stepFinalize      = "finalize"
	stepCertificate   = "certificate"
	stepRenewal       = "renewal information"
)

func stepValidation(name string) string { return "validation of " + printable(name) }

// Issue gets a certificate for the names, of exactly the key, from the first CA that
// gives one. Where each of them said how long not to come back, the error is a
// [certwatch.LaterError]. A failed order leaves the key as it was.
func (i *Issuer) Issue(ctx context.Context, r certwatch.Request) (certwatch.Pair, error) {
	if err := i.valid(r); err != nil {
		return certwatch.Pair{}, err
	}
	select {
	case <-i.turn:
		defer func() { i.turn <- struct{}{} }()
	case <-ctx.Done():
		return certwatch.Pair{}, fmt.Errorf("acme: order: %w", context.Cause(ctx))
	}
	i.removeLeftovers(ctx)
	var errs []error
	for _, ca := range i.cfg.CAs {
		pair, err := i.orderAt(ctx, ca, r)
		if err == nil {
			return pair, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil || ends(err) {
			break
		}
		if len(i.cfg.CAs) > 1 {
			i.log.Warn("a CA gives no certificate", "ca", ca.name(), "error", err)
		}
	}
	return certwatch.Pair{}, verdict(errs)
}

// valid says what about the request no CA could carry out.
func (i *Issuer) valid(r certwatch.Request) error {
	refuse := func(format string, args ...any) error {
		return &Error{Step: stepOrder, Text: fmt.Sprintf(format, args...), here: true}
	}
	if len(r.Names) == 0 {
		return refuse("no names to order a certificate for")
	}
	for _, name := range r.Names {
		host, err := tlsa.CanonicalHost(strings.TrimPrefix(name, "*."))
		if err != nil {
			return refuse("%v", err)
		}
		if host != strings.TrimPrefix(name, "*.") {
			return refuse("name %q: not canonical (hint: write %s)", printable(name), host)
		}
		for _, ca := range i.cfg.CAs {
			if strings.HasPrefix(name, "*.") && ca.Challenge != DNS01 {
				return refuse("name %q: %s cannot prove a wildcard (hint: use dns-01)", printable(name), ca.Challenge)
			}
		}
	}
	if r.Key.PEM() == nil {
		return refuse("no key to order a certificate for")
	}
	return nil
}

// orderAt asks one CA, unless it is known to limit us still.
func (i *Issuer) orderAt(ctx context.Context, ca CA, r certwatch.Request) (certwatch.Pair, error) {
	now := i.cfg.Now()
	i.mu.Lock()
	until := i.limited[ca.Directory]
	i.mu.Unlock()
	if now.Before(until) {
		return certwatch.Pair{}, &certwatch.LaterError{Until: until, Err: &Error{CA: ca.name(), Step: stepOrder, Text: "not asked: the CA limits how often it is"}}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, i.cfg.Patience, fmt.Errorf("no certificate within %s", i.cfg.Patience))
	defer cancel()
	pair, err := i.attempt(ctx, ca, r)
	var e *Error
	if errors.As(err, &e) {
		if until, ok := e.later(i.cfg.Now()); ok {
			i.mu.Lock()
			i.limited[ca.Directory] = until
			i.mu.Unlock()
			err = &certwatch.LaterError{Until: until, Err: err}
		}
	}
	return pair, err
}

// attempt is one order at one CA, and another one if it has forgotten our account.
func (i *Issuer) attempt(ctx context.Context, ca CA, r certwatch.Request) (certwatch.Pair, error) {
	a, err := i.account(ca)
	if err != nil {
		return certwatch.Pair{}, err
	}
	known := a.uri != ""
	pair, err := i.order(ctx, a, r)
	var e *Error
	if known && errors.As(err, &e) && e.Type == "accountDoesNotExist" {
		i.log.Warn("the CA does not know our account any more", "ca", ca.name(), "uri", a.uri)
		a.forget()
		pair, err = i.order(ctx, a, r)
	}
	return pair, err
}

// order walks the line of RFC 8555, section 7.1: directory, account, order,
// authorizations, finalize, certificate.
func (i *Issuer) order(ctx context.Context, a *account, r certwatch.Request) (certwatch.Pair, error) {
	s, err := i.connect(ctx, a.ca, a.key.Signer(), a.uri)
	if err != nil {
		return certwatch.Pair{}, err
	}
	defer s.close()
	if err := checkProfile(s, a.ca.Profile); err != nil {
		return certwatch.Pair{}, err
	}
	if err := a.settle(ctx, s, i.log); err != nil {
		return certwatch.Pair{}, err
	}
	o, err := i.begin(ctx, s, a.ca, r)
	if err != nil {
		return certwatch.Pair{}, err
	}
	i.log.Info("order at the CA", "ca", s.ca, "names", strings.Join(r.Names, " "), "order", o.url)
	if err := i.prove(ctx, s, a.ca, o); err != nil {
		return certwatch.Pair{}, err
	}
	csr, err := request(r)
	if err != nil {
		return certwatch.Pair{}, &Error{CA: s.ca, Step: stepFinalize, Text: err.Error(), Err: err, here: true}
	}
	if o, err = awaitOrder(ctx, s, stepFinalize, o, "pending"); err != nil {
		return certwatch.Pair{}, err
	}
	if o.status == "ready" {
		if o, err = s.finalize(ctx, o, csr); err != nil {
			return certwatch.Pair{}, badKey(err)
		}
	}
	if o, err = awaitOrder(ctx, s, stepFinalize, o, "pending", "ready", "processing"); err != nil {
		return certwatch.Pair{}, badKey(err)
	}
	return i.collect(ctx, s, a.ca, o, r)
}

// badKey marks an error about the key: the same key is offered to every CA.
func badKey(err error) error {
	var e *Error
	if errors.As(err, &e) && (e.Type == "badCSR" || e.Type == "badPublicKey") {
		e.here, e.Hint = true, "does the CA take keys of this kind: ec256, ec384 and rsa2048 to rsa4096 are taken by all"
	}
	return err
}

// checkProfile says which profiles there are, before the CA would say no.
func checkProfile(s *session, profile string) error {
	offered := slices.Sorted(maps.Keys(s.profiles()))
	if profile == "" || slices.Contains(offered, profile) {
		return nil
	}
	e := &Error{CA: s.ca, Step: stepProfile, Text: fmt.Sprintf("the CA offers no profile %q", printable(profile))}
	if e.Hint = "it offers " + printable(strings.Join(offered, ", ")); len(offered) == 0 {
		e.Hint = "it offers none: take profile out"
	}
	return e
}

// begin places the order. That it replaces a certificate helps the CA and spares us its
// limits; where it does not like that (the certificate is another CA's, or another
// account's), the order goes without.
func (i *Issuer) begin(ctx context.Context, s *session, ca CA, r certwatch.Request) (order, error) {
	replaces := ""
	if r.Replaces != nil {
		if id, err := certificateID(r.Replaces); err == nil {
			replaces = id
		}
	}
	o, err := s.newOrder(ctx, r.Names, ca.Profile, replaces)
	var e *Error
	if replaces != "" && errors.As(err, &e) && slices.Contains([]string{"malformed", "unauthorized", "serverInternal", "alreadyReplaced"}, e.Type) && e.Status != http.StatusServiceUnavailable {
		i.log.Info("the CA does not take the order as a replacement, ordered without", "ca", s.ca, "error", err)
		o, err = s.newOrder(ctx, r.Names, ca.Profile, "")
	}
	return o, err
}

// request makes the CSR. It does not ask for must-staple, as CAs have given OCSP up. A key
// may be of any kind that signs; whether the CA takes it is its own business.
func request(r certwatch.Request) ([]byte, error) {
	template := &x509.CertificateRequest{DNSNames: r.Names}
	if const64 := 64; len(r.Names[0]) <= const64 { // ub-common-name (RFC 5280, appendix A.1)
		template.Subject = pkix.Name{CommonName: r.Names[0]}
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, template, r.Key.Signer())
	if err != nil {
		return nil, fmt.Errorf("a request for this key cannot be made: %s", strings.TrimPrefix(err.Error(), "x509: "))
	}
	return csr, nil
}

// Polling: as the CA says in Retry-After, else more and more slowly.
var pollSpan = span{100 * time.Millisecond, 30 * time.Second}

const (
	firstPoll = 100 * time.Millisecond
	longPoll  = 5 * time.Second
)

// A poll is one wait after the other.
type poll struct{ pause time.Duration }

// wait waits for the next look.
func (p *poll) wait(ctx context.Context, s *session, step string) error {
	pause := p.pause
	if pause == 0 {
		pause = firstPoll
	}
	p.pause = min(2*pause, longPoll)
	if asked, ok := parseRetryAfter(s.wire.lastExchange().retryAfter, s.now(), pollSpan); ok {
		pause = asked
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return s.fail(step, context.Cause(ctx))
	}
}

// awaitOrder looks at the order until it has left these states.
func awaitOrder(ctx context.Context, s *session, step string, o order, states ...string) (order, error) {
	var p poll
	for {
		switch {
		case o.status == "invalid" && o.problem != nil:
			return o, o.problem
		case o.status == "invalid":
			return o, &Error{CA: s.ca, Step: step, Text: "the CA has given the order up, without a word why"}
		case !slices.Contains(states, o.status):
			return o, nil
		}
		if err := p.wait(ctx, s, step); err != nil {
			return o, err
		}
		var err error
		if o, err = s.getOrder(ctx, step, o.url); err != nil {
			return o, err
		}
	}
}

// prove sets up a challenge for each name that the CA wants proven, has it look, and
// takes them down again, whatever comes.
func (i *Issuer) prove(ctx context.Context, s *session, ca CA, o order) (err error) {
	var open []string // URLs of authorizations
	var proofs []proof
	for _, url := range o.authorizations {
		a, err := s.authorization(ctx, url)
		if err != nil {
			return err
		}
		if a.status == "valid" {
			continue
		}
		p, err := proofOf(s, ca, a)
		if err != nil {
			return err
		}
		open, proofs = append(open, url), append(proofs, p)
	}
	if len(proofs) == 0 {
		return nil
	}
	stage := i.stage(ca)
	defer stage.down(ctx)
	if err := stage.up(ctx, proofs); err != nil {
		e := &Error{CA: s.ca, Step: stepChallenge, Text: err.Error(), Err: err, here: true}
		if cause := context.Cause(ctx); cause != nil {
			e.Text = cause.Error()
		}
		return e
	}
	for _, p := range proofs {
		if err := s.accept(ctx, p.url); err != nil {
			return err
		}
	}
	for _, url := range open {
		if err := awaitValid(ctx, s, url, ca.Challenge); err != nil {
			return err
		}
	}
	return nil
}

// proofOf picks the challenge that is configured.
func proofOf(s *session, ca CA, a authorization) (proof, error) {
	var offered []string
	for _, c := range a.challenges {
		if offered = append(offered, c.kind); c.kind != ca.Challenge {
			continue
		}
		text, err := s.keyAuthorization(c.token)
		if err != nil {
			return proof{}, &Error{CA: s.ca, Step: stepChallenge, Text: err.Error()}
		}
		return proof{name: a.name, url: c.url, token: c.token, text: text}, nil
	}
	if a.status != "pending" {
		return proof{}, &Error{CA: s.ca, Step: stepValidation(a.name), Text: fmt.Sprintf("the authorization is %s before anything was proven", printable(a.status))}
	}
	return proof{}, &Error{CA: s.ca, Step: stepValidation(a.name), Text: "the CA does not take " + ca.Challenge, Hint: "it takes " + printable(strings.Join(offered, ", "))}
}

// awaitValid waits until the CA has looked. What it does not find is not found by the next
// CA either.
func awaitValid(ctx context.Context, s *session, url, kind string) error {
	var p poll
	for {
		a, err := s.authorization(ctx, url)
		switch {
		case err != nil:
			return err
		case a.status == "valid":
			return nil
		case a.status != "pending" && a.status != "processing":
			for _, c := range a.challenges {
				if c.kind == kind && c.problem != nil {
					c.problem.here = !slices.Contains([]string{"caa", "rateLimited", "rejectedIdentifier", "serverInternal"}, c.problem.Type)
					return c.problem
				}
			}
			return &Error{CA: s.ca, Step: stepValidation(a.name), Text: "the CA is not convinced, without a word why: " + printable(a.status), here: true}
		}
		if err := p.wait(ctx, s, stepValidation(a.name)); err != nil {
			return err
		}
	}
}
