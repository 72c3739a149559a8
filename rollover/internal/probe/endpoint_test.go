package probe

import (
	"encoding/json"
	"testing"
)

func TestParseURL(t *testing.T) {
	tests := map[string]struct {
		want  Endpoint
		back  string
		owner string
	}{
		"smtp://mx1.example.org":          {Endpoint{"smtp", "mx1.example.org", 25}, "smtp://mx1.example.org", "_25._tcp.mx1.example.org."},
		"submission://mx1.example.org":    {Endpoint{"submission", "mx1.example.org", 587}, "submission://mx1.example.org", "_587._tcp.mx1.example.org."},
		"submissions://mx1.example.org":   {Endpoint{"submissions", "mx1.example.org", 465}, "submissions://mx1.example.org", "_465._tcp.mx1.example.org."},
		"imap://mx1.example.org":          {Endpoint{"imap", "mx1.example.org", 143}, "imap://mx1.example.org", "_143._tcp.mx1.example.org."},
		"imaps://mx1.example.org":         {Endpoint{"imaps", "mx1.example.org", 993}, "imaps://mx1.example.org", "_993._tcp.mx1.example.org."},
		"pop3://mx1.example.org":          {Endpoint{"pop3", "mx1.example.org", 110}, "pop3://mx1.example.org", "_110._tcp.mx1.example.org."},
		"pop3s://mx1.example.org":         {Endpoint{"pop3s", "mx1.example.org", 995}, "pop3s://mx1.example.org", "_995._tcp.mx1.example.org."},
		"sieve://mx1.example.org":         {Endpoint{"sieve", "mx1.example.org", 4190}, "sieve://mx1.example.org", "_4190._tcp.mx1.example.org."},
		"tls://mx1.example.org:8443":      {Endpoint{"tls", "mx1.example.org", 8443}, "tls://mx1.example.org:8443", "_8443._tcp.mx1.example.org."},
		"smtp://mx1.example.org:2525":     {Endpoint{"smtp", "mx1.example.org", 2525}, "smtp://mx1.example.org:2525", "_2525._tcp.mx1.example.org."},
		"SMTP://MX1.Example.ORG.:25":      {Endpoint{"smtp", "mx1.example.org", 25}, "smtp://mx1.example.org", "_25._tcp.mx1.example.org."},
		"imaps://xn--bcher-kva.example:1": {Endpoint{"imaps", "xn--bcher-kva.example", 1}, "imaps://xn--bcher-kva.example:1", "_1._tcp.xn--bcher-kva.example."},
	}
	for in, tt := range tests {
		t.Run(in, func(t *testing.T) {
			got, err := ParseURL(in)
			if err != nil || got != tt.want {
				t.Fatalf("got %+v, %v, want %+v", got, err, tt.want)
			}
			if got.String() != tt.back {
				t.Errorf("got back %s, want %s", got, tt.back)
			}
			if owner, err := got.Owner(); err != nil || string(owner) != tt.owner {
				t.Errorf("got owner %s, %v, want %s", owner, err, tt.owner)
			}
		})
	}
}

func TestParseURLRefuses(t *testing.T) {
	const known = "smtp, submission, submissions, imap, imaps, pop3, pop3s, sieve, tls"
	tests := map[string]string{
		"":                        `endpoint "": no scheme (hint: write it as in smtp://mx1.example.org; known: ` + known + `)`,
		"mx1.example.org":         `endpoint "mx1.example.org": no scheme (hint: write it as in smtp://mx1.example.org; known: ` + known + `)`,
		"mx1.example.org:25":      `endpoint "mx1.example.org:25": no scheme (hint: write it as in smtp://mx1.example.org; known: ` + known + `)`,
		"http://mx.example":       `endpoint "http://mx.example": unknown scheme "http" (known: ` + known + `)`,
		"smtps://mx.example":      `endpoint "smtps://mx.example": unknown scheme "smtps" (hint: TLS on port 465 is submissions)`,
		"tls://mx.example":        `endpoint "tls://mx.example": tls needs a port (hint: write tls://host:port)`,
		"smtp://me@mx.example":    `endpoint "smtp://me@mx.example": a user may not stand in it (hint: nobody logs in, only the certificate is looked at)`,
		"smtp://mx.example/":      `endpoint "smtp://mx.example/": nothing may follow host and port`,
		"smtp://mx.example?tls":   `endpoint "smtp://mx.example?tls": nothing may follow host and port`,
		"smtp://mx.example:0":     `endpoint "smtp://mx.example:0": port "0" is not a number from 1 to 65535`,
		"smtp://mx.example:":      `endpoint "smtp://mx.example:": port "" is not a number from 1 to 65535`,
		"smtp://mx.example:025":   `endpoint "smtp://mx.example:025": port "025" is not a number from 1 to 65535`,
		"smtp://mx.example:+25":   `endpoint "smtp://mx.example:+25": port "+25" is not a number from 1 to 65535`,
		"smtp://mx.example:smtp":  `endpoint "smtp://mx.example:smtp": port "smtp" is not a number from 1 to 65535`,
		"smtp://mx.example:70000": `endpoint "smtp://mx.example:70000": port "70000" is not a number from 1 to 65535`,
		"smtp://192.0.2.1":        `endpoint "smtp://192.0.2.1": an address has no TLSA records (hint: write the host name)`,
		"smtp://[2001:db8::1]":    `endpoint "smtp://[2001:db8::1]": an address has no TLSA records (hint: write the host name)`,
		"smtp://2001:db8::1":      `endpoint "smtp://2001:db8::1": an address has no TLSA records (hint: write the host name)`,
		"smtp://":                 `endpoint "smtp://": name "": empty (hint: write it whole, as in mx1.example.org)`,
		"smtp://bücher.example":   `endpoint "smtp://bücher.example": name "bücher.example": not ASCII (hint: write the A-label, as in xn--bcher-kva.example)`,
		"smtp://mx..example":      `endpoint "smtp://mx..example": name "mx..example": an empty label`,
	}
	for in, want := range tests {
		t.Run(in, func(t *testing.T) {
			got, err := ParseURL(in)
			if err == nil || err.Error() != want || got != (Endpoint{}) {
				t.Errorf("got %+v, error\n %v, want\n %s", got, err, want)
			}
		})
	}
}

func TestEndpointText(t *testing.T) {
	in := []Endpoint{{"smtp", "mx1.example.org", 25}, {"tls", "mx1.example.org", 8443}}
	b, err := json.Marshal(in)
	if want := `["smtp://mx1.example.org","tls://mx1.example.org:8443"]`; err != nil || string(b) != want {
		t.Fatalf("got %s, %v, want %s", b, err, want)
	}
	var out []Endpoint
	if err := json.Unmarshal(b, &out); err != nil || len(out) != 2 || out[0] != in[0] || out[1] != in[1] {
		t.Errorf("got back %v, %v, want %v", out, err, in)
	}
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"smtp://mx1.example.org", "tls://a:1", "SIEVE://A.:4190", "x://[::1]:1", "smtp://a@b/c?d#e", "imap://a:65536"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseURL(s)
		if err != nil {
			return
		}
		if again, err := ParseURL(e.String()); err != nil || again != e {
			t.Errorf("%q: %v comes back as %v, %v", s, e, again, err)
		}
		if _, err := e.Owner(); err != nil {
			t.Errorf("%q: no owner name: %v", s, err)
		}
	})
}
