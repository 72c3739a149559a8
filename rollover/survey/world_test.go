package survey

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a validating resolver that knows some records, and mail servers.
type world struct {
	t       *testing.T
	records []dns.RR
	// insecure are names below which nothing is signed, silent those that are never answered,
	// bogus those whose signatures do not hold.
	insecure, silent, bogus []string
	// sites are what listens, by ip:port.
	sites map[string]string

	mu    sync.Mutex
	asked map[string]int // questions to the resolver, and connections by ip:port
}

func newWorld(t *testing.T, records ...string) *world {
	w := &world{t: t, sites: map[string]string{}, asked: map[string]int{}}
	w.add(records...)
	return w
}

func (w *world) add(records ...string) {
	w.t.Helper()
	for _, text := range append([]string{". 60 IN SOA a.root. b.root. 1 1 1 1 1"}, records...) {
		rr, err := dns.NewRR(text)
		if err != nil {
			w.t.Fatal(err)
		}
		w.records = append(w.records, rr)
	}
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[what]++
}

// exchange is the resolver's part. Nobody answers as an authoritative server.
func (w *world) exchange(_ context.Context, m *dns.Msg, _ string, _ netip.AddrPort) (*dns.Msg, error) {
	r := new(dns.Msg).SetReply(m)
	q := m.Question[0]
	if !m.RecursionDesired {
		return r.SetRcode(m, dns.RcodeRefused), nil
	}
	w.count(strings.ToLower(q.Name) + " " + dns.TypeToString[q.Qtype])
	below := func(names []string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return dns.IsSubDomain(n, strings.ToLower(q.Name)) })
	}
	if below(w.silent) {
		return nil, context.DeadlineExceeded
	}
	if below(w.bogus) && !m.CheckingDisabled {
		return r.SetRcode(m, dns.RcodeServerFailure), nil
	}
	r.RecursionAvailable, r.AuthenticatedData, r.Rcode = true, !below(w.insecure), dns.RcodeNameError
	for name := strings.ToLower(q.Name); ; {
		next := ""
		for _, rr := range w.records {
			switch h := rr.Header(); {
			case dns.IsSubDomain(name, h.Name) && h.Name != name:
				r.Rcode = dns.RcodeSuccess
			case h.Name != name:
			case h.Rrtype == q.Qtype:
				r.Rcode, r.Answer = dns.RcodeSuccess, append(r.Answer, rr)
			case h.Rrtype == dns.TypeCNAME:
				r.Rcode, r.Answer, next = dns.RcodeSuccess, append(r.Answer, rr), rr.(*dns.CNAME).Target
			default:
				r.Rcode = dns.RcodeSuccess
			}
		}
		if name = next; name == "" {
			return r, nil
		}
	}
}

func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.count(address)
	site, ok := w.sites[address]
	if !ok {
		return nil, fmt.Errorf("dial %s %s: connection refused", network, address)
	}
	return new(net.Dialer).DialContext(ctx, network, site)
}

func (w *world) round() *Round {
	w.t.Helper()
	s, err := New(Config{Resolver: netip.MustParseAddrPort("127.0.0.1:53"), Now: func() time.Time { return time.Now() }, Dial: w.dial, Exchange: w.exchange,
		Roots: x509.NewCertPool(), Timeout: 5 * time.Second})
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Round()
}

// mailServer serves SMTP with STARTTLS at an address, and returns its chain.
func (w *world) mailServer(address string, names ...string) *tlsa.Chain {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	chain, err := tlsa.ParseChain(der)
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.sites[address] = l.Addr().String()
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	var all sync.WaitGroup
	w.t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer c.Close(); smtp(c, config) })
		}
	})
	return chain
}

// smtp is a server's part up to TLS, and in it.
func smtp(c net.Conn, config *tls.Config) {
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(c, "220 mx ESMTP\r\n")
	for lines := bufio.NewScanner(c); lines.Scan(); {
		switch verb, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " "); verb {
		case "EHLO":
			fmt.Fprint(c, "250-mx\r\n250 STARTTLS\r\n")
		case "STARTTLS":
			fmt.Fprint(c, "220 go ahead\r\n")
			secure := tls.Server(c, config)
			if secure.Handshake() != nil {
				return
			}
			c, lines = secure, bufio.NewScanner(secure)
		default:
			fmt.Fprint(c, "221 bye\r\n")
			return
		}
	}
}
