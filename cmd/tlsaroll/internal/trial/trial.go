package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Trial is one provider, and the scratch name to try it at.
type Trial struct {
	Provider dnsprovider.Provider
	Zone     string     // absolute; "": the provider finds it
	Owner    tlsa.Owner // where nothing of value stands
	TTL      time.Duration

	// Look looks at the owner as the world sees it.
	Look func(context.Context) lookup.View
	// Every is the pause between two looks.
	Every time.Duration
	Now   func() time.Time
	// Say is told of each step when it is over, and of what is odd.
	Say func(Step)
	// Tidy bounds the tidying up after a trial that ended early.
	Tidy time.Duration
}

// A Step is one change, and how long it took to be seen.
type Step struct {
	Did     string // "publish two records"
	Change  time.Duration
	Servers []Server
	TTL     time.Duration // of the RRset as it stands in the provider's copy; 0: there is none
}

// A Server is one authoritative address, and when it gave what was written.
type Server struct {
	Name    string
	Address string
	After   time.Duration // from the end of the change to the look that saw it
	TTL     time.Duration // as served; 0 for a denial
	Skipped string        // why it was not waited for
}

// A Result is what came of a trial.
type Result struct {
	Zone         string
	Security     lookup.Security
	SecurityText string
	TTL          time.Duration // as it stood in the provider's copy
	Slowest      time.Duration // until the last server gave a change
}

// The records that are written. They are the digests of two sentences, so that no
// certificate has them, and what is left of a trial that was killed is known again.
func scratch() (one, two tlsa.Association) {
	return tlsa.Association{Params: tlsa.EE, Data: digest("tlsaroll provider test, first record")},
		tlsa.Association{Params: tlsa.EE, Data: digest("tlsaroll provider test, second record")}
}

// Run carries out the trial. Whatever comes, it takes its records out again; if that is in
// vain, the error says what is left.
func (t *Trial) Run(ctx context.Context) (r Result, err error) {
	before, err := t.Provider.RRset(ctx, t.Zone, t.Owner)
	if err != nil {
		return r, err
	}
	one, two := scratch()
	if foreign := before.Without(one).Without(two); !foreign.Denial() {
		return r, fmt.Errorf("%s: records stand there that are not of a test: %q (hint: name another owner with --owner)", t.Owner, foreign.Associations[0].String())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.tidy(ctx))
		}
	}()
	if !before.Denial() {
		if _, err := t.step(ctx, "take out what another test left", before, tlsa.RRset{}, &r); err != nil {
			return r, err
		}
	}
	both, last := tlsa.NewRRset(t.TTL, one, two), tlsa.NewRRset(t.TTL, two)
	stands, err := t.step(ctx, "publish two records", tlsa.RRset{}, both, &r)
	if err != nil {
		return r, err
	}
	r.TTL = stands.TTL
	if stands, err = t.step(ctx, "take one out", stands, last, &r); err != nil {
		return r, err
	}
	_, err = t.step(ctx, "take the other out", stands, tlsa.RRset{}, &r)
	return r, err
}

// step carries out one change, reads it back, and waits until every server gives it.
func (t *Trial) step(ctx context.Context, did string, before, after tlsa.RRset, r *Result) (tlsa.RRset, error) {
	begin := t.Now()
	if err := t.Provider.Apply(ctx, t.Zone, []dnsprovider.Change{{Owner: t.Owner, Before: before, After: after}})[0]; err != nil {
		return tlsa.RRset{}, err
	}
	stands, err := t.Provider.RRset(ctx, t.Zone, t.Owner)
	if err != nil {
		return tlsa.RRset{}, err
	}
	if !stands.Same(after) {
		return tlsa.RRset{}, fmt.Errorf("%s: after the change to %s the provider has %s (hint: do not use this provider, and report it)", t.Owner, sentence(after), sentence(stands))
	}
	s := Step{Did: did, Change: t.Now().Sub(begin), TTL: stands.TTL}
	if s.Servers, err = t.watch(ctx, after, r); err != nil {
		return tlsa.RRset{}, fmt.Errorf("%s: %w", did, err)
	}
	for _, server := range s.Servers {
		r.Slowest = max(r.Slowest, server.After)
	}
	t.Say(s)
	return stands, nil
}

// tidy takes out what of ours stands there, though the caller has given up.
func (t *Trial) tidy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.Tidy)
	defer cancel()
	stands, err := t.Provider.RRset(ctx, t.Zone, t.Owner)
	one, two := scratch()
	if err == nil {
		rest := stands.Without(one).Without(two)
		if rest.Same(stands) {
			return nil
		}
		err = t.Provider.Apply(ctx, t.Zone, []dnsprovider.Change{{Owner: t.Owner, Before: stands, After: rest}})[0]
	}
	if err != nil {
		return fmt.Errorf("%s: records of the test may be left: %w (hint: run the test again, it takes them out)", t.Owner, err)
	}
	return nil
}
