package sink_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/smtp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const local = "check-k3f9"

// world is a sink at two addresses, and what it has seen.
type world struct {
	*sink.Sink
	watch      *sink.Watch
	cases      []sink.Case
	tls, plain netip.AddrPort
	record     tlsa.Association
	chain      *tlsa.Chain
	visits     chan sink.Visit
}

func newWorld(t *testing.T) *world {
	t.Helper()
	certificate, record, err := sink.NewIdentity("dane-check.example.org", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	chain, err := tlsa.NewChain(certificate.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{tls: free(t), plain: free(t), record: record, chain: chain, visits: make(chan sink.Visit, 16)}
	var cases []sink.Case
	for _, k := range sink.Kinds() {
		cases = append(cases, sink.Case{Kind: k, Domain: domain(k)})
	}
	w.cases = sink.Assign(cases, []netip.AddrPort{w.tls, w.plain})
	w.watch = &sink.Watch{Cases: w.cases, Now: time.Now}
	w.Sink, err = sink.Listen(t.Context(), []netip.AddrPort{w.tls, w.plain}, sink.Config{
		Name: "dane-check.example.org", Local: local, Cases: w.cases, Certificate: certificate, Now: time.Now,
		Seen: func(v sink.Visit) {
			w.watch.Seen(v)
			if !v.Ended.IsZero() {
				w.visits <- v
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// free is an address that nobody listens at.
func free(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String())
}

func domain(k sink.Kind) string  { return string(k) + ".dane-check.example.org" }
func mailbox(k sink.Kind) string { return local + "@" + domain(k) }

// result is what came of a case.
func (w *world) result(k sink.Kind) sink.Result {
	results := w.watch.Results()
	return results[slices.IndexFunc(results, func(r sink.Result) bool { return r.Kind == k })]
}

func dial(t *testing.T, at netip.AddrPort) *smtp.Client {
	t.Helper()
	c, err := smtp.Dial(at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Hello("mta.example.net"); err != nil {
		t.Fatal(err)
	}
	return c
}

// matches is a client's TLS that looks at the key alone, as DANE-EE does.
func matches(record tlsa.Association, name string) *tls.Config {
	return &tls.Config{ServerName: name, InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
		got, err := tlsa.Associate(record.Params, s.PeerCertificates[0])
		if err == nil && got != record {
			err = fmt.Errorf("the certificate has %s", got)
		}
		return err
	}}
}

func send(c *smtp.Client, to string) error {
	if err := c.Mail("root@example.net"); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	fmt.Fprint(w, "Subject: a dot\r\n\r\n.\r\n..\r\nis not the end\r\n")
	return w.Close()
}

// TestDelivered: what a sender does that finds all in order.
func TestDelivered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := dial(t, w.tls)
	if ok, _ := c.Extension("STARTTLS"); !ok {
		t.Error("no STARTTLS")
	}
	if err := c.StartTLS(matches(w.record, domain(sink.Right))); err != nil {
		t.Fatal(err)
	}
	if ok, _ := c.Extension("STARTTLS"); ok {
		t.Error("STARTTLS in TLS")
	}
	for range 2 { // one connection may bring more
		if err := send(c, mailbox(sink.Right)); err != nil {
			t.Fatal(err)
		}
	}
	if r := w.result(sink.Right); r.Outcome != sink.Delivered {
		t.Errorf("while the connection stands: %+v", r)
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
	v := <-w.visits
	if v.Hello != "mta.example.net" || v.TLS != tls.VersionTLS13 || v.SNI != domain(sink.Right) || !slices.Equal(v.Delivered, []string{domain(sink.Right)}) || v.InClear != nil || v.Ended.IsZero() {
		t.Errorf("%+v", v)
	}
	if r := w.result(sink.Right); r.Outcome != sink.Delivered || r.InClear || len(r.Visits) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestKept: senders that leave at each point at which one may.
func TestKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.record
	other.Data = strings.Repeat("ab", 32)

	c := dial(t, w.tls)
	if err := c.StartTLS(matches(other, domain(sink.Wrong))); err == nil {
		t.Fatal("the handshake went well")
	}
	c.Close()
	v := <-w.visits
	if r := w.result(sink.Wrong); r.Outcome != sink.Kept || v.SNI != domain(sink.Wrong) || v.TLS != 0 || !strings.Contains(v.Failure, "bad certificate") {
		t.Errorf("aborted: %+v, %+v", v, r)
	}

	c = dial(t, w.tls) // as Postfix does it
	if err := c.StartTLS(matches(w.record, domain(sink.Agility))); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
	v = <-w.visits
	if r := w.result(sink.Agility); r.Outcome != sink.Kept || v.TLS != tls.VersionTLS13 {
		t.Errorf("left in TLS: %+v, %+v", v, r)
	}

	c = dial(t, w.plain)
	if ok, _ := c.Extension("STARTTLS"); ok {
		t.Error("STARTTLS where there is none")
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
	if v = <-w.visits; v.Alone != sink.NoTLS {
		t.Errorf("%+v", v)
	}
	if r := w.result(sink.NoTLS); r.Outcome != sink.Kept {
		t.Errorf("left without TLS: %+v", r)
	}
	if r := w.result(sink.Unusable); r.Outcome != sink.Absent {
		t.Errorf("its turn has not come: %+v", r)
	}
}

// TestRounds: the address of one case is then that of the next.
func TestRounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := dial(t, w.plain)
	if err := send(c, mailbox(sink.Unusable)); err == nil || !strings.HasPrefix(err.Error(), `451 "4.3.2 `) {
		t.Errorf("before its turn: %v", err)
	}
	c.Close()
	<-w.visits
	if r := w.result(sink.NoTLS); r.Outcome != sink.Absent {
		t.Errorf("that was for another case: %+v", r)
	}
	w.Round(1)
	c = dial(t, w.plain)
	if err := send(c, mailbox(sink.Unusable)); err != nil {
		t.Error(err)
	}
	c.Close()
	<-w.visits
	if r := w.result(sink.Unusable); r.Outcome != sink.Delivered || !r.InClear {
		t.Errorf("%+v", r)
	}
}

// TestNoRelay: it takes what is its own, and nothing else.
func TestNoRelay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := dial(t, w.tls)
	if err := c.Mail("root@example.net"); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{
		"someone@example.net", "check@" + domain(sink.Right), local, local + "@example.net", local + "@dane-check.example.org",
		"someone%example.net@" + domain(sink.Right), "@" + domain(sink.Right) + ":someone@example.net", "", "postmaster",
	} {
		if err := c.Rcpt(to); err == nil || !strings.HasPrefix(err.Error(), `550 "5.7.1 `) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if _, err := c.Data(); err == nil || !strings.HasPrefix(err.Error(), "503 ") {
		t.Errorf("DATA: %v", err)
	}
	c.Close()
	if v := <-w.visits; v.Strangers != 9 || v.Delivered != nil || v.Recipients != nil {
		t.Errorf("%+v", v)
	}
	for _, r := range w.watch.Results() {
		if r.Outcome != sink.Absent {
			t.Errorf("%+v", r)
		}
	}
}

// TestRude: visitors that do not keep to the rules.
func TestRude(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mail := "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + mailbox(sink.None) + ">\r\nDATA\r\n"
	for name, tc := range map[string]struct {
		say, last string
		delivered bool
	}{
		"silence":              {"", "220 ", false},
		"no greeting":          {"MAIL FROM:<>\r\nQUIT\r\n", "221 ", false},
		"a long line":          {"EHLO " + strings.Repeat("x", 5000), "500 5.5.2 ", false},
		"bare LF":              {"EHLO x\nMAIL FROM:<>\nQUIT\n", "221 ", false},
		"control characters":   {"EHLO \x1b[2J\r\nQUIT\r\n", "221 ", false},
		"RCPT first":           {"EHLO x\r\nRCPT TO:<" + mailbox(sink.None) + ">\r\n", "503 5.5.1 MAIL", false},
		"no brackets":          {"EHLO x\r\nMAIL FROM:root\r\n", "501 5.5.4 MAIL", false},
		"after STARTTLS":       {"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<>\r\n", "250 ", false},
		"no end":               {mail + "text\r\n", "354 ", false},
		"an end of bare LF":    {mail + "text\n.\n", "354 ", false},
		"an end after CR":      {mail + "text\r.\r\n", "354 ", false},
		"empty":                {mail + ".\r\n", "250 ", true},
		"an end far behind":    {mail + strings.Repeat("x", 2047) + "\r\n.\r\n", "250 ", true},
		"pipelined":            {mail + "text\r\n.\r\nQUIT\r\n", "221 ", true},
		"more than is allowed": {mail + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 70), "552 5.3.4 ", false},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", w.tls.String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = conn.Write([]byte(tc.say)) // which may be more than it takes
			_ = conn.(*net.TCPConn).CloseWrite()
			var last string
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				last = lines.Text()
			}
			v := <-w.visits
			if !strings.HasPrefix(last, tc.last) || (v.Delivered != nil) != tc.delivered {
				t.Errorf("the last reply is %q, want %s; %+v", last, tc.last, v)
			}
			if strings.ContainsRune(v.Hello, '\x1b') {
				t.Errorf("greeted as %q", v.Hello)
			}
		})
	}
}

// TestClose ends visitors that would stay.
func TestClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dial(t, w.tls)
	w.Close()
	if v := <-w.visits; v.Hello != "mta.example.net" {
		t.Errorf("%+v", v)
	}
	if _, err := net.Dial("tcp", w.tls.String()); err == nil {
		t.Error("it still listens")
	}
}

// TestListenTaken: the port is somebody else's.
func TestListenTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := sink.Listen(t.Context(), []netip.AddrPort{free(t), w.tls}, sink.Config{})
	if err == nil || !strings.Contains(err.Error(), "listen at "+w.tls.String()+": ") || !strings.Contains(err.Error(), "(hint: who else has it, such as the mail server itself, ") {
		t.Errorf("error is %v", err)
	}
}
