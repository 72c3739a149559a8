package acme

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"net/url"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// When to ask again (RFC 9773, section 4.3).
var askAgain = span{time.Minute, 24 * time.Hour}

const (
	// longTerm is the wait after an error that does not pass by itself, and where the CA
	// does not say when it wants to be asked.
	longTerm = 6 * time.Hour
	// noOffer is the wait where no CA offers renewal information.
	noOffer = 24 * time.Hour
	// tries is how often an error that may pass is met by coming back soon.
	tries = 6
	// askTime is how long one CA may take to answer.
	askTime = 20 * time.Second
	// longLead is how long before the certificate a window may begin: CAs date
	// certificates back by an hour, and clocks differ.
	longLead = 24 * time.Hour
)

// A window is when a CA wants a certificate to be renewed.
type window struct {
	start, end  time.Time
	explanation string // a URL for people; "": none
}

// knowledge is what is known of the renewal of one certificate.
type knowledge struct {
	window   window // zero: none was ever heard
	ca       string
	again    time.Time // not to be asked before
	failures int       // in a row
}

// Renewal says when the certificate is to be renewed. The CA's window decides, and a
// moment in it that is the same whenever it is asked for; without one, a third of the
// lifetime that is left. An error of the CA is never a reason to renew, and none to
// forget what it said before.
func (i *Issuer) Renewal(ctx context.Context, leaf *x509.Certificate) (certwatch.Renewal, error) {
	if leaf == nil {
		return certwatch.Renewal{}, errors.New("acme: renewal: no certificate")
	}
	now := i.cfg.Now()
	key := fmt.Sprintf("%x", sha256.Sum256(leaf.Raw))
	i.mu.Lock()
	k := i.known[key]
	if k == nil {
		k = &knowledge{}
	}
	next := *k
	i.mu.Unlock()
	if !now.Before(next.again) && now.Before(leaf.NotAfter) {
		i.tidy(ctx)
		i.ask(ctx, leaf, &next)
		if err := ctx.Err(); err != nil {
			return certwatch.Renewal{}, fmt.Errorf("acme: renewal: %w", context.Cause(ctx))
		}
		i.mu.Lock()
		i.remember(key, next)
		i.mu.Unlock()
	}
	r := moment(leaf, next)
	if now.Before(leaf.NotAfter) {
		r.Again = next.again
	}
	return r, nil
}

// maxKnown is of how many certificates something is remembered: a lineage has one, and
// the one before.
const maxKnown = 8

func (i *Issuer) remember(key string, k knowledge) {
	if len(i.known) >= maxKnown {
		clear(i.known) // it is asked for again
	}
	i.known[key] = &k
}

// ask asks the CAs in order, as it is not known which one issued the certificate: the others
// do not know it.
func (i *Issuer) ask(ctx context.Context, leaf *x509.Certificate, k *knowledge) {
	now := i.cfg.Now()
	id, err := certificateID(leaf)
	if err != nil { // it has no name that a CA could be asked by
		k.again = now.Add(noOffer)
		return
	}
	offered, passing := false, false
	for _, ca := range i.cfg.CAs {
		w, retry, err := i.askAt(ctx, ca, id, leaf)
		if err == nil {
			if k.window != w {
				i.log.Info("the CA says when to renew", "ca", ca.name(), "start", w.start, "end", w.end, "explanation", w.explanation)
			}
			*k = knowledge{window: w, ca: ca.name(), again: now.Add(retry)}
			return
		}
		if errors.Is(err, errNoRenewalInfo) {
			continue
		}
		var e *Error
		offered = true
		passing = passing || errors.As(err, &e) && (e.Err != nil || e.Status >= 500 || e.Status == 429)
		i.log.Info("no renewal information", "ca", ca.name(), "error", err)
	}
	switch {
	case !offered:
		k.again = now.Add(noOffer)
	case passing && k.failures < tries:
		k.again = now.Add(askAgain.least << k.failures)
		k.failures++
	default:
		k.again, k.failures = now.Add(longTerm), 0
	}
}

// askAt asks one CA.
func (i *Issuer) askAt(ctx context.Context, ca CA, id string, leaf *x509.Certificate) (window, time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, askTime, fmt.Errorf("no answer within %s", askTime))
	defer cancel()
	s, err := i.connect(ctx, ca, nil, "")
	if err != nil {
		return window{}, 0, err
	}
	defer s.close()
	body, header, err := s.renewalInfo(ctx, id)
	if err != nil {
		return window{}, 0, err
	}
	w, err := parseWindow(body)
	if err == nil {
		err = w.sane(leaf)
	}
	if err != nil {
		return window{}, 0, &Error{CA: s.ca, Step: stepRenewal, Text: err.Error()}
	}
	retry, ok := parseRetryAfter(header, i.cfg.Now(), askAgain)
	if !ok {
		retry = longTerm
	}
	return w, retry, nil
}

// parseWindow reads renewal information (RFC 9773, section 4.2).
func parseWindow(body []byte) (window, error) {
	var info struct {
		SuggestedWindow *struct {
			Start, End *time.Time
		} `json:"suggestedWindow"`
		ExplanationURL string `json:"explanationURL"`
	}
	if json.Unmarshal(body, &info) != nil || info.SuggestedWindow == nil || info.SuggestedWindow.Start == nil || info.SuggestedWindow.End == nil {
		return window{}, errors.New("a reply that is not renewal information")
	}
	w := window{start: info.SuggestedWindow.Start.UTC(), end: info.SuggestedWindow.End.UTC()}
	if !w.end.After(w.start) {
		return window{}, errors.New("a window that ends before it begins")
	}
	if u, err := url.Parse(info.ExplanationURL); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		w.explanation = printable(info.ExplanationURL)
	}
	return w, nil
}

// sane says why a window cannot be meant for the certificate, nil if it can.
func (w window) sane(leaf *x509.Certificate) error {
	switch {
	case w.start.Before(leaf.NotBefore.Add(-longLead)):
		return errors.New("a window that begins before the certificate does")
	case !w.start.Before(leaf.NotAfter):
		return errors.New("a window that begins when the certificate has ended")
	}
	return nil
}

// moment says when to renew by what is known.
func moment(leaf *x509.Certificate, k knowledge) certwatch.Renewal {
	third := leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3)
	own := certwatch.Renewal{At: third, Reason: "a third of its lifetime is left then"}
	if k.window == (window{}) {
		return own
	}
	at := k.window.at(leaf)
	if !k.window.end.Before(leaf.NotAfter) && at.After(third) {
		return own
	}
	reason := fmt.Sprintf("%s wants it between %s and %s", k.ca, k.window.start.Format(time.RFC3339), k.window.end.Format(time.RFC3339))
	if k.window.explanation != "" {
		reason += ": " + k.window.explanation
	}
	return certwatch.Renewal{At: at, Reason: reason}
}

// at is the moment in the window that the certificate has drawn: by its SHA-256, so that it
// is spread as well as chance would, and is another one only for another certificate or
// window (RFC 9773, section 4.2 wants chance, so that not all come at once).
func (w window) at(leaf *x509.Certificate) time.Time {
	sum := sha256.Sum256(leaf.Raw)
	length := uint64(w.end.Sub(w.start))
	share, _ := bits.Mul64(length, binary.BigEndian.Uint64(sum[:8])) // length × f, f = sum / 2^64
	return w.start.Add(time.Duration(share)).Truncate(time.Second)
}
