package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
)

// The well-behaved conversations, which the others differ from.
var (
	smtpTalk = script{
		"S: 220-mx.example ESMTP", "S: 220-no spam, please", "S: 220 welcome",
		"C: EHLO probe.example", "S: 250-STARTTLS.mx.example hello", "S: 250-SIZE 1000", "S: 250-starttls", "S: 250 HELP",
		"C: STARTTLS", "S: 220 2.0.0 go ahead", "TLS",
		"C: EHLO probe.example", "S: 250-mx.example", "S: 250 SIZE 1000", "C: QUIT", "S: 221 bye"}
	imapTalk = script{
		"S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready",
		"C: a STARTTLS", "S: * CAPABILITY IMAP4rev1", "S: a OK begin", "TLS",
		"C: b LOGOUT", "S: * BYE see you", "S: b OK done"}
	pop3Talk = script{
		"S: +OK ready <1@mx.example>",
		"C: STLS", "S: +OK begin", "TLS",
		"C: QUIT", "S: +OK bye"}
	sieveTalk = script{
		`S: "IMPLEMENTATION" "a {5}"`, "S: {5}\r\nSIEVE {8}\r\nenvelope", `S: "StartTLS"`, `S: "VERSION" "1.0"`, `S: OK (TAG {3}` + "\r\nabc) ready",
		"C: STARTTLS", "S: OK begin", "TLS",
		`S: "IMPLEMENTATION" "x"`, "S: OK",
		"C: LOGOUT", "S: OK bye"}
)

// swap replaces the step that is old by steps and drops all after them.
func swap(s script, old string, steps ...string) script {
	for i, step := range s {
		if step == old {
			return append(append(script{}, s[:i]...), steps...)
		}
	}
	panic("no such step: " + old)
}

func TestDialogues(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	tests := map[string]struct {
		scheme string
		talk   script
		want   Outcome
		err    string // after "smtp://mx.example at 192.0.2.1:25: ", exact
	}{
		"smtp":                                 {"smtp", smtpTalk, Served, ""},
		"submission":                           {"submission", smtpTalk, Served, ""},
		"imap":                                 {"imap", imapTalk, Served, ""},
		"pop3":                                 {"pop3", pop3Talk, Served, ""},
		"sieve":                                {"sieve", sieveTalk, Served, ""},
		"submissions":                          {"submissions", script{"TLS", "S: 220 mx", "C: QUIT", "S: 221 bye"}, Served, ""},
		"imaps":                                {"imaps", script{"TLS", "S: * OK ready", "C: b LOGOUT", "S: * BYE", "S: b OK"}, Served, ""},
		"pop3s":                                {"pop3s", script{"TLS", "S: +OK", "C: QUIT", "S: +OK"}, Served, ""},
		"tls":                                  {"tls", script{"TLS"}, Served, ""},
		"replies of a bare code and LF":        {"smtp", append(script{"raw 220\n", "C: EHLO probe.example", "raw 250-mx\n250 STARTTLS\n", "C: STARTTLS", "raw 220\n"}, smtpTalk[10:]...), Served, ""},
		"a tarpit":                             {"smtp", append(script{"wait 30s"}, smtpTalk...), Served, ""},
		"a tarpit between the lines":           {"smtp", append(script{"S: 220-wait", "wait 17s", "S: 220-for", "wait 17s"}, smtpTalk[2:]...), Served, ""},
		"a tarpit at EHLO":                     {"smtp", append(append(smtpTalk[:4:4], "wait 30s"), smtpTalk[4:]...), Served, ""},
		"refuses in TLS what it served":        {"smtp", swap(smtpTalk, "S: 250-mx.example", "S: 554 go away", "C: QUIT", "S: 221 bye"), Served, ""},
		"hangs up after the handshake":         {"smtp", append(smtpTalk[:11:11], "close"), Served, ""},
		"falls silent after the handshake":     {"smtp", append(smtpTalk[:11:11], "hang"), Served, ""},
		"refuses within implicit TLS":          {"submissions", script{"TLS", "S: 421 busy", "C: QUIT", "close"}, Served, ""},
		"silence":                              {"smtp", script{"hang"}, Unreachable, "greeting: no answer in 35s"},
		"a tarpit without end":                 {"smtp", script{"S: 220-1", "wait 20s", "S: 220-2", "wait 14s", "S: 220-3", "wait 5s"}, Unreachable, "greeting: no answer in 35s"},
		"silence after EHLO":                   {"smtp", append(smtpTalk[:4:4], "hang"), Unreachable, "EHLO: no answer in 35s"},
		"silence after STARTTLS":               {"smtp", append(smtpTalk[:9:9], "hang"), Unreachable, "STARTTLS: no answer in 15s"},
		"silence after the ClientHello":        {"smtp", append(smtpTalk[:10:10], "hang"), Unreachable, "TLS handshake (SNI): no answer in 15s"},
		"hangs up at once":                     {"smtp", script{"close"}, Unreachable, "greeting: closed by the server: EOF"},
		"hangs up within a line":               {"smtp", script{"raw 220 m", "close"}, Unreachable, `greeting: closed by the server within the line "220 m": unexpected EOF`},
		"hangs up after EHLO":                  {"smtp", append(smtpTalk[:4:4], "close"), Unreachable, "EHLO: closed by the server: EOF"},
		"hangs up on the ClientHello":          {"smtp", append(smtpTalk[:10:10], "close"), HandshakeFailed, "TLS handshake (SNI): the server hung up on the ClientHello"},
		"4xx greeting":                         {"smtp", script{"S: 421-too", "S: 421 busy", "C: QUIT", "S: 221 bye"}, Refused, `greeting: the server said "421 busy"`},
		"554 greeting":                         {"smtp", script{"S: 554 no mail here", "C: QUIT", "S: 221 bye"}, Refused, `greeting: the server said "554 no mail here"`},
		"another code as greeting":             {"smtp", script{"S: 250 hello", "hang"}, ProtocolError, `greeting: the server said "250 hello", not 220`},
		"garbage":                              {"smtp", script{"S: HTTP/1.1 400 Bad Request", "hang"}, ProtocolError, `greeting: no SMTP reply: "HTTP/1.1 400 Bad Request"`},
		"a garbage code":                       {"smtp", script{"S: 220/x", "hang"}, ProtocolError, `greeting: no SMTP reply: "220/x"`},
		"an escape sequence":                   {"smtp", script{"S: \x1b[2J\u202e", "hang"}, ProtocolError, `greeting: no SMTP reply: "\x1b[2J\u202e"`},
		"TLS at once":                          {"smtp", script{"raw \x15\x03\x01\x00\x02\x02\x0a", "hang"}, ProtocolError, "greeting: a TLS record in place of words (hint: does the port speak TLS at once, without STARTTLS?)"},
		"a huge line":                          {"smtp", script{"raw 220 " + long, "hang"}, ProtocolError, `greeting: a line of more than 4096 octets: "220 ` + long[:156] + `"…`},
		"huge replies":                         {"smtp", script{"raw " + strings.Repeat("220-"+long[:1000]+"\r\n", 70), "hang"}, ProtocolError, "greeting: the server says more than 65536 octets"},
		"EHLO not known":                       {"smtp", swap(smtpTalk, "S: 250-STARTTLS.mx.example hello", "S: 502 no such command", "C: QUIT", "S: 221 bye"), NoSTARTTLS, `EHLO: the server said "502 no such command"`},
		"EHLO rejected":                        {"smtp", swap(smtpTalk, "S: 250-STARTTLS.mx.example hello", "S: 550 who?", "C: QUIT", "S: 221 bye"), Refused, `EHLO: the server said "550 who?" (hint: does it dislike the name probe.example?)`},
		"EHLO put off":                         {"smtp", swap(smtpTalk, "S: 250-STARTTLS.mx.example hello", "S: 450 later", "C: QUIT", "S: 221 bye"), Refused, `EHLO: the server said "450 later" (hint: does it dislike the name probe.example?)`},
		"EHLO answered beside the point":       {"smtp", swap(smtpTalk, "S: 250-STARTTLS.mx.example hello", "S: 354 send it", "hang"), ProtocolError, `EHLO: the server said "354 send it", not 250`},
		"no STARTTLS":                          {"smtp", swap(smtpTalk, "S: 250-starttls", "S: 250 XSTARTTLS", "C: QUIT", "S: 221 bye"), NoSTARTTLS, "STARTTLS: not offered (hint: is TLS on, and for every client? RFC 7672, section 9.2)"},
		"no extensions":                        {"smtp", swap(smtpTalk, "S: 250-STARTTLS.mx.example hello", "S: 250 STARTTLS", "C: QUIT", "S: 221 bye"), NoSTARTTLS, "STARTTLS: not offered (hint: is TLS on, and for every client? RFC 7672, section 9.2)"},
		"454":                                  {"smtp", swap(smtpTalk, "S: 220 2.0.0 go ahead", "S: 454 4.7.0 TLS not available due to local problem", "C: QUIT", "S: 221 bye"), NoSTARTTLS, `STARTTLS: the server said "454 4.7.0 TLS not available due to local problem"`},
		"501":                                  {"smtp", swap(smtpTalk, "S: 220 2.0.0 go ahead", "S: 501 no parameters, please", "C: QUIT", "S: 221 bye"), NoSTARTTLS, `STARTTLS: the server said "501 no parameters, please"`},
		"421 to STARTTLS":                      {"smtp", swap(smtpTalk, "S: 220 2.0.0 go ahead", "S: 421 shutting down", "close"), Refused, `STARTTLS: the server said "421 shutting down"`},
		"250 to STARTTLS":                      {"smtp", swap(smtpTalk, "S: 220 2.0.0 go ahead", "S: 250 ok", "hang"), ProtocolError, `STARTTLS: the server said "250 ok", not 220`},
		"words between go-ahead and TLS":       {"smtp", swap(smtpTalk, "S: 220 2.0.0 go ahead", "S: 220 go\r\n250-mx", "hang"), ProtocolError, `8 octets between the go-ahead and TLS: "250-mx\r\n"`},
		"imap: BYE":                            {"imap", script{"S: * BYE too many", "C: b LOGOUT", "close"}, Refused, `greeting: the server said "* BYE too many"`},
		"imap: PREAUTH":                        {"imap", script{"S: * PREAUTH hi", "C: b LOGOUT", "S: * BYE", "S: b OK"}, NoSTARTTLS, `greeting: the server said "* PREAUTH hi"`},
		"imap: garbage":                        {"imap", script{"S: +OK ready", "hang"}, ProtocolError, `greeting: no IMAP greeting: "+OK ready"`},
		"imap: NO":                             {"imap", swap(imapTalk, "S: * CAPABILITY IMAP4rev1", "S: a NO not today", "C: b LOGOUT", "S: * BYE", "S: b OK"), NoSTARTTLS, `STARTTLS: the server said "a NO not today"`},
		"imap: BAD":                            {"imap", swap(imapTalk, "S: * CAPABILITY IMAP4rev1", "S: a BAD what?", "C: b LOGOUT", "S: * BYE", "S: b OK"), NoSTARTTLS, `STARTTLS: the server said "a BAD what?"`},
		"imap: BYE to STARTTLS":                {"imap", swap(imapTalk, "S: * CAPABILITY IMAP4rev1", "S: * BYE going down", "C: b LOGOUT", "close"), Refused, `STARTTLS: the server said "* BYE going down"`},
		"imap: another tag":                    {"imap", swap(imapTalk, "S: a OK begin", "S: z OK begin", "hang"), ProtocolError, `STARTTLS: no IMAP response: "z OK begin"`},
		"imap: another status":                 {"imap", swap(imapTalk, "S: a OK begin", "S: a MAYBE", "hang"), ProtocolError, `STARTTLS: no IMAP response: "a MAYBE"`},
		"imap: words between":                  {"imap", swap(imapTalk, "S: a OK begin", "S: a OK begin\r\n* CAPABILITY IMAP4rev1", "hang"), ProtocolError, `24 octets between the go-ahead and TLS: "* CAPABILITY IMAP4rev1\r\n"`},
		"pop3: -ERR greeting":                  {"pop3", script{"S: -ERR [SYS/TEMP] later", "C: QUIT", "S: +OK"}, Refused, `greeting: the server said "-ERR [SYS/TEMP] later"`},
		"pop3: -ERR":                           {"pop3", swap(pop3Talk, "S: +OK begin", "S: -ERR what?", "C: QUIT", "S: +OK"), NoSTARTTLS, `STLS: the server said "-ERR what?"`},
		"pop3: garbage":                        {"pop3", script{"S: +okay", "hang"}, ProtocolError, `greeting: no POP3 response: "+okay"`},
		"sieve: BYE":                           {"sieve", script{"S: BYE (TRYLATER) \"busy\"", "C: LOGOUT", "close"}, Refused, `greeting: the server said "BYE (TRYLATER) \"busy\""`},
		"sieve: no STARTTLS":                   {"sieve", script{`S: "SIEVE" "starttls"`, "S: OK", "C: LOGOUT", "S: OK"}, NoSTARTTLS, "STARTTLS: not offered (hint: is TLS on?)"},
		"sieve: STARTTLS offered as a literal": {"sieve", append(script{"S: {8+}\r\nSTARTTLS", "S: OK"}, sieveTalk[5:]...), Served, ""},
		"sieve: NO":                            {"sieve", swap(sieveTalk, "S: OK begin", "S: NO {5}\r\nsorry", "C: LOGOUT", "S: OK"), NoSTARTTLS, `STARTTLS: the server said "NO {5}\r\nsorry"`},
		"sieve: BYE to STARTTLS":               {"sieve", swap(sieveTalk, "S: OK begin", "S: BYE", "close"), Refused, `STARTTLS: the server said "BYE"`},
		"sieve: garbage":                       {"sieve", script{"S: OKAY", "hang"}, ProtocolError, `greeting: no ManageSieve response: "OKAY"`},
		"sieve: a literal too long":            {"sieve", script{"S: {2000000000}", "hang"}, ProtocolError, "greeting: the server says more than 65536 octets"},
		"sieve: a literal cut short":           {"sieve", script{"S: {9}", "raw abc", "close"}, Unreachable, "greeting: closed by the server within a literal of 9 octets: unexpected EOF"},
	}
	config := with(t, "ecdsa")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, err := ParseURL(tt.scheme + "://mx.example" + map[bool]string{true: ":443"}[tt.scheme == "tls"])
				if err != nil {
					t.Fatal(err)
				}
				addr := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), e.Port)
				p, played := pipe(tt.talk, config)
				got := p.Probe(t.Context(), e, addr, Offer{SNI: true})
				if err := <-played; err != nil && tt.want != Unreachable {
					t.Errorf("the server says: %v", err)
				}
				if got.Outcome != tt.want || got.Address != addr || got.Offer != (Offer{SNI: true}) {
					t.Errorf("got %+v, want %s", got, tt.want)
				}
				if (got.Chain != nil) != (tt.want == Served) {
					t.Errorf("got chain %v", got.Chain)
				}
				if tt.err == "" {
					if got.Err != nil {
						t.Errorf("got error %v, want none", got.Err)
					}
				} else if want := e.String() + " at " + addr.String() + ": " + tt.err; got.Err == nil || got.Err.Error() != want {
					t.Errorf("got error\n %v, want\n %s", got.Err, want)
				}
				if tt.want == Served && (got.Version != tls.VersionTLS13 || got.Algorithm != "ecdsa") {
					t.Errorf("got version %#x, algorithm %q", got.Version, got.Algorithm)
				}
			})
		})
	}
}

// pipe makes a Prober whose connections are pipes to the talk; what becomes of
// the server's side is sent to played.
func pipe(talk script, config *tls.Config) (p *Prober, played <-chan error) {
	done := make(chan error, 1)
	return &Prober{Hello: "probe.example", Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			done <- talk.play(server, config)
		}()
		return client, nil
	}}, done
}

func TestCancel(t *testing.T) {
	config := with(t, "ecdsa")
	why := errors.New("shutting down")
	for scheme, talk := range map[string]script{"smtp": smtpTalk, "imap": imapTalk, "pop3": pop3Talk, "sieve": sieveTalk} {
		e := must(ParseURL(scheme + "://mx.example"))
		addr := netip.MustParseAddrPort("192.0.2.1:25")
		for i, step := range talk {
			if strings.HasPrefix(step, "C:") {
				continue // the client is about to speak
			}
			t.Run(scheme+" before "+step, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, played := pipe(append(talk[:i:i], "hang"), config)
					ctx, cancel := context.WithCancelCause(t.Context())
					result := make(chan Result)
					go func() { result <- p.Probe(ctx, e, addr, Offer{}) }()
					synctest.Wait() // the server says nothing more
					cancel(why)
					got := <-result
					if err := <-played; err != nil {
						t.Errorf("the server says: %v", err)
					}
					if afterTLS := got.Chain != nil; afterTLS != (got.Outcome == Served) || !afterTLS && (got.Outcome != Unreachable || !errors.Is(got.Err, why)) {
						t.Errorf("got %+v", got)
					}
				})
			})
		}
	}
}
