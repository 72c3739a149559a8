package manual

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// trouble is an error on its way to its owner.
type trouble struct {
	kind    dnsprovider.Kind
	err     error
	hint    string
	address string // of the server it came up with; "" if none was asked
	another bool   // the server's next address may know better
}

func (t *trouble) at(address string) *trouble {
	if t != nil && t.address == "" {
		t.address = address
	}
	return t
}

// about makes the error that a caller sees.
func (p *Provider) about(op string, owner tlsa.Owner, t *trouble) error {
	if t == nil {
		return nil
	}
	provider := p.name
	if t.address != "" {
		provider += " " + t.address
	}
	return &dnsprovider.Error{Op: op, Provider: provider, Owner: owner, Kind: t.kind, Err: t.err, Hint: t.hint}
}

// ended is the trouble of a caller who no longer waits, nil while he does.
func ended(ctx context.Context) *trouble {
	if err := ctx.Err(); err != nil {
		return &trouble{kind: dnsprovider.Temporary, err: err}
	}
	return nil
}

// unanswered makes trouble of an error of the network.
func (p *Provider) unanswered(ctx context.Context, err error) *trouble {
	if t := ended(ctx); t != nil {
		return t
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout()) {
		err = fmt.Errorf("no reply within %s", p.timeout)
	}
	return &trouble{
		kind: dnsprovider.Temporary, err: err, another: true,
		hint: "is the server up, and does it take TCP from here; if it is hidden, configure another server of the zone",
	}
}

// noAnswer is the trouble of a reply that says nothing about a name, nil if it may.
func noAnswer(reply *dns.Msg) *trouble {
	name := reply.Question[0].Name
	switch reply.Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
		return nil
	case dns.RcodeRefused, dns.RcodeNotAuth:
		return &trouble{
			kind: dnsprovider.NoZone, err: fmt.Errorf("%s for %s", rcode(reply), name),
			hint: "is it a server of the zone, and does it answer this host; else configure another one",
		}
	}
	return &trouble{
		kind: dnsprovider.Temporary, err: fmt.Errorf("%s for %s", rcode(reply), name), another: true,
		hint: "the server's log may say why",
	}
}

func rcode(reply *dns.Msg) string {
	if s, ok := dns.RcodeToString[reply.Rcode]; ok {
		return s
	}
	return fmt.Sprintf("RCODE %d", reply.Rcode)
}
