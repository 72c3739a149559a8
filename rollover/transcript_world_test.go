package rollover_test

import (
	"crypto"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// story is a world, and what has been told of it.
type story struct {
	*sim.World
	cast
	out      strings.Builder
	lineages []string // in the order of their names
	issuers  map[string]*sim.CA
	count    map[string]int // pairs, by issuer
	chains   map[string]tlsa.ChainID
	keys     map[tlsa.ChainID]crypto.Signer
	newest   map[string]tlsa.ChainID  // by lineage
	standby  map[string]crypto.Signer // key to come, by lineage
	life     time.Duration            // of new pairs
	backups  map[string]map[tlsa.Owner]sim.Stored
	fatal    *fatality // where the process is to die
	told     told
	swaps    int
	repairs  int
}

// world begins a story. All is at rest unless it is said otherwise: the pair A1
// is live, its records stand, and no cache holds anything of the time before.
func (s *story) world(w *words) {
	*s = story{World: sim.NewWorld(w.t), issuers: map[string]*sim.CA{}, count: map[string]int{}, chains: map[string]tlsa.ChainID{}, keys: map[tlsa.ChainID]crypto.Signer{},
		newest: map[string]tlsa.ChainID{}, standby: map[string]crypto.Signer{}, backups: map[string]map[tlsa.Owner]sim.Stored{},
		cast: cast{began: sim.Epoch, pairs: map[tlsa.ChainID]string{}, records: map[tlsa.Association]string{}}, life: w.duration(w.get("life", "90d"))}
	s.Policy.Timing = rollover.DefaultTiming()
	s.Policy.Timing.Poll = s.Policy.Timing.Look // files are looked at when a pair is handed in
	ttl := w.duration(w.get("ttl", "1h"))
	s.servers(w, ttl)
	s.hosts(w, ttl)
	first := w.get("issuer", "A")
	s.Careless = w.get("people", "careful") == "careless"
	s.Forced = w.has("forced") // the deadline may break what it must
	if !w.has("unknown") {
		s.began = s.began.Add(6*time.Hour + 3*ttl)
	}
	ends := s.began.Add(w.duration(w.get("ends", "60d")))
	for _, lineage := range s.lineages {
		if w.has("empty") {
			s.Hosts[lineage].Installed = ""
			continue
		}
		s.Serving(lineage, s.issue(lineage, first, sim.Leaf{Begins: ends.Add(-s.life), Ends: ends}))
	}
	bare := w.has("bare")
	for owner, r := range s.Zone {
		r := r.RRset
		r.TTL = ttl
		if bare {
			r = tlsa.RRset{}
		} else {
			for _, lineage := range s.lineages {
				if standby := s.Hosts[lineage].Standby; standby != (tlsa.Association{}) {
					r = r.With(standby)
				}
			}
		}
		s.Edit(owner, func(tlsa.RRset) tlsa.RRset { return r })
	}
	s.Everywhere()
	s.ForgetCaches()
	s.settle(ttl)
	s.introduce()
}

// settle lets the world go on until the story begins; nobody had to wait for what
// was there before the first look.
func (s *story) settle(ttl time.Duration) {
	s.Policy.Timing.UnknownTTL = ttl
	s.Run(s.began.Sub(s.Now))
	s.Policy.Timing.UnknownTTL = rollover.DefaultTiming().UnknownTTL
	s.told.quiet = true
	s.tell()
	s.told.quiet = false
}

// servers sets the name servers up: ns1 is the primary.
func (s *story) servers(w *words, ttl time.Duration) {
	n, err := strconv.Atoi(w.get("servers", "2"))
	if err != nil || n < 1 {
		w.fail("how many servers?")
	}
	for i := len(s.Servers); i < n; i++ {
		s.Server(fmt.Sprintf("ns%d.example.org.", i+1), 5*time.Second)
	}
	s.Servers = s.Servers[:n]
	for _, v := range s.Servers {
		v.NSTTL = ttl
	}
	for lag := range strings.SplitSeq(w.get("lag", ""), ",") {
		if name, d, ok := strings.Cut(lag, ":"); ok {
			s.named(w, name).Lag = w.duration(d)
		}
	}
	if alias := w.get("alias", ""); alias != "" {
		s.Target[sim.Owner25(w.t)] = tlsa.Owner(alias)
	}
}

// hosts sets up what serves, and as whom.
func (s *story) hosts(w *words, ttl time.Duration) {
	scheme, err := rollover.ParseScheme(w.get("scheme", "ee"))
	if err != nil {
		w.fail("%v", err)
	}
	s.Configure(func(p *rollover.LineagePolicy) {
		p.Scheme, p.TTL = scheme, ttl
		p.Deadline = rollover.Deadline(w.get("deadline", "auto"))
		if port := w.get("also", ""); port != "" {
			p.Endpoints = append(p.Endpoints, s.endpoint(w, port))
		}
		if mx := w.get("mx", ""); mx != "" { // the MX is an alias, and clients may ask under its own name, too
			p.Endpoints[0].Also = []tlsa.Owner{sim.OwnerOf(w.t, 25, mx)}
		}
	})
	nodes, err := strconv.Atoi(w.get("addresses", "1"))
	if err != nil {
		w.fail("how many addresses?")
	}
	elsewhere := w.has("elsewhere") // all addresses but the first are other machines
	s.lineages = []string{"mx1"}
	if w.has("dual") {
		s.Hosts["mx1"].Algorithm = "ecdsa"
		s.Policy.Lineages["mx1-rsa"] = s.Policy.Lineages["mx1"]
		s.Hosts["mx1-rsa"] = sim.NewHost("rsa", "192.0.2.1:25")
		s.lineages = append(s.lineages, "mx1-rsa")
	}
	for _, h := range s.Hosts {
		for i := 2; i <= nodes; i++ {
			h.Nodes[fmt.Sprintf("192.0.2.%d:25", i)] = &sim.Node{Remote: elsewhere}
		}
	}
	if scheme.Standby {
		for _, lineage := range s.lineages {
			s.nextKey(lineage)
		}
	}
}

// nextKey makes a standby key for a lineage.
func (s *story) nextKey(lineage string) {
	s.count["standby"]++
	s.standby[lineage] = s.NewKey()
	a := s.KeyRecord(s.standby[lineage])
	s.Hosts[lineage].Standby = a
	s.name(a, fmt.Sprintf("standby key %d", s.count["standby"]))
}

// followKeys makes the next standby key where the swap to a pair of the last one is
// verified, as the agent does.
func (s *story) followKeys() {
	for _, lineage := range s.lineages {
		l := s.State.Lineages[lineage]
		if live := s.Chains[l.Live]; live != nil && l.Swapping == nil && live.SPKI() == s.Hosts[lineage].Standby.Data {
			s.nextKey(lineage)
			s.Plan.LookDNS = s.Now // with the pass that makes it
		}
	}
}

// endpoint is one of the same host at another port.
func (s *story) endpoint(w *words, service string) rollover.Endpoint {
	ports := map[string]uint16{"submission": 587, "submissions": 465, "imap": 143, "imaps": 993}
	port, known := ports[service]
	if !known {
		w.fail("no port is known for %s", service)
	}
	return rollover.Endpoint{URL: service + "://" + sim.MX, Host: sim.MX, Port: port, Owner: sim.OwnerOf(w.t, port, sim.MX)}
}

// crossSigned stands behind an issuer's name for the same key with a certificate
// of another root.
const crossSigned = " cross-signed"

// issuer is the CA of a name, made when it is first asked for; "self" is none.
func (s *story) issuer(name string) *sim.CA {
	if name == "self" {
		return nil
	}
	if s.issuers[name] == nil {
		s.issuers[name] = s.CA("Issuer "+name, s.CA("Root "+name, nil))
	}
	return s.issuers[name]
}

// issue makes a pair and gives it its name: the issuer's letter and a number.
func (s *story) issue(lineage, issuer string, l sim.Leaf) tlsa.ChainID {
	if l.Key == nil {
		l.Key = s.NewKey()
	}
	id := s.Issue(s.issuer(issuer), l)
	letter := strings.TrimSuffix(issuer, crossSigned)
	s.count[letter]++
	name := fmt.Sprintf("%s%d", letter, s.count[letter])
	s.pairs[id], s.chains[name], s.keys[id], s.newest[lineage] = name, id, l.Key, id
	s.cast.name(s.Record(tlsa.EE, id), name)
	if s.issuer(issuer) != nil {
		s.cast.name(s.Record(tlsa.TA, id), "issuer "+letter)
	}
	return id
}

// chainNamed is the pair of a name.
func (s *story) chainNamed(w *words, name string) tlsa.ChainID {
	id, known := s.chains[name]
	if !known {
		w.fail("no pair is called %s", name)
	}
	return id
}

// named is the server of a name.
func (s *story) named(w *words, name string) *sim.Server {
	i := slices.IndexFunc(s.Servers, func(v *sim.Server) bool { return strings.HasPrefix(v.Name, name+".") })
	if i < 0 {
		w.fail("no server is called %s", name)
	}
	return s.Servers[i]
}

// introduce tells how the story begins.
func (s *story) introduce() {
	for _, lineage := range s.lineages {
		h := s.Hosts[lineage]
		for _, address := range slices.Sorted(maps.Keys(h.Nodes)) {
			text := "no TLS"
			if id := h.Nodes[address].Served; id != "" {
				text = s.pair(id) + ", which ends at T+" + s.since(s.Chains[id].NotAfter())
			}
			if len(s.lineages) > 1 {
				address += " (" + lineage + ", " + h.Algorithm + ")"
			}
			fmt.Fprintf(&s.out, "%s presents %s\n", address, text)
		}
	}
	s.records()
}
