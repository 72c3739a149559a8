package agent

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Addresses of the world's servers.
var (
	resolverAt = netip.MustParseAddrPort("127.0.0.1:53")
	ns1At      = netip.MustParseAddrPort("192.0.2.53:53")
	ns2At      = netip.MustParseAddrPort("198.51.100.53:53")
)

// names are what the zone's servers say besides the TLSA records, which stand in
// a [memory.Zone].
type names struct {
	zone     *memory.Zone
	servers  map[netip.AddrPort]string   // by address: name in the zone
	hosts    map[string][]netip.Addr     // by absolute name
	aliases  map[string]string           // CNAMEs of hosts
	texts    map[string]string           // TXT
	resolver func(q dns.Question) string // "servfail", "silent" or ""
	secure   bool                        // the resolver validates the addresses of hosts
	left     bool                        // ns2 is no name server of the zone any more
}

// exchange is the network, in wire format both ways.
func (w *world) exchange(ctx context.Context, m *dns.Msg, _ string, server netip.AddrPort) (*dns.Msg, error) {
	q := m.Question[0]
	w.mu.Lock()
	w.asked[fmt.Sprintf("%s %s %s", server.Addr(), q.Name, dns.Type(q.Qtype))]++
	slow, hook := w.slow[server], w.onAsk
	name, known := w.dns.servers[server]
	w.mu.Unlock()
	if hook != nil {
		hook(server, q)
	}
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	r := new(dns.Msg).SetReply(m)
	r.SetEdns0(1232, true)
	switch {
	case server == resolverAt:
		what := ""
		if w.dns.resolver != nil {
			what = w.dns.resolver(q)
		}
		switch what {
		case "silent":
			<-ctx.Done()
			return nil, ctx.Err()
		case "servfail":
			r.Rcode = dns.RcodeServerFailure
		default:
			r.RecursionAvailable = true
			w.resolve(r, q)
		}
	case !known || !w.dns.answer(r, q, name):
		<-ctx.Done() // nobody there
		return nil, ctx.Err()
	default:
		r.Authoritative = true
	}
	b, err := r.Pack()
	if err != nil {
		return nil, err
	}
	out := new(dns.Msg)
	return out, out.Unpack(b)
}

// resolve answers as a validating resolver would that has an unsigned zone before
// it: only the root is secure.
func (w *world) resolve(r *dns.Msg, q dns.Question) {
	if q.Name == "." || !dns.IsSubDomain(w.dns.zone.Name(), strings.ToLower(q.Name)) {
		r.AuthenticatedData = q.Name == "."
		soa := rr(". 60 SOA a.root. hostmaster.root. 1 1800 900 604800 60")
		if q.Name == "." && q.Qtype == dns.TypeSOA {
			r.Answer = append(r.Answer, soa)
			return
		}
		if q.Name != "." {
			r.Rcode = dns.RcodeNameError
		}
		r.Ns = append(r.Ns, soa)
		return
	}
	r.AuthenticatedData = w.dns.secure && (q.Qtype == dns.TypeA || q.Qtype == dns.TypeAAAA)
	for _, at := range []netip.AddrPort{ns1At, ns2At} {
		if w.dns.answer(r, q, w.dns.servers[at]) {
			return
		}
	}
	r.Rcode = dns.RcodeServerFailure
}

// answer fills in what a server of the zone says, false if it is down.
func (n *names) answer(r *dns.Msg, q dns.Question, server string) bool {
	name := strings.ToLower(q.Name)
	apex := n.zone.Name()
	soa := rr(fmt.Sprintf("%s 60 SOA ns1.%s hostmaster.%s 1 1800 900 604800 60", apex, apex, apex))
	answer, up := n.zone.Answer(server, tlsa.Owner(name))
	if !up {
		return false
	}
	add := func(format string, args ...any) { r.Answer = append(r.Answer, rr(fmt.Sprintf(format, args...))) }
	if target := n.aliases[name]; target != "" && q.Qtype != dns.TypeCNAME {
		add("%s 60 CNAME %s", name, target)
		name = target
	}
	switch {
	case answer.Alias != "":
		add("%s %d CNAME %s", name, int(answer.AliasTTL.Seconds()), answer.Alias)
		if q.Qtype == dns.TypeTLSA {
			if next, _ := n.zone.Answer(server, answer.Alias); !next.RRset.Denial() {
				addTLSA(r, answer.Alias, next.RRset)
			}
		}
	case q.Qtype == dns.TypeTLSA && !answer.RRset.Denial():
		addTLSA(r, tlsa.Owner(name), answer.RRset)
	case q.Qtype == dns.TypeSOA && name == apex:
		r.Answer = append(r.Answer, soa)
	case q.Qtype == dns.TypeNS && name == apex:
		add("%s 60 NS ns1.%s", apex, apex)
		if !n.left {
			add("%s 60 NS ns2.%s", apex, apex)
		}
	case q.Qtype == dns.TypeTXT && n.texts[name] != "":
		add("%s 60 TXT %q", name, n.texts[name])
	case q.Qtype == dns.TypeA:
		for _, a := range n.hosts[name] {
			r.Answer = append(r.Answer, &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.IP(a.AsSlice())})
		}
	}
	if len(r.Answer) == 0 {
		r.Ns = append(r.Ns, soa)
	}
	return true
}

func addTLSA(r *dns.Msg, owner tlsa.Owner, s tlsa.RRset) {
	for _, a := range s.Associations {
		if _, err := hex.DecodeString(a.Data); err != nil {
			panic(err)
		}
		r.Answer = append(r.Answer, &dns.TLSA{Hdr: dns.RR_Header{Name: string(owner), Rrtype: dns.TypeTLSA, Class: dns.ClassINET, Ttl: uint32(s.TTL.Seconds())},
			Usage: uint8(a.Usage), Selector: uint8(a.Selector), MatchingType: uint8(a.Matching), Certificate: a.Data})
	}
}

func rr(text string) dns.RR {
	record, err := dns.NewRR(text)
	if err != nil {
		panic(err)
	}
	return record
}

// questions counts those that were asked whose text contains what.
func (w *world) questions(what string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for text, count := range w.asked {
		if strings.Contains(text, what) {
			n += count
		}
	}
	return n
}
