package manual

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const owner = tlsa.Owner("_25._tcp.mx.example.org.")

// FuzzReplies reads what servers reply: there is an RRset or a sentence.
func FuzzReplies(f *testing.F) {
	m := query(string(owner), dns.TypeTLSA)
	m.Id = 0
	for _, lines := range [][]string{
		{"_25._tcp.mx.example.org. 60 TLSA 3 1 1 ABCD"}, {"_25._tcp.mx.example.org. 60 CNAME a."}, {"mx.example.org. 60 DNAME a."},
	} {
		reply := new(dns.Msg).SetReply(m)
		reply.Authoritative = true
		for _, line := range lines {
			rr, err := dns.NewRR(line)
			if err != nil {
				f.Fatal(err)
			}
			reply.Answer = append(reply.Answer, rr)
			reply.Ns = append(reply.Ns, rr)
		}
		raw, err := reply.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, raw)
	}
	p, err := New(Config{Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var replies []*dns.Msg
		for _, raw := range [][]byte{first, second} {
			reply, trouble := parse(m, raw)
			if trouble != nil {
				return
			}
			replies = append(replies, reply)
		}
		found, trouble := interpret("example.org.", owner, replies)
		if trouble == nil {
			if !found.Denial() && (!replies[0].Authoritative || found.TTL < 0) {
				t.Errorf("read %v of %v", found, replies[0])
			}
			return
		}
		if text := p.about(opRead, owner, trouble).Error(); strings.ContainsAny(text, "\n\r\x1b") || trouble.kind.Err() == nil {
			t.Errorf("%v: %q", trouble.kind, text)
		}
	})
}

// FuzzTold reads the file of what was told: it is taken, or the person is told again.
func FuzzTold(f *testing.F) {
	f.Add([]byte(`{"version":1,"told":{"_25._tcp.mx.example.org.":[{"add":["3 1 1 abcd"],"remove":["3 1 1 ef"],"at":"2026-03-01T12:00:00Z"}]}}`))
	f.Add([]byte(`{"version":1,"told":{"_25._tcp.mx.example.org.":[{"ttl":60000000000,"at":"2026-03-01T12:00:00Z"}]}}`))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		told := told{file: filepath.Join(t.TempDir(), "told")}
		if err := os.WriteFile(told.file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := told.load(); err != nil {
			return
		}
		at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
		e := entry{Add: []tlsa.Association{{Params: tlsa.EE, Data: "abcd"}}}
		told.due(owner, e, at)
		told.set(owner, e, at)
		if due, reminder := told.due(owner, e, at); due || !reminder {
			t.Errorf("due %v, a reminder %v", due, reminder)
		}
		told.prune(owner, tlsa.RRset{}, at)
		if _, err := json.Marshal(contents{fileVersion, told.of}); err != nil {
			t.Error(err)
		}
	})
}
