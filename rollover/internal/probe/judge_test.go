package probe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a handshake's end tells of the server, beyond what servers in tests can be
// brought to.
func TestJudge(t *testing.T) {
	alert := func(a tls.AlertError) error { return &net.OpError{Op: "remote error", Err: a} }
	chain := func(r *Result) *Result {
		leaf := must(x509.ParseCertificate(certificate(t, "ecdsa", "mx.example").Certificate[0]))
		if err := r.present([]*x509.Certificate{leaf}); err != nil {
			t.Fatal(err)
		}
		return r
	}
	whole := func() *Result { return &Result{} }
	rsa := func() *Result { return &Result{Offer: Offer{Algorithm: RSA}} }
	for name, tt := range map[string]struct {
		r    *Result
		err  error
		want Outcome
	}{
		"no suite, any algorithm":             {whole(), alert(40), HandshakeFailed},
		"no suite, one algorithm":             {rsa(), alert(40), NotOffered},
		"no suite that is good enough":        {rsa(), alert(71), NotOffered},
		"no suite after the chain was shown":  {chain(rsa()), alert(40), HandshakeFailed},
		"another alert":                       {rsa(), alert(80), HandshakeFailed},
		"the server is too old":               {rsa(), errors.New("tls: server selected unsupported protocol version 301"), HandshakeFailed},
		"reset":                               {whole(), syscall.ECONNRESET, HandshakeFailed},
		"closed":                              {whole(), io.EOF, HandshakeFailed},
		"the way is lost":                     {whole(), syscall.EHOSTUNREACH, Unreachable},
		"given up by the kernel":              {whole(), syscall.ETIMEDOUT, Unreachable},
		"closed after the chain was shown":    {chain(whole()), io.EOF, HandshakeFailed},
		"an RSA key beyond what Go will take": {whole(), errors.New("tls: server sent certificate containing RSA key larger than 8192 bits"), AlgorithmUntested},
	} {
		t.Run(name, func(t *testing.T) {
			if got := outcomeOf(judge(tt.r, tt.err)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if hung := errors.Is(judge(tt.r, tt.err), errHungUp); hung != (strings.HasPrefix(name, "reset") || name == "closed") {
				t.Errorf("counts as hung up: %t", hung)
			}
		})
	}
	if err := judge(whole(), nil); err != nil {
		t.Errorf("got %v for a handshake that went well", err)
	}
}

func TestReadSieve(t *testing.T) {
	for in, want := range map[string]struct {
		names []string
		last  string
		err   string
	}{
		"OK\r\n":                             {nil, "OK", ""},
		"no (QUOTA) \"full\"\n":              {nil, `no (QUOTA) "full"`, ""},
		"bye(TRYLATER)\r\n":                  {nil, "bye(TRYLATER)", ""},
		"\"A\" \"x {3}\"\r\n\"B\"\r\nOK\r\n": {[]string{"A", "B"}, "OK", ""},
		"{1}\r\nA {3+}\r\n{9}\r\n\"B\" {2}\r\n\r\n\r\nOK":   {nil, "", `closed by the server within the line "OK": unexpected EOF`},
		"{1}\r\nA {3+}\r\n{9}\r\n\"B\" {2}\r\n\r\n\r\nOK\n": {[]string{"A", "B"}, "OK", ""},
		"{1}\r\nA{8}\r\nSTARTTLS\r\nOK\r\n":                 {[]string{"A"}, "OK", ""},
		"\"\"\r\nOK\r\n":                                    {nil, "", `no ManageSieve response: "\"\""`},
		"{x}\r\nOK\r\n":                                     {nil, "", `no ManageSieve response: "{x}"`},
		"{70000}\r\n":                                       {nil, "", "the server says more than 65536 octets"},
	} {
		names, last, err := readSieve(newLines(strings.NewReader(in)))
		if diff := cmp.Diff(want.names, names); diff != "" || last != want.last {
			t.Errorf("%q: last line %q, want %q, names (-want +got)\n%s", in, last, want.last, diff)
		}
		if err == nil && want.err != "" || err != nil && err.Error() != want.err {
			t.Errorf("%q: got error %v, want %s", in, err, want.err)
		}
	}
}
