package rfc2136

import (
	"context"
	"errors"
	"fmt"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A negotiator agrees on keys with servers, where none is configured.
type negotiator interface {
	// key returns the key agreed on with the session's server. It is negotiated if there is
	// none that is still good.
	key(ctx context.Context, s *session) (*key, *trouble)
	// forget drops a key that the server does not know any more.
	forget(s *session)
	// named says by which name the addresses were found.
	named(host string, addresses []string)
	// rightsHint asks for the right to change records of the type.
	rightsHint(owner tlsa.Owner, rtype string) string
}

func (k *key) negotiated() bool { return !k.until.IsZero() }

// agree makes sure that there is a key, where it has to be negotiated.
func (s *session) agree(ctx context.Context) (t *trouble) {
	if s.negotiator == nil {
		return nil
	}
	s.key, t = s.negotiator.key(ctx, s)
	return t.at(s.address)
}

// ask sends queries and returns one reply or one trouble for each. Those that the server
// did not know the key for are sent once more with another.
func (s *session) ask(ctx context.Context, queries []*dns.Msg) ([]*dns.Msg, []*trouble) {
	replies, troubles := make([]*dns.Msg, len(queries)), make([]*trouble, len(queries))
	index := make([]int, len(queries))
	for i := range queries {
		index[i] = i
	}
	for again := false; len(index) > 0; again = true {
		if t := s.agree(ctx); t != nil {
			for _, i := range index {
				one := *t
				troubles[i] = &one
			}
			return replies, troubles
		}
		var left []*dns.Msg
		for _, i := range index {
			left = append(left, queries[i])
		}
		some, why := s.inquire(ctx, left)
		var stale []int
		for n, i := range index {
			replies[i], troubles[i] = some[n], why[n]
			if s.disowned(why[n]) {
				stale = append(stale, i)
			}
		}
		if again || len(stale) == 0 {
			return replies, troubles
		}
		s.negotiator.forget(s)
		index = stale
	}
	return replies, troubles
}

// tell sends an update and returns the reply, if it is one to rely on. If the server did
// not know the key, it is sent once more with another. Anybody can say so, as that cannot
// be signed; but the prerequisites keep an update from being carried out twice.
func (s *session) tell(ctx context.Context, update *dns.Msg) (reply *dns.Msg, t *trouble) {
	for range 2 {
		if t = s.agree(ctx); t != nil {
			return nil, t
		}
		if reply, t = s.deliver(ctx, update); !s.disowned(t) {
			return reply, t
		}
		s.negotiator.forget(s)
	}
	return reply, t
}

// disowned reports whether the server does not know a negotiated key: it was started
// again since, or has given the key up.
func (s *session) disowned(t *trouble) bool {
	var reported *tsigError
	if s.negotiator == nil || t == nil || !errors.As(t.err, &reported) {
		return false
	}
	return reported.code == dns.RcodeBadKey || reported.code == dns.RcodeBadSig
}

// doubtHint is for a reply that is not believed.
func (k *key) doubtHint(err error) string {
	switch {
	case errors.Is(err, errEchoedMAC):
		return "so Windows answers an update that it did not check or does not take: does the zone take secure updates only, and records of this type"
	case k.negotiated():
		return "is this the primary, and nothing between it and here"
	}
	return fmt.Sprintf("is this the primary, with the key %q, and nothing between it and here", k.name)
}
