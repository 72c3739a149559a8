package agent

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
)

// An Issuer gets certificates for one lineage. What it is asked for ends with ctx.
// It is asked for one thing at a time.
type Issuer interface {
	// Renewal says when leaf is to be renewed, and when to ask again.
	Renewal(ctx context.Context, leaf *x509.Certificate) (certwatch.Renewal, error)
	// Issue gets a certificate for the names, of exactly this key. An error that wraps
	// [certwatch.LaterError] says before when it is useless to ask again.
	Issue(ctx context.Context, r certwatch.Request) (certwatch.Pair, error)
}

const (
	// orderLimit bounds one order, whatever the issuer's own limits are.
	orderLimit = 20 * time.Minute
	// askLimit bounds the question when to renew.
	askLimit = time.Minute
	// askAgain is when it is asked again after it could not be answered.
	askAgain = time.Hour
	// askSoonest is the least between two such questions.
	askSoonest = time.Minute

	orderFirst = time.Minute // after an order that failed, doubled each time
	orderMost  = 24 * time.Hour
	// believed is the longest that an issuer can put an order off.
	believed = 8 * 24 * time.Hour
)

// Errors of orders that callers tell apart.
var (
	// ErrNoIssuer says that a lineage's pairs come from elsewhere.
	ErrNoIssuer   = errors.New("its certificates are not ordered here")
	errOutOfPlace = errors.New("the configuration has no use for it any more")
)

// cutOff is what is remembered of an order until it has come to its end.
const cutOff = "it was cut off before its end"

// IssueDue places the order of a lineage if it is due, and waits for its end. It
// reports whether there is a new pair; a pass takes it up.
func (a *Agent) IssueDue(ctx context.Context, lineage string) (issued bool, err error) {
	o, err := a.attended(ctx, lineage, false)
	if err != nil || o == nil {
		return false, err
	}
	return o.pair.Chain != nil, o.err
}

// IssueNow is [Agent.IssueDue] for an order that a person wants, whether it is due or
// not. What its issuer said of the rate is heard all the same.
func (a *Agent) IssueNow(ctx context.Context, lineage string) (certwatch.Pair, error) {
	if a.latest().lineages[lineage].Issuer == nil {
		if _, err := a.latest().group(lineage); err != nil {
			return certwatch.Pair{}, err
		}
		return certwatch.Pair{}, fmt.Errorf("%s: %w (hint: hand a pair in with --cert and --key)", lineage, ErrNoIssuer)
	}
	for {
		o, err := a.attended(ctx, lineage, true)
		switch {
		case err != nil:
			return certwatch.Pair{}, err
		case o == nil: // a dry agent's, or of a configuration that came in between
			return certwatch.Pair{}, fmt.Errorf("%s: nothing was ordered: %w", lineage, ErrNoIssuer)
		case o.err != nil || o.pair.Chain != nil:
			return o.pair, o.err
		} // it was one that asked when to renew, and no more
	}
}

// attended waits for the order that is under way, or has one attended to. Nil is none.
func (a *Agent) attended(ctx context.Context, lineage string, now bool) (*order, error) {
	a = a.latest()
	if _, err := a.group(lineage); err != nil || a.lineages[lineage].Issuer == nil || a.dry {
		return nil, err
	}
	o := a.begin(lineage, now)
	if o == nil {
		return nil, ErrClosed
	}
	select {
	case <-o.done:
		return o, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: order: %w", lineage, context.Cause(ctx))
	}
}

// begin has a lineage's order attended to in the background. When it has come to its
// end a pass is wanted: it takes the pair up, and status tells of what came of it.
func (a *Agent) begin(lineage string, now bool) *order {
	return a.desk.begin(lineage,
		func(ctx context.Context, o *order) { a.attend(ctx, lineage, now, o) },
		func() { a.latest().Nudge(lineage) })
}

// considered is when something is to be done about a lineage's order: its issuer asked,
// or the order placed. Zero is never, as far as is known now.
func (a *Agent) considered(lineage string) time.Time {
	if a.lineages[lineage].Issuer == nil || a.dry {
		return time.Time{}
	}
	r := a.renewal(lineage)
	now := a.clock.now()
	at := r.At
	if r.Due(now) {
		at = now
	}
	if ask := a.desk.of(lineage).Ask; r.Leaf != nil && !r.Unasked {
		at = earliest(at, ask)
	}
	return at
}

// renewal is when the next certificate of a lineage is to be ordered, by what is
// remembered now.
func (a *Agent) renewal(lineage string) rollover.Renewal {
	state, _, err := a.State(lineage)
	if err != nil {
		return rollover.Renewal{}
	}
	return state.Renewal(lineage, a.lineages[lineage].Names, a.desk.of(lineage), a.inbox.chains(lineage), a.clock.now())
}

// attend does what is due about an order: it asks when to renew, and orders.
func (a *Agent) attend(ctx context.Context, lineage string, now bool, o *order) {
	r := a.renewal(lineage)
	if r.Leaf != nil && r.Unasked && !now {
		a.ask(ctx, lineage, r.Leaf)
		r = a.renewal(lineage)
	}
	switch i := a.desk.of(lineage); {
	case ctx.Err() != nil:
		o.err = context.Cause(ctx)
		return
	case !now && (r.At.IsZero() || r.At.After(a.clock.now())):
		return
	case now && i.Told && i.Again.After(a.clock.now()):
		o.err = fmt.Errorf("%s: order: %s (hint: the issuer wants no other order before %s)", lineage, i.Err, i.Again.UTC().Format(time.RFC3339))
		return
	}
	o.pair, o.err = a.place(ctx, lineage, r.Leaf)
	if o.err != nil {
		o.err = fmt.Errorf("%s: order: %w", lineage, o.err)
	}
}

// ask has the issuer say when a leaf is to be renewed. Without an answer it is asked
// again later, and what it said last of the same leaf counts.
func (a *Agent) ask(ctx context.Context, lineage string, leaf *x509.Certificate) {
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	said, err := a.lineages[lineage].Issuer.Renewal(limited, leaf)
	if ctx.Err() != nil {
		return
	}
	now := a.clock.now()
	i := a.desk.of(lineage)
	sum := sha256.Sum256(leaf.Raw)
	id := hex.EncodeToString(sum[:])
	switch {
	case err == nil:
		i.At, i.Reason, i.Ask = said.At, said.Reason, said.Again
		if !said.Again.IsZero() {
			i.Ask = later(said.Again, now.Add(askSoonest))
		}
	case i.Leaf != id:
		i.At, i.Reason = time.Time{}, ""
		fallthrough
	default:
		i.Ask = now.Add(askAgain)
		if until := laterThan(err); until.After(i.Ask) {
			i.Ask = until
		}
		a.log.Warn("the issuer does not say when to renew: a third of the lifetime decides", "lineage", lineage, "err", err, "next_look", i.Ask)
	}
	i.Leaf = id
	a.desk.note(lineage, i)
	if err := a.rooms.Store.Order(lineage, i); err != nil {
		a.log.Error("when to renew could not be recorded", "lineage", lineage, "err", err)
	}
}

// place orders a certificate and hands it in. Before it begins the order is written
// down as one that failed, so that whoever restarts the program in a loop does not
// have it order in a loop.
func (a *Agent) place(ctx context.Context, lineage string, replaces *x509.Certificate) (certwatch.Pair, error) {
	limited, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	l := a.lineages[lineage]
	before := a.desk.of(lineage)
	i := before
	if !slices.Equal(i.Names, l.Names) {
		i.Names, i.Chain, i.Tries = slices.Clone(l.Names), "", 0
	}
	i.Again, i.Told, i.Err = a.clock.now().Add(backOff(i.Tries)), false, cutOff
	i.Tries++
	if err := a.rooms.Store.Order(lineage, i); err != nil {
		i.Err = oneLine(err)
		a.desk.note(lineage, i) // else it is tried again at once
		return certwatch.Pair{}, fmt.Errorf("nothing was ordered: %w", err)
	}
	failpoint.Here("order: written down, before it is placed")
	pair, err := a.issue(limited, l, replaces)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause // whatever the issuer makes of it
	}
	failpoint.Here("order: issued, before it is handed in")
	if err == nil {
		err = a.handIn(lineage, l.Names, pair)
	}
	now := a.clock.now()
	switch {
	case errors.Is(err, errOutOfPlace):
		i = before
	case errors.Is(err, ErrClosed): // as it was written down
	case err == nil:
		i.Chain, i.Tries, i.Err, i.Again = pair.ID(), 0, "", now.Add(rollover.Rest(pair.Chain.Leaf()))
	default:
		pair = certwatch.Pair{}
		i.Err = oneLine(err)
		i.Again = now.Add(backOff(i.Tries - 1))
		if until := laterThan(err); until.After(i.Again) {
			i.Again, i.Told = earliest(until, now.Add(believed)), true
		}
	}
	a.desk.note(lineage, i)
	if broken := a.rooms.Store.Order(lineage, i); broken != nil {
		a.log.Error("what came of an order could not be recorded", "lineage", lineage, "err", broken)
	}
	failpoint.Here("order: handed in and written down")
	switch {
	case err == nil:
		a.log.Info("ordered a certificate", "lineage", lineage, "names", l.Names, "pair", pair.ID().Short(), "ends", pair.Chain.NotAfter().UTC())
	case errors.Is(err, errOutOfPlace), errors.Is(err, ErrClosed):
		a.log.Info("an order was given up", "lineage", lineage, "names", l.Names, "why", err)
	default:
		a.log.Warn("order failed", "lineage", lineage, "names", l.Names, "tries", i.Tries, "err", err, "next_look", i.Again)
	}
	return pair, err
}

// issue gets a certificate of the key that is meant for it, and no other.
func (a *Agent) issue(ctx context.Context, l Lineage, replaces *x509.Certificate) (certwatch.Pair, error) {
	key, err := a.orderKey(l)
	if err != nil {
		return certwatch.Pair{}, err
	}
	record, err := key.Association()
	if err != nil {
		return certwatch.Pair{}, err
	}
	pair, err := l.Issuer.Issue(ctx, certwatch.Request{Names: slices.Clone(l.Names), Key: key, Replaces: replaces})
	switch {
	case err != nil:
		return certwatch.Pair{}, err
	case pair.Chain == nil:
		return certwatch.Pair{}, errors.New("the issuer gave no certificate")
	case pair.Chain.SPKI() != record.Data:
		return certwatch.Pair{}, errors.New("the issuer's certificate is not for the key that it was ordered for")
	}
	if err := pair.InDate(a.cfg.Clock.Wall()); errors.Is(err, certwatch.ErrExpired) {
		return certwatch.Pair{}, err
	}
	return pair, nil
}

// handIn gives a pair to the next pass over its lineage, durably, as one that was found
// in staged files: no person named it. Its order may have been overtaken by another
// configuration.
func (a *Agent) handIn(lineage string, names []string, p certwatch.Pair) error {
	a = a.latest()
	if l := a.lineages[lineage]; l.Issuer == nil || !slices.Equal(l.Names, names) {
		return errOutOfPlace
	}
	return a.offer(lineage, p, handed{rollover.Offer{Chain: p.ID()}, p.Chain})
}

// backOff is for how long no order follows one that failed after some others: a minute,
// doubled up to a day, and up to a quarter less, so that many hosts that saw one CA go
// down do not come back together.
func backOff(before int) time.Duration {
	wait := orderMost
	if before < 11 { // 2^11 minutes are more than a day
		wait = min(orderFirst<<before, orderMost)
	}
	return wait - rand.N(wait/4)
}

// laterThan is before when an error says that it is useless to ask again, zero where it
// does not.
func laterThan(err error) time.Time {
	if e, ok := errors.AsType[*certwatch.LaterError](err); ok {
		return e.Until
	}
	return time.Time{}
}

// oneLine is an error as it is remembered.
func oneLine(err error) string {
	const most = 600 // an issuer may say much
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// ordered are the lineages of a group whose certificates are ordered here, sorted.
func (a *Agent) ordered(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return a.lineages[name].Issuer == nil })
}

// renamed are the lineages whose orders have no place any more in another configuration.
func renamed(before, after map[string]Lineage) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(before)), func(name string) bool {
		l, stays := after[name]
		return before[name].Issuer == nil || stays && l.Issuer != nil && slices.Equal(l.Names, before[name].Names)
	})
}

// Issues reports whether a lineage's certificates are ordered here.
func (a *Agent) Issues(lineage string) bool { return a.latest().lineages[lineage].Issuer != nil }
