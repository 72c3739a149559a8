package demo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A sight is what is to be seen of the world at one moment.
type sight struct {
	since   time.Duration // the demo began
	serves  int           // number of the certificate that the mail server presents
	servers []held        // by authoritative server
	caches  []held        // by resolver
	counts  Counts        // of this act
	settled bool          // every sender has delivered
	steps   []step
}

// held is a copy of the TLSA RRset somewhere.
type held struct {
	where string
	certs []int         // the certificates whose records are in it
	left  time.Duration // for how long a cache hands it out
}

// A step is a part of the way, and how far it has come.
type step struct {
	name string
	part float64       // from 0 to 1, where it is done
	note string        // changes with what is worth a word, "" before there is anything
	left time.Duration // until it is done, 0 if that cannot be told
}

// has reports whether a certificate's record is in the copy.
func (h held) has(cert int) bool { return slices.Contains(h.certs, cert) }

func (h held) String() string {
	var certs []string
	for _, n := range h.certs {
		certs = append(certs, fmt.Sprint(n))
	}
	return h.where + ": " + strings.Join(certs, "+")
}

// count says how many of some copies are so.
func count(copies []held, so func(held) bool) int {
	n := 0
	for _, h := range copies {
		if so(h) {
			n++
		}
	}
	return n
}

func with(cert int) func(held) bool { return func(h held) bool { return h.has(cert) } }

func without(cert int) func(held) bool {
	return func(h held) bool { return len(h.certs) > 0 && !h.has(cert) }
}

// share is a step that is done once n of all are so; its note counts them.
func share(name, note string, n, all int) step {
	s := step{name: name, part: float64(n) / float64(max(1, all))}
	if n > 0 {
		s.note = fmt.Sprintf(note, n, all)
	}
	return s
}

// look looks at the world, by no other way than its own memory.
func (w *world) look() sight {
	now := w.clock.Wall()
	var s sight
	for _, c := range w.certs {
		if bytes.Equal(w.mail.pair.Load().Certificate[0], c.Chain.Leaf().Raw) {
			s.serves = c.number
		}
	}
	for _, server := range w.zone.Servers() {
		a, _ := w.zone.Answer(server, owner)
		s.servers = append(s.servers, held{where: server, certs: w.numbers(a.RRset)})
	}
	for i, c := range w.caches {
		e, _ := c.get(question{string(owner), dns.TypeTLSA}, now)
		rrset, _ := rrsetOf(e.answer) // nothing, before the first question
		s.caches = append(s.caches, held{fmt.Sprintf("r%d", i+1), w.numbers(rrset), max(0, e.until.Sub(now))})
	}
	return s
}

func (w *world) numbers(s tlsa.RRset) []int {
	var out []int
	for _, c := range w.certs {
		if s.Has(c.record) {
			out = append(out, c.number)
		}
	}
	return out
}
