package manual

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// query asks for what stands in the server's own copy: not recursively.
func query(name string, qtype uint16) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(name, qtype)
	m.RecursionDesired = false
	return m
}

// ask sends queries over one connection, one after another.
func (p *Provider) ask(ctx context.Context, address string, queries ...*dns.Msg) ([]*dns.Msg, *trouble) {
	bounded, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	conn, err := p.dial(bounded, "tcp", address)
	if err != nil {
		return nil, p.unanswered(ctx, err).at(address)
	}
	defer conn.Close()
	// A deadline that is over ends every call under way; so the context does.
	defer context.AfterFunc(bounded, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	var replies []*dns.Msg
	for _, m := range queries {
		reply, t := p.exchange(ctx, conn, m)
		if t != nil {
			return nil, t.at(address)
		}
		replies = append(replies, reply)
	}
	return replies, nil
}

func (p *Provider) exchange(ctx context.Context, conn net.Conn, m *dns.Msg) (*dns.Msg, *trouble) {
	c := &dns.Conn{Conn: conn}
	if err := c.WriteMsg(m); err != nil {
		return nil, p.unanswered(ctx, err)
	}
	raw, err := c.ReadMsgHeader(nil)
	if err != nil {
		return nil, p.unanswered(ctx, err)
	}
	return parse(m, raw)
}

// parse reads what came as the reply to a query.
func parse(m *dns.Msg, raw []byte) (*dns.Msg, *trouble) {
	reply := new(dns.Msg)
	if err := reply.Unpack(raw); err != nil {
		return nil, &trouble{kind: dnsprovider.Malformed, err: fmt.Errorf("a reply that cannot be read: %w", err)}
	}
	if err := fits(m, reply); err != nil {
		return nil, &trouble{kind: dnsprovider.Malformed, err: fmt.Errorf("not a valid reply: %w", err)}
	}
	return reply, nil
}

// fits says why a reply is not one to the query.
func fits(m, reply *dns.Msg) error {
	asked := m.Question[0]
	switch {
	case reply.Id != m.Id:
		return errors.New("its ID is another")
	case !reply.Response:
		return errors.New("it is a request")
	case reply.Opcode != m.Opcode:
		return fmt.Errorf("its opcode is %d", reply.Opcode)
	case reply.Truncated:
		return errors.New("it is truncated, over TCP")
	case len(reply.Question) == 0 && reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError:
		reply.Question = m.Question // some errors leave it out
		return nil
	case len(reply.Question) != 1 || reply.Question[0].Qtype != asked.Qtype || reply.Question[0].Qclass != asked.Qclass ||
		dns.CanonicalName(reply.Question[0].Name) != dns.CanonicalName(asked.Name):
		return errors.New("it is about another question")
	}
	return nil
}
