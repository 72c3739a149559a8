package agent

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// orderTime is for how long an ACME client may take from the moment when it takes up
// its next key, and has the one after it in that one's place, to the certificate.
// Until then the record of the key taken up stays: no file says that it is in use.
const orderTime = time.Hour

// standby is what is known of the key of a lineage's next certificate.
type standby struct {
	record   tlsa.Association // 3 1 1; zero: none
	findings []rollover.Warning
	lost     string // the key that was missed when this one was made; "": none was
}

// tell adds a finding.
func (s *standby) tell(code rollover.Code, about, format string, args ...any) {
	s.findings = append(s.findings, rollover.NewWarning(code, about, fmt.Sprintf(format, args...)))
}

// standby finds the standby key of a lineage whose scheme has one, and makes one where
// there is none. What cannot be read is not gone: then the record that is remembered
// stays.
func (a *Agent) standby(g *group, l Lineage, poll bool, h *onHost, seen *rollover.Observation, b *book) {
	if !l.Policy.Scheme.Standby {
		h.standby = standby{} // the key is kept: a certificate may be on order for it
		return
	}
	remembered := g.state.Lineages[l.Name]
	if !poll && h.standby.record != (tlsa.Association{}) && !spent(g.state.Lineages[l.Name], h.standby.record, g.state.Chains) {
		return
	}
	before := h.standby
	h.standby = standby{lost: before.lost}
	if l.NextKey != "" {
		a.theirNext(g, l, before, &h.standby, b)
	} else {
		a.ownNext(g, l, h, seen)
	}
	if h.standby.lost != "" && rollover.StandbyReady(g.state, g.policy, l.Name, a.clock.now()) && remembered.Standby == h.standby.record {
		h.standby.lost = ""
	}
	if h.standby.lost != "" {
		h.standby.tell(rollover.CodeStandbyLost, l.Name, "the standby key of %s is gone from %s: another one was made, and its wait starts anew", h.standby.lost, a.rooms.Keys.Path(l.Name))
	}
}

// ownNext is the key in the keyring. Once the live chain has it, verified, the next one
// is made: before that a way back, or another try, may still need it.
func (a *Agent) ownNext(g *group, l Lineage, h *onHost, seen *rollover.Observation) {
	a.keying.lock() // an order may want a key at the same moment
	defer a.keying.unlock()
	s, remembered, path := &h.standby, g.state.Lineages[l.Name], a.rooms.Keys.Path(l.Name)
	k, err := a.rooms.Keys.Next(l.Name)
	var record tlsa.Association
	if err == nil {
		record, err = k.Association()
	}
	switch {
	case err == nil && !spent(remembered, record, g.state.Chains):
		s.record = record
		if t := certwatch.KeyTypeOf(k.Public()); l.KeyType != "" && t != l.KeyType {
			s.tell(rollover.CodeStandbyOtherType, l.Name, "the standby key was made before key-type was changed to %s: it is used first (hint: to change at once, at the price of a wait, remove %s)", l.KeyType, path)
		}
		return
	case err != nil && !isAbsent(err):
		s.keep(remembered.Standby)
		s.tell(rollover.CodeStandbyUnreadable, l.Name, "the standby key cannot be read, and its record stays: %v (hint: or remove %s, to have another one made)", err, path)
		return
	}
	missed := err != nil && remembered.Standby != (tlsa.Association{}) && !a.has(g, l, remembered.Standby)
	if missed {
		s.keep(remembered.Standby) // until there is another one
	}
	switch {
	case !remembered.Withdrawn.IsZero():
		return // its record is not wanted now
	case a.dry, !h.live.Known(), h.live.Value == "" && l.KeyType == "":
		s.tell(rollover.CodeStandbyToCome, l.Name, "there is no standby key yet: it is made in a pass that may, once it is known what is live")
		return
	}
	next, err := a.makeKey(l, err == nil, seen.Chains[h.live.Value], g.state.Chains[h.live.Value])
	if err == nil {
		record, err = next.Association()
	}
	if err != nil {
		s.tell(rollover.CodeStandbyUnreadable, l.Name, "no standby key can be made: %v", err)
		return
	}
	s.record = record
	if missed {
		s.lost = shortly(remembered.Standby)
		a.log.Error("the standby key is lost: another one was made, and its wait starts anew", "lineage", l.Name, "record", remembered.Standby, "file", path)
	}
	a.log.Info("made a standby key", "lineage", l.Name, "record", record)
}

// makeKey makes a key in the place of one that is spent, or of none. Whoever calls it
// holds the keys.
func (a *Agent) makeKey(l Lineage, spent bool, live ...*tlsa.Chain) (certwatch.Key, error) {
	if spent {
		if err := a.rooms.Keys.Drop(l.Name); err != nil {
			return certwatch.Key{}, err
		}
	}
	return a.rooms.Keys.Make(l.Name, l.keyType(live...))
}

// keyType is of what type the keys of a lineage are.
func (l Lineage) keyType(live ...*tlsa.Chain) certwatch.KeyType {
	if l.KeyType != "" {
		return l.KeyType
	}
	for _, chain := range live {
		if chain == nil {
			continue
		}
		if t := certwatch.KeyTypeOf(chain.Leaf().PublicKey); t != "" {
			return t
		}
	}
	return certwatch.EC256
}

// theirNext is the key that the ACME client keeps for its next order.
func (a *Agent) theirNext(g *group, l Lineage, before standby, s *standby, b *book) {
	remembered := g.state.Lineages[l.Name].Standby
	file, err := a.rooms.Reader.LoadKey(l.NextKey)
	if unsettled, ok := errors.AsType[*certwatch.UnsettledError](err); ok {
		a.lookAgain(unsettled.Until, b)
		*s = before
		s.keep(remembered)
		return
	}
	var record tlsa.Association
	if err == nil {
		record, err = file.Association()
	}
	known := remembered != (tlsa.Association{}) && !a.has(g, l, remembered)
	switch {
	case isAbsent(err) && !known:
		s.tell(rollover.CodeStandbyAbsent, l.Name, "%s: the ACME client keeps no next key, so that nothing is published ahead (hint: %s)", l.NextKey, clientHint(l.NextKey))
	case err != nil:
		if known {
			s.record = remembered
		}
		s.tell(rollover.CodeStandbyUnreadable, l.Name, "the ACME client's next key is not taken: %v", err)
	case g.state.Lineages[l.Name].Distrusts(record):
		s.tell(rollover.CodeStandbyUnreadable, l.Name, "the ACME client's next key is not taken: %s: it was declared compromised (hint: remove it, and have the client make another one)", l.NextKey)
	case a.has(g, l, record): // a certificate of it is here, and the one after it is not written yet
	case known && record != remembered && a.cfg.Clock.Wall().Before(file.Changed.Add(orderTime)) && !file.Changed.After(a.cfg.Clock.Wall().Add(time.Minute)):
		s.record = remembered // it may be on order
		a.lookAgain(file.Changed.Add(orderTime), b)
	default:
		s.record = record
	}
	for _, f := range file.Findings {
		s.findings = append(s.findings, rollover.NewWarning(rollover.Code(f.Code), l.NextKey, f.Text))
	}
}

// clientHint says what makes an ACME client keep its next key in such a file.
func clientHint(path string) string {
	switch {
	case filepath.Base(path) == "privkey.roll.pem":
		return "PRIVATE_KEY_RENEW=yes and PRIVATE_KEY_ROLLOVER=yes in dehydrated's config; it is made with the next certificate"
	case strings.HasSuffix(path, ".key.next"):
		return "acme.sh --renew --force --always-force-new-domain-key -d NAME, from version 3.0.5"
	}
	return "have it keep one there"
}

// keep has a record stay that is remembered.
func (s *standby) keep(record tlsa.Association) {
	if s.record == (tlsa.Association{}) {
		s.record = record
	}
}

// spent reports whether the key of a record is for no certificate any more: the live
// chain has it, and no swap is under way that may be undone; or a person declared it
// compromised, when it was live and no other had been made yet.
func spent(l rollover.Lineage, record tlsa.Association, chains map[tlsa.ChainID]*tlsa.Chain) bool {
	return l.Swapping == nil && isOf(record, chains[l.Live]) || l.Distrusts(record)
}

// has reports whether a pair that is live or on its way has the key of a record.
func (a *Agent) has(g *group, l Lineage, record tlsa.Association) bool {
	remembered := g.state.Lineages[l.Name]
	ids := []tlsa.ChainID{remembered.Live, remembered.Successor, remembered.Queued}
	return slices.ContainsFunc(ids, func(id tlsa.ChainID) bool { return isOf(record, g.state.Chains[id]) })
}

// isOf reports whether a record is the 3 1 1 of a chain, which may be nil.
func isOf(record tlsa.Association, chain *tlsa.Chain) bool {
	return chain != nil && chain.SPKI() == record.Data
}

func shortly(a tlsa.Association) string {
	return a.Params.String() + " " + a.Data[:min(12, len(a.Data))] + "…"
}

// spare are the keys that a certificate may be for which came without one: the
// standby key, and those of the pairs that are live or on their way.
func (a *Agent) spare(lineage string, state rollover.State) []certwatch.PrivateKey {
	var keys []certwatch.PrivateKey
	if k, err := a.rooms.Keys.Next(lineage); err == nil {
		keys = append(keys, k.PrivateKey)
	}
	l := state.Lineages[lineage]
	for _, id := range []tlsa.ChainID{l.Live, l.Successor, l.Queued, l.Previous} {
		if id == "" {
			continue
		}
		if pair, err := a.rooms.Stash.Get(id); err == nil {
			keys = append(keys, pair.Key)
		}
	}
	return keys
}

// Spare are the keys of a lineage that a certificate may be for which was ordered with
// a request: see [certwatch.FromPEM].
func (a *Agent) Spare(lineage string) ([]certwatch.PrivateKey, error) {
	a = a.latest()
	state, _, err := a.State(lineage)
	if err != nil {
		return nil, err
	}
	return a.spare(lineage, state), nil
}
