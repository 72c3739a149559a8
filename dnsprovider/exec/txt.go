package exec

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// txtTries is how often a TXT value is tried to be set where others do the same at the
// same time.
const txtTries = 3

// AddTXT adds a TXT value, see [dnsprovider.TXTProvider].
func (p *Provider) AddTXT(ctx context.Context, zone string, name tlsa.Owner, value string, ttl time.Duration) error {
	if err := dnsprovider.ValidateTTL(ttl); err != nil {
		return p.about(opAddTXT, name, &trouble{kind: dnsprovider.Malformed, err: err})
	}
	return p.about(opAddTXT, name, p.setTXT(ctx, zone, name, value, ttl, true))
}

// RemoveTXT removes a TXT value, see [dnsprovider.TXTProvider].
func (p *Provider) RemoveTXT(ctx context.Context, zone string, name tlsa.Owner, value string) error {
	return p.about(opRemoveTXT, name, p.setTXT(ctx, zone, name, value, 0, false))
}

// setTXT makes a value stand at name, or not. A conflict is no matter here: the value is
// tried to be set beside what stands there now.
func (p *Provider) setTXT(ctx context.Context, asked string, name tlsa.Owner, value string, ttl time.Duration, stand bool) *trouble {
	if err := dnsprovider.ValidateTXT(name, value); err != nil {
		return &trouble{kind: dnsprovider.Malformed, err: err}
	}
	zone, t := p.zoneOf(asked, name)
	if t != nil {
		return t
	}
	release, t := take(ctx, p.changing)
	if t != nil {
		return t
	}
	defer release()
	for range txtTries {
		if t = p.tryTXT(ctx, zone, name, value, ttl, stand); t == nil || t.kind != dnsprovider.Conflict {
			return t
		}
	}
	return t
}

func (p *Provider) tryTXT(ctx context.Context, zone string, name tlsa.Owner, value string, ttl time.Duration, stand bool) *trouble {
	before, t := p.look(ctx, zone, name)
	if t != nil {
		return t
	}
	seen, t := before.txt(name)
	if t != nil || seen.has(value) == stand {
		return t
	}
	dnsprovider.ForgetReading(ctx, p.key(zone))
	results, said := p.callChange(ctx, changeRequest{Version: version, Zone: zone, Changes: []change{seen.asked(name, value, ttl, stand)}})
	if said == nil {
		said = p.saidOf(results, name)
	}
	after, blind := p.look(ctx, zone, name)
	var found texts
	if blind == nil {
		found, blind = after.txt(name)
	}
	if blind != nil {
		return unseen(said, blind)
	}
	return verdict(said, found.has(value) == stand, slices.Equal(found.data, seen.data), fmt.Errorf("other values came or went"))
}

// texts are the TXT records at a name.
type texts struct {
	data []string // as they were printed
	ttl  time.Duration
}

func (r *reading) txt(name tlsa.Owner) (texts, *trouble) {
	if t := r.blocked(name); t != nil {
		return texts{}, t
	}
	found := r.at(string(name), "TXT")
	ttl, err := lowest(found)
	if err != nil {
		return texts{}, unreadable(err)
	}
	out := texts{ttl: ttl, data: []string{}}
	for _, one := range found {
		out.data = append(out.data, one.Data)
	}
	return out, nil
}

func (s texts) has(value string) bool { return slices.ContainsFunc(s.data, is(value)) }

// is reports whether data are a value of ours: one string, which needs no escapes. Hosts
// differ in whether they keep the quotes.
func is(value string) func(data string) bool {
	return func(data string) bool {
		data = strings.TrimSpace(data)
		return data == value || data == inQuotes(value)
	}
}

func inQuotes(value string) string { return `"` + value + `"` }

// asked is the change as the command gets it. Where values stand, they keep their TTL.
func (s texts) asked(name tlsa.Owner, value string, ttl time.Duration, stand bool) change {
	c := change{Owner: name, Type: "TXT", Before: s.data, Add: []string{}, Remove: []string{}}
	if stand {
		c.Add = []string{inQuotes(value)}
		c.After = slices.Concat(s.data, c.Add)
	} else {
		c.After = []string{}
		for _, d := range s.data {
			if is(value)(d) {
				c.Remove = append(c.Remove, d)
			} else {
				c.After = append(c.After, d)
			}
		}
	}
	if len(s.data) > 0 {
		ttl = s.ttl
	}
	if len(c.After) > 0 {
		c.TTL = int64(ttl / time.Second)
	}
	return c
}
