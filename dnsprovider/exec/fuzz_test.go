package exec

import (
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// FuzzReply reads what commands print: there is an answer or a sentence, never a record that
// does not stand there, and no secret.
func FuzzReply(f *testing.F) {
	const owner, secret = tlsa.Owner("_25._tcp.mx.example.org."), "geheim/1"
	f.Add([]byte(`{"version":1,"whole":true,"records":[{"name":"_25._tcp.mx.example.org.","type":"TLSA","ttl":3600,"data":"3 1 1 ABCD"},{"name":"mx.example.org.","type":"NS","ttl":1,"data":"geheim/1"}]}`))
	f.Add([]byte(`{"version":1,"results":[{"owner":"_25._tcp.mx.example.org.","status":"refused","message":"geheim%2F1\n."}]}`))
	f.Add([]byte(`{"version":1,"status":"temporary","message":"geheim/1"}`))
	f.Add([]byte(`{"version":"geheim/1"}`))
	f.Add([]byte("<html>"))
	p, err := New(Config{Read: []string{"read"}, Change: []string{"change"}, Env: []string{"TOKEN=" + secret}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, printed []byte) {
		holds := func(trouble *trouble, clean bool) {
			if trouble == nil {
				return
			}
			text := p.about(opRead, owner, trouble.of(p.read)).Error()
			if strings.ContainsAny(text, "\n\r\x1b") || clean && strings.Contains(text, secret) || trouble.kind.Err() == nil {
				t.Errorf("%v: %q", trouble.kind, text)
			}
		}
		said, trouble := p.parseReply(printed)
		if holds(trouble, true); trouble != nil {
			return
		}
		results, trouble := said.results()
		holds(trouble, true)
		for _, one := range results {
			holds(p.said(one.Status, one.Message), true)
		}
		r, trouble := said.reading("example.org.", []tlsa.Owner{owner})
		if holds(trouble, true); trouble != nil {
			return
		}
		found, trouble := r.tlsa(owner)
		holds(trouble, false) // names are data, not words
		if len(found.rrset.Associations) > len(r.at(string(owner), "TLSA")) || trouble != nil && !found.rrset.Denial() {
			t.Errorf("read %v, %v", found, trouble)
		}
		_, trouble = r.txt(owner)
		holds(trouble, false)
	})
}
