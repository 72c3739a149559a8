package rollover

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// epoch is when every story begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// world is a zone, its servers, complete caches and endpoints, second by second.
// Its caches are complete: every answer that a server gives is held for its TTL
// and a second, from every instant at which it was given.
type world struct {
	t      testing.TB
	now    time.Time
	policy Policy
	state  State
	plan   Plan

	zone    map[tlsa.Owner]tlsa.RRset
	servers []*server
	caches  map[cached]time.Time
	hosts   map[string]*host // by lineage
	chains  map[tlsa.ChainID]*tlsa.Chain
	foreign map[tlsa.Association]bool

	security  Security
	failNext  map[string]string // by action's first word: the error of the next such action
	swaps     int
	violation string
	log       []string
	weak      bool // judge by any match, as in a declared emergency
}

type cached struct {
	owner tlsa.Owner
	key   string
	ttl   time.Duration
}

type server struct {
	name    string
	lag     time.Duration
	zone    map[tlsa.Owner]tlsa.RRset
	pending []transfer
	down    bool // gives no answer to anybody
	hidden  bool // gives us no answer, and others do
}

type transfer struct {
	at   time.Time
	zone map[tlsa.Owner]tlsa.RRset
}

// host is what a lineage has on its machine.
type host struct {
	live      tlsa.ChainID // the link
	installed tlsa.ChainID
	served    map[string]tlsa.ChainID // by address; "" has no TLS
	stuck     map[string]bool         // addresses that ignore reloads
	unseen    map[string]bool         // addresses that do not answer us
	offers    []Offer
	orders    Orders
	stash     map[tlsa.ChainID]string
}

const mx = "mx1.example.org"

func owner25(t testing.TB) tlsa.Owner {
	o, err := tlsa.OwnerOf(25, mx)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func smtp25(t testing.TB) Endpoint {
	return Endpoint{URL: "smtp://" + mx, Host: mx, Port: 25, SMTP: true, Owner: owner25(t)}
}

// newWorld has one lineage mx1 with one endpoint at one address, two servers and
// a TTL of a minute; the wait is a minute and ten seconds.
func newWorld(t testing.TB) *world {
	w := &world{t: t, now: epoch, security: Secure,
		zone: map[tlsa.Owner]tlsa.RRset{}, caches: map[cached]time.Time{}, hosts: map[string]*host{},
		chains: map[tlsa.ChainID]*tlsa.Chain{}, foreign: map[tlsa.Association]bool{}, failNext: map[string]string{}}
	w.servers = []*server{{name: "ns1.example.org."}, {name: "ns2.example.org.", lag: 5 * time.Second}}
	w.policy = Policy{
		Timing: Timing{TTLs: 1, Floor: 10 * time.Second, UnknownTTL: time.Minute, Retire: 30 * time.Second, Settle: 10 * time.Second, Look: 20 * time.Second, Poll: time.Second},
		Lineages: map[string]LineagePolicy{"mx1": {Scheme: Scheme{EE: true}, TA: Intermediate, TTL: time.Minute, Deadline: DeadlineAuto,
			Endpoints: []Endpoint{smtp25(t)}}},
	}
	w.hosts["mx1"] = &host{served: map[string]tlsa.ChainID{"192.0.2.1:25": ""}, stuck: map[string]bool{}, unseen: map[string]bool{}, stash: map[tlsa.ChainID]string{}}
	return w
}

// serving makes the chain the one that lineage mx1 installed and serves, with its
// records published.
func (w *world) serving(id tlsa.ChainID) {
	h := w.hosts["mx1"]
	h.installed, h.live = id, ""
	for a := range h.served {
		h.served[a] = id
	}
	h.stash[id] = ""
	as, err := w.policy.Lineages["mx1"].Needs(w.chains[id])
	if err != nil {
		w.t.Fatal(err)
	}
	w.edit(owner25(w.t), func(s tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, append(s.Associations, as...)...) })
	for _, s := range w.servers {
		s.zone, s.pending = maps.Clone(w.zone), nil
	}
}

// edit changes the primary's zone, as a provider or a person would.
func (w *world) edit(owner tlsa.Owner, how func(tlsa.RRset) tlsa.RRset) {
	w.zone = maps.Clone(w.zone)
	w.zone[owner] = how(w.zone[owner])
	for _, s := range w.servers {
		s.pending = append(s.pending, transfer{w.now.Add(s.lag), w.zone})
	}
}

func (w *world) answer(s *server, owner tlsa.Owner) tlsa.RRset {
	rrset := s.zone[owner]
	if rrset.Denial() {
		rrset.TTL = time.Minute
	}
	return rrset
}

// tick lets the world go on for a second and asserts the invariant.
func (w *world) tick() {
	w.now = w.now.Add(time.Second)
	for _, s := range w.servers {
		for len(s.pending) > 0 && !w.now.Before(s.pending[0].at) {
			s.zone, s.pending = s.pending[0].zone, s.pending[1:]
		}
	}
	w.cache()
	if len(w.plan.Actions) > 0 || !w.now.Before(w.plan.Wake()) || w.woken() {
		w.pass()
		w.cache()
	}
	w.assert()
}

func (w *world) woken() bool {
	for _, h := range w.hosts {
		if len(h.offers) > 0 || h.orders != (Orders{}) {
			return true
		}
	}
	return false
}

func (w *world) cache() {
	for _, s := range w.servers {
		if s.down {
			continue
		}
		for _, owner := range w.ownerNames() {
			r := w.answer(s, owner)
			w.caches[cached{owner, r.Key(), r.TTL}] = w.now
		}
	}
}

func (w *world) ownerNames() []tlsa.Owner {
	var owners []tlsa.Owner
	for _, p := range w.policy.Lineages {
		for _, e := range p.Endpoints {
			owners = append(owners, e.Owner)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// assert checks every answer that may be held against every chain presented.
func (w *world) assert() {
	for c, given := range w.caches {
		if w.now.Sub(given) > c.ttl+time.Second {
			delete(w.caches, c)
			continue
		}
		rrset := parse(w.t, c.key)
		for name, h := range w.hosts {
			for _, e := range w.policy.Lineages[name].Endpoints {
				if e.Owner != c.owner {
					continue
				}
				for address, id := range h.served {
					if chain := w.chains[id]; chain != nil {
						ref := tlsa.Reference{Names: []string{e.Host}, Time: w.now, SMTP: e.SMTP}
						err := rrset.Vouches(chain, ref)
						if w.weak {
							err = rrset.Authenticates(chain, ref)
						}
						if err != nil && w.violation == "" {
							w.violation = fmt.Sprintf("%s: %s presents %s, and an answer held since %s (ttl %s) does not match: %v", w.now.Sub(epoch), address, id.Short(), given.Sub(epoch), c.ttl, err)
						}
					}
				}
			}
		}
	}
}

func parse(t testing.TB, key string) tlsa.RRset {
	var as []tlsa.Association
	for _, line := range splitLines(key) {
		a, err := tlsa.ParseAssociation(line)
		if err != nil {
			t.Fatal(err)
		}
		as = append(as, a)
	}
	return tlsa.NewRRset(0, as...)
}

func splitLines(s string) []string {
	var lines []string
	for len(s) > 0 {
		i := slices.Index([]byte(s), '\n')
		lines, s = append(lines, s[:i]), s[i+1:]
	}
	return lines
}

// pass is one look-decide-remember-act, as the agent does it.
func (w *world) pass() {
	o := w.observe()
	before := w.state
	state, plan := Next(before, o, w.policy, w.now)
	if len(plan.Read) > 0 {
		o.Copies = map[tlsa.Owner]Sight[tlsa.RRset]{}
		for _, target := range plan.Read {
			o.Copies[target] = Seen(w.copy(target))
		}
		state, plan = Next(before, o, w.policy, w.now)
	}
	w.state, w.plan = durable(w.t, state), plan
	for _, h := range w.hosts {
		h.offers, h.orders = nil, Orders{}
	}
	for _, a := range plan.Actions {
		r := w.do(a)
		w.log = append(w.log, fmt.Sprintf("%s %s%s", w.now.Sub(epoch), a, because(r.Err)))
		w.state = durable(w.t, Done(w.state, a, r, w.policy, w.now))
	}
}

func (w *world) copy(target tlsa.Owner) tlsa.RRset {
	r := w.zone[target]
	if r.Denial() {
		r.TTL = time.Minute
	}
	return r
}

// durable sends a state through its stored form.
func durable(t testing.TB, s State) State {
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var out State
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) observe() Observation {
	o := Observation{Lineages: map[string]LineageView{}, Owners: map[tlsa.Owner]OwnerView{}, Chains: maps.Clone(w.chains)}
	for name, h := range w.hosts {
		v := LineageView{Live: Seen(h.live), Installed: Seen(h.installed), Offers: h.offers, Orders: h.orders, Stash: map[tlsa.ChainID]Sight[struct{}]{}}
		for id, bad := range h.stash {
			if bad == "" {
				v.Stash[id] = Seen(struct{}{})
			} else {
				v.Stash[id] = Unseen[struct{}](bad)
			}
		}
		if w.plan.LookServed.IsZero() || !w.now.Before(w.plan.LookServed) {
			v.Addresses = map[string]Sight[[]Address]{}
			for _, e := range w.policy.Lineages[name].Endpoints {
				var at []Address
				for _, a := range slices.Sorted(maps.Keys(h.served)) {
					at = append(at, Address{Address: a, TTL: time.Minute, Local: !h.unseen[a]})
					v.Served = append(v.Served, w.handshake(h, e, a))
				}
				v.Addresses[e.URL] = Seen(at)
			}
		}
		o.Lineages[name] = v
	}
	if w.plan.LookDNS.IsZero() || !w.now.Before(w.plan.LookDNS) {
		for _, owner := range w.ownerNames() {
			o.Owners[owner] = w.view(owner)
		}
	}
	return o
}

func (w *world) handshake(h *host, e Endpoint, address string) Presented {
	p := Presented{URL: e.URL, Address: address, SNI: true, Algorithm: "any", Chain: h.served[address], Outcome: Served}
	switch {
	case h.unseen[address]:
		p.Chain, p.Outcome, p.Err = "", Unreached, "connection timed out"
	case p.Chain == "":
		p.Outcome, p.Err = NoTLS, "no STARTTLS offered"
	}
	return p
}

func (w *world) view(owner tlsa.Owner) OwnerView {
	v := OwnerView{Target: owner, Zone: "example.org.", Provider: "ns1", Security: w.security}
	for i, s := range w.servers {
		sv := ServerView{Name: s.name, Address: fmt.Sprintf("192.0.2.%d", 53+i), NSTTL: time.Minute}
		if s.down || s.hidden {
			sv.Answer = Unseen[tlsa.RRset]("timeout")
		} else {
			sv.Answer = Seen(w.answer(s, owner))
			sv.SignedUntil = w.now.Add(240 * time.Hour)
		}
		v.Servers = append(v.Servers, sv)
	}
	return v
}

func (w *world) do(a Action) Result {
	switch a := a.(type) {
	case Publish:
		return w.update("publish", a.Change)
	case Retire:
		return w.update("retire", a.Change)
	case Retime:
		return w.update("retime", a.Change)
	case Swap:
		h := w.hosts[a.Lineage]
		if err := w.fault("check"); err != "" {
			return Result{Err: err}
		}
		h.live, h.installed = a.To, a.To
		if err := w.fault("reload"); err != "" {
			return Result{Err: err, Switched: true}
		}
		w.reload(h)
		w.swaps++
	case Back:
		h := w.hosts[a.Lineage]
		h.live, h.installed = a.To, a.To
		w.reload(h)
	case Adopt:
		w.hosts[a.Lineage].live = a.Chain
	case Discard:
	}
	return Result{}
}

func (w *world) reload(h *host) {
	for address := range h.served {
		if !h.stuck[address] {
			h.served[address] = h.installed
		}
	}
}

func (w *world) fault(action string) string {
	err := w.failNext[action]
	delete(w.failNext, action)
	return err
}

func (w *world) update(action string, c Change) Result {
	if err := w.fault(action); err != "" {
		return Result{Err: err}
	}
	if now := w.copy(c.Owner); !now.Same(c.Before) {
		return Result{Err: "conflict"}
	}
	for _, a := range c.Removed() {
		if w.foreign[a] {
			w.t.Errorf("%s: a foreign record was removed: %s", w.now.Sub(epoch), a)
		}
	}
	w.edit(c.Owner, func(tlsa.RRset) tlsa.RRset { return c.After })
	if err := w.fault("lost " + action); err != "" {
		return Result{Err: err}
	}
	return Result{}
}

// run lets the world go on for d and fails at the first broken invariant.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.tick()
		if w.violation != "" {
			w.t.Fatalf("invariant broken at %s\n%s", w.violation, w.story())
		}
	}
}

// until lets the world go on until what is true, for d at most.
func (w *world) until(d time.Duration, what func() bool) time.Duration {
	w.t.Helper()
	begin := w.now
	for end := w.now.Add(d); !what(); {
		if !w.now.Before(end) {
			w.t.Fatalf("not within %s: waiting for %v\n%s", d, w.state.Lineages["mx1"].Waiting, w.story())
		}
		w.run(time.Second)
	}
	return w.now.Sub(begin)
}

func (w *world) story() string {
	s := ""
	for _, line := range w.log {
		s += line + "\n"
	}
	for name, l := range w.state.Lineages {
		s += fmt.Sprintf("%s: live %s successor %s (%s) queued %s swapping %+v held %+v\n", name, l.Live.Short(), l.Successor.Short(), l.Phase, l.Queued.Short(), l.Swapping, l.Held)
		for _, r := range l.Waiting {
			s += fmt.Sprintf("  waiting: %s: %s\n", r.Code, r.Text)
		}
		for _, r := range l.Warnings {
			s += fmt.Sprintf("  warning: %s: %s\n", r.Code, r.Text)
		}
	}
	return s
}

func (w *world) offer(id tlsa.ChainID) {
	h := w.hosts["mx1"]
	h.stash[id] = ""
	h.offers = append(h.offers, Offer{Chain: id})
}

func (w *world) lineage() Lineage { return w.state.Lineages["mx1"] }

func (w *world) steady() bool {
	l := w.lineage()
	return l.Successor == "" && l.Phase == Steady
}

// ca issues certificates for the tests.
type ca struct {
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	issuer *ca
}

func newCA(t testing.TB, name string, issuer *ca) *ca {
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: epoch.Add(-1000 * time.Hour), NotAfter: epoch.Add(100000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	c := &ca{key: key, issuer: issuer}
	c.cert = sign(t, template, issuer, key, name)
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, template *x509.Certificate, issuer *ca, key *ecdsa.PrivateKey, _ string) *x509.Certificate {
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// leaf is a leaf's wishes; the zero value is a good one for mx1.
type leaf struct {
	key    *ecdsa.PrivateKey
	names  []string
	begins time.Time
	ends   time.Time
}

// issue makes a chain of a new leaf and its CA and registers it with the world.
func (w *world) issue(issuer *ca, l leaf) tlsa.ChainID {
	w.t.Helper()
	if l.key == nil {
		l.key = newKey(w.t)
	}
	if l.names == nil {
		l.names = []string{mx}
	}
	if l.begins.IsZero() {
		l.begins = w.now.Add(-time.Hour)
	}
	if l.ends.IsZero() {
		l.ends = w.now.Add(2000 * time.Hour)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		w.t.Fatal(err)
	}
	cert := sign(w.t, &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: l.names[0]}, DNSNames: l.names, NotBefore: l.begins, NotAfter: l.ends, KeyUsage: x509.KeyUsageDigitalSignature}, issuer, l.key, "")
	certs := []*x509.Certificate{cert}
	if issuer != nil {
		certs = append(certs, issuer.cert)
	}
	chain, err := tlsa.NewChain(certs...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.chains[chain.ID()] = chain
	return chain.ID()
}

// record is the association of a chain's certificate at a depth.
func (w *world) record(p tlsa.Params, id tlsa.ChainID) tlsa.Association {
	depth := 0
	if p.Usage == tlsa.DANETA {
		depth = 1
	}
	a, err := w.chains[id].Association(p, depth)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}
