package providertest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Fault is a way in which a DNS host's API fails.
type Fault int

// The faults, seen with every host sooner or later.
const (
	NoFault            Fault = iota
	WrongToken               // 401: nobody knows the token
	ForeignZone              // 403: the zone is at another account
	ReadOnlyToken            // 403, for changes alone
	NoSuchZone               // 404
	Clash                    // 409: somebody else is changing the zone
	Unprocessable            // 422: the host does not like the record
	RateLimited              // 429 once, and to come back in a second
	RateLimitedForLong       // 429, and to come back in an hour
	Broken                   // 500
	Unavailable              // 503
	WebPage                  // 200, and HTML where JSON is wanted
	Cut                      // the connection ends after the request, and nothing was done
	Hangs                    // no reply, for as long as one waits
)

// Status is the HTTP status of the fault, 0 for those that are none.
func (f Fault) Status() int {
	switch f {
	case WrongToken:
		return http.StatusUnauthorized
	case ForeignZone, ReadOnlyToken:
		return http.StatusForbidden
	case NoSuchZone:
		return http.StatusNotFound
	case Clash:
		return http.StatusConflict
	case Unprocessable:
		return http.StatusUnprocessableEntity
	case RateLimited, RateLimitedForLong:
		return http.StatusTooManyRequests
	case Broken:
		return http.StatusInternalServerError
	case Unavailable:
		return http.StatusServiceUnavailable
	case NoFault, WebPage, Cut, Hangs:
	}
	return 0
}

// String is the name for people.
func (f Fault) String() string {
	return map[Fault]string{
		NoFault: "none", WrongToken: "wrong token", ForeignZone: "zone at another account", ReadOnlyToken: "read-only token",
		NoSuchZone: "no such zone", Clash: "409", Unprocessable: "422", RateLimited: "429, a second", RateLimitedForLong: "429, an hour",
		Broken: "500", Unavailable: "503", WebPage: "HTML", Cut: "cut connection", Hangs: "no reply",
	}[f]
}

// faults: each is one sentence that names the provider, the zone or the owner, and what to do,
// never a secret; nothing is changed; and it is over when it is over.
func faults(b *bench) {
	b.needs(b.T, Faults, b.Fail != nil)
	temporary := []dnsprovider.Kind{dnsprovider.Temporary}
	for _, test := range []struct {
		fault Fault
		reads bool // reading fails too
		kinds []dnsprovider.Kind
	}{
		{WrongToken, true, []dnsprovider.Kind{dnsprovider.Refused}},
		{ForeignZone, true, []dnsprovider.Kind{dnsprovider.Refused, dnsprovider.NoZone}},
		{ReadOnlyToken, false, []dnsprovider.Kind{dnsprovider.Refused}},
		{NoSuchZone, true, []dnsprovider.Kind{dnsprovider.NoZone}},
		{Clash, true, []dnsprovider.Kind{dnsprovider.Temporary, dnsprovider.Conflict}},
		{Unprocessable, true, []dnsprovider.Kind{dnsprovider.Malformed, dnsprovider.Refused}},
		{RateLimitedForLong, true, temporary},
		{Broken, true, temporary},
		{Unavailable, true, temporary},
		{WebPage, true, []dnsprovider.Kind{dnsprovider.Temporary, dnsprovider.Malformed}},
		{Cut, true, temporary},
	} {
		b.fails(test.fault, test.reads, test.kinds)
	}
}

// fails tries one fault, at an owner name of its own.
func (b *bench) fails(fault Fault, reads bool, kinds []dnsprovider.Kind) {
	name := fault.String()
	owner := b.ownerAt(name)
	before := b.seed(owner, record("1"))
	change := dnsprovider.Change{Owner: owner, Before: before, After: before.With(record("2"))}
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()

	b.Fail(b.T, fault, 0)
	if reads {
		_, err := b.Provider.RRset(ctx, b.Zone, owner)
		b.helps(name+", reading", err, kinds)
	}
	err := b.applyAll(ctx, change)[0]
	b.helps(name+", changing", err, kinds)
	b.Fail(b.T, NoFault, 0)

	b.holds(owner, before)
	if err := b.applyAll(b.Context(), change)[0]; err != nil {
		b.Errorf("%s: it is over, and yet: %v", name, err)
	}
	b.holds(owner, change.After)
}

// helps holds an error to what a person needs.
func (b *bench) helps(what string, err error, kinds []dnsprovider.Kind) {
	b.Helper()
	if err == nil {
		b.Errorf("%s: no error", what)
		return
	}
	b.wants(err, kinds...)
	b.keepsSecrets(what, err)
	var e *dnsprovider.Error
	if !errors.As(err, &e) {
		b.Errorf("%s: error %T is no *dnsprovider.Error: %v", what, err, err)
		return
	}
	text := err.Error()
	bare := strings.TrimSuffix(b.Zone, ".")
	if e.Provider == "" || !strings.Contains(text, bare) || e.Hint == "" || strings.ContainsAny(text, "\n\r<>") {
		b.Errorf("%s: not a sentence that names the provider and the zone, and what to do: %s", what, text)
	}
	if len(text) > 500 {
		b.Errorf("%s: a sentence of %d characters: %s", what, len(text), text)
	}
}

// keepsSecrets looks for the fixture's secrets in all that an error says.
func (b *bench) keepsSecrets(what string, err error) {
	b.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, secret := range b.Secrets {
			if secret != "" && strings.Contains(err.Error(), secret) {
				b.Errorf("%s: an error has a secret in it: %s", what, strings.ReplaceAll(err.Error(), secret, "<<the secret>>"))
			}
		}
	}
}

// rateLimit: the host is asked again when it said so, not before and without an error.
func rateLimit(b *bench) {
	b.needs(b.T, Faults, b.Fail != nil)
	before := b.seed(b.owner, record("1"))
	b.Fail(b.T, RateLimited, 0)
	begin := time.Now()
	b.mustApply(before, before.With(record("2")))
	if took := time.Since(begin); took < time.Second {
		b.Errorf("it took %s, and the host asked for a second", took)
	}
	b.holds(b.owner, before.With(record("2")))
}

// slowHost: the caller's deadline counts, whatever the host does.
func slowHost(b *bench) {
	b.needs(b.T, Faults, b.Fail != nil)
	before := b.seed(b.owner, record("1"))
	for _, ahead := range []int{0, 1} { // in the first request that changes, and after it
		b.Fail(b.T, Hangs, ahead)
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		begin := time.Now()
		err := b.applyAll(ctx, dnsprovider.Change{Owner: b.owner, Before: before, After: before.With(record("2"))})[0]
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, dnsprovider.ErrTemporary) {
			b.Errorf("error is %v", err)
		}
		if ahead == 0 && err == nil {
			b.Error("no error, and no reply")
		}
		if took := time.Since(begin); took > 6*time.Second {
			b.Errorf("it took %s, with a second to go", took)
		}
		b.Fail(b.T, NoFault, 0)
	}
	b.mustApply(before, before.With(record("2")))
	b.holds(b.owner, before.With(record("2")))
}

// partialSuccess: the host fails in the middle of a change, and of several. What was done
// is done, the rest has an error, no record is lost, and another try ends it.
func partialSuccess(b *bench) {
	b.needs(b.T, Faults, b.Fail != nil)
	for spare := range 4 {
		owners := []tlsa.Owner{b.ownerAt("a" + string(rune('0'+spare))), b.ownerAt("b" + string(rune('0'+spare)))}
		var changes []dnsprovider.Change
		for _, owner := range owners {
			before := b.seed(owner, record("1"), record("f"))
			changes = append(changes, dnsprovider.Change{Owner: owner, Before: before, After: b.rrset(record("f"), record("2"))})
		}
		b.Fail(b.T, Unavailable, spare)
		errs := b.applyAll(b.Context(), changes...)
		b.Fail(b.T, NoFault, 0)
		for i, err := range errs {
			stands := b.Look(b.T, owners[i])
			switch {
			case err == nil && !stands.Same(changes[i].After):
				b.Errorf("after %d changes: no error, and there stands %v", spare, lines(stands))
			case err != nil:
				b.wants(err, dnsprovider.Temporary)
			}
			if !stands.Has(record("f")) || !stands.Has(record("1")) && !stands.Has(record("2")) {
				b.Errorf("after %d changes records are lost: %v", spare, lines(stands))
			}
			again := dnsprovider.Change{Owner: owners[i], Before: b.read(owners[i]), After: changes[i].After}
			if err := b.applyAll(b.Context(), again)[0]; err != nil {
				b.Errorf("after %d changes, another try: %v", spare, err)
			}
			b.holds(owners[i], changes[i].After)
		}
	}
}
