package demo

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// A question is what is asked of DNS, the name in lower case.
type question struct {
	name  string
	rtype uint16
}

func questionOf(m *dns.Msg) question {
	return question{dns.CanonicalName(m.Question[0].Name), m.Question[0].Qtype}
}

func (q question) String() string { return q.name + " " + dns.Type(q.rtype).String() }

// An entry is an answer as it came, with the time that it may be kept.
type entry struct {
	rcode             int
	answer, authority []dns.RR
	came, until       time.Time
}

// newEntry keeps a message for its lowest TTL. What comes with a denial has no
// longer one than the denial may be kept (RFC 2308, section 3; RFC 9077).
func newEntry(m *dns.Msg, now time.Time) entry {
	return entry{rcode: m.Rcode, answer: m.Answer, authority: m.Ns, came: now, until: now.Add(lowest(slices.Concat(m.Answer, m.Ns)))}
}

// lowest is the lowest TTL of some records.
func lowest(rrs []dns.RR) time.Duration {
	if len(rrs) == 0 {
		return 0
	}
	first := slices.MinFunc(rrs, func(a, b dns.RR) int { return cmp.Compare(a.Header().Ttl, b.Header().Ttl) })
	return time.Duration(first.Header().Ttl) * time.Second
}

// aged are records with what is left of their TTLs, counted in whole seconds as
// resolvers do.
func (e entry) aged(rrs []dns.RR, now time.Time) []dns.RR {
	passed := uint32(now.Sub(e.came) / time.Second)
	out := make([]dns.RR, len(rrs))
	for i, rr := range rrs {
		out[i] = dns.Copy(rr)
		h := out[i].Header()
		h.Ttl -= min(h.Ttl, passed)
	}
	return out
}

// A cache keeps each answer for its whole TTL and no longer.
type cache struct {
	mu      sync.Mutex
	entries map[question]entry
}

func newCache() *cache { return &cache{entries: map[question]entry{}} }

func (c *cache) put(q question, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries[q] = e
}

// get returns what may still be handed out.
func (c *cache) get(q question, now time.Time) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[q]
	return e, ok && now.Before(e.until)
}
