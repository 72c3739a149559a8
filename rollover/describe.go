package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Status is where everything stands. Its JSON is a contract: fields may be
// added, none is renamed, and what is not known is null or "unknown".
type Status struct {
	Lineages []LineageStatus `json:"lineages"`
	Warnings []Warning       `json:"warnings,omitempty"` // about no lineage
}

// LineageStatus is where one lineage stands.
type LineageStatus struct {
	Name      string           `json:"name"`
	Phase     Phase            `json:"phase"`
	Live      *PairStatus      `json:"live"`
	Successor *SuccessorStatus `json:"successor"`
	Queued    *PairStatus      `json:"queued"`
	Standby   *StandbyStatus   `json:"standby"`
	Held      *Held            `json:"held"`
	Swapping  *Swapping        `json:"swapping"`
	Since     *time.Time       `json:"since"`             // when the successor was admitted
	Renewal   *RenewalStatus   `json:"renewal,omitempty"` // absent where pairs come from elsewhere
	Endpoints []EndpointStatus `json:"endpoints"`
	Waiting   []Reason         `json:"waiting"`
	NextLook  *time.Time       `json:"next_look"`
	Rollovers []Period         `json:"rollovers,omitempty"` // the last ones, oldest first
	Warnings  []Warning        `json:"warnings"`
}

// RenewalStatus is the next order for a certificate.
type RenewalStatus struct {
	At     *time.Time `json:"at"`     // null: no order is made
	Reason string     `json:"reason"` // why then, or why not
	Tries  int        `json:"tries"`  // orders in a row that failed
	Again  *time.Time `json:"again"`  // no other order before; null: nothing puts it off
	Error  string     `json:"error"`  // why the last one failed
}

// PairStatus names a certificate.
type PairStatus struct {
	ID       tlsa.ChainID `json:"id"`   // SHA-256 of the whole chain's DER
	Leaf     string       `json:"leaf"` // SHA-256 of the leaf's DER
	SPKI     string       `json:"spki"` // SHA-256 of its SubjectPublicKeyInfo
	NotAfter time.Time    `json:"not_after"`
}

// SuccessorStatus is the certificate on its way in.
type SuccessorStatus struct {
	PairStatus
	Phase   Phase      `json:"phase"`
	ReadyAt *time.Time `json:"ready_at"` // null while it cannot be told
}

// EndpointStatus is one endpoint at one owner name where its clients ask.
type EndpointStatus struct {
	URL      string         `json:"url"`
	Owner    tlsa.Owner     `json:"owner"`
	Target   tlsa.Owner     `json:"target"` // where the records stand, if Owner is an alias; "" while not known
	Records  []string       `json:"records"`
	TTL      int            `json:"ttl"` // of the records, in seconds
	Security Security       `json:"security"`
	Verified Known          `json:"verified"`
	Served   []ServedStatus `json:"served"`
	Servers  []ServerStatus `json:"servers"`
}

// ServedStatus is one handshake of the last look at an address.
type ServedStatus struct {
	Address   string  `json:"address"`
	SNI       bool    `json:"sni"`
	Algorithm string  `json:"algorithm"`
	Leaf      *string `json:"leaf"` // SHA-256 of the leaf's DER; null where none was presented
	Error     string  `json:"error"`
	Verified  Known   `json:"verified"`
}

// ServerStatus is one authoritative address.
type ServerStatus struct {
	Name      string `json:"name"` // "" of a hidden one that the configuration names by its address
	Address   string `json:"address"`
	Converged Known  `json:"converged"` // has what the newest chain needs
	Error     string `json:"error"`
}

// String is the server in a sentence.
func (s ServerStatus) String() string {
	if s.Name == "" {
		return "hidden server " + s.Address
	}
	return s.Name + " (" + s.Address + ")"
}

// Known is the answer to a question that may have none.
type Known string

// Answers. Unknown is never read as one of the others.
const (
	Yes     Known = "yes"
	No      Known = "no"
	Unknown Known = "unknown"
)

// and joins answers: one No is No, else one Unknown is Unknown.
func (k Known) and(other Known) Known {
	switch {
	case k == No || other == No:
		return No
	case k == Unknown || other == Unknown:
		return Unknown
	}
	return Yes
}

func known(yes bool) Known {
	if yes {
		return Yes
	}
	return No
}

// Describe says where the lineages of p stand, in order of their names, by what
// s remembers of the last pass.
func Describe(s State, p Policy, now time.Time) []LineageStatus {
	x := begin(s, Observation{}, p, now)
	out := make([]LineageStatus, 0, len(x.names))
	for _, name := range x.names {
		out = append(out, x.describe(name))
	}
	return out
}

func (x *pass) describe(name string) LineageStatus {
	l, met := x.Lineages[name]
	d := LineageStatus{Name: name, Phase: l.Phase, Live: x.pair(l.Live), Queued: x.pair(l.Queued), Standby: x.describeStandby(name), Held: l.Held, Swapping: l.Swapping, Since: instant(l.Since),
		Endpoints: []EndpointStatus{}, Waiting: slices.Clone(l.Waiting), Warnings: slices.Clone(l.Warnings), NextLook: instant(l.Wake), Rollovers: slices.Clone(l.Rollovers)}
	d.Renewal = x.describeRenewal(name)
	if l.Held != nil && l.Held.Chain != l.Successor {
		d.Held = nil // it is being tried again
	}
	switch {
	case d.Phase != "":
	case x.chain(l.Successor) != nil: // a step was made a moment ago, and not looked at since
		next := x.chain(l.Successor)
		l.ReadyAt = x.readyAt(name, next)
		d.Phase = x.phase(name, next, l.ReadyAt)
	case met:
		d.Phase = Retiring
	}
	if !met {
		d.Phase = Steady
		d.Waiting = []Reason{reason(CodeServersUnknown, "nothing has been looked at yet")}
	}
	if d.Waiting == nil {
		d.Waiting = []Reason{}
	}
	if d.Warnings == nil {
		d.Warnings = []Warning{}
	}
	if next := x.pair(l.Successor); next != nil {
		d.Successor = &SuccessorStatus{PairStatus: *next, Phase: d.Phase, ReadyAt: instant(l.ReadyAt)}
	}
	for _, e := range x.policy.Lineages[name].Endpoints {
		for _, owner := range e.Owners() {
			d.Endpoints = append(d.Endpoints, x.describeEndpoint(name, e, owner))
		}
	}
	return d
}

// describeRenewal is the next order for a lineage's certificate, nil where its pairs
// come from elsewhere.
func (x *pass) describeRenewal(name string) *RenewalStatus {
	l := x.Lineages[name]
	x.Waiting[name] = l.Waiting
	r, ours := x.nextOrder(name)
	if !ours {
		return nil
	}
	d := &RenewalStatus{At: instant(r.At), Reason: r.Reason, Tries: l.Issuing.Tries, Error: l.Issuing.Err}
	if l.Issuing.Again.After(x.now) {
		d.Again = instant(l.Issuing.Again)
	}
	return d
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (x *pass) pair(id tlsa.ChainID) *PairStatus {
	chain := x.chain(id)
	if chain == nil {
		return nil
	}
	return &PairStatus{chain.ID(), chain.LeafID(), chain.SPKI(), chain.NotAfter().UTC()}
}

func (x *pass) describeEndpoint(name string, e Endpoint, owner tlsa.Owner) EndpointStatus {
	l := x.Owners[owner]
	standing := l.latest()
	d := EndpointStatus{URL: e.URL, Owner: owner, Target: l.Target, Records: []string{}, Security: l.Security, Verified: Unknown,
		Served: []ServedStatus{}, Servers: []ServerStatus{}}
	if l.Security == "" {
		d.Security = Indeterminate
	}
	for _, a := range standing.Associations {
		d.Records = append(d.Records, a.String())
	}
	if !standing.Denial() {
		d.TTL = int((standing.TTL - l.AliasTTL) / time.Second)
	}
	given := l.given()
	for _, a := range l.Addresses {
		if a.URL != e.URL {
			continue
		}
		for _, c := range a.Cells {
			d.Served = append(d.Served, x.describeCell(e, owner, a.Address, c, given))
		}
	}
	for i, s := range d.Served {
		if i == 0 {
			d.Verified = s.Verified
		}
		d.Verified = d.Verified.and(s.Verified)
	}
	newest := x.chain(x.Lineages[name].Successor)
	if newest == nil {
		newest = x.chain(x.Lineages[name].Live)
	}
	for _, s := range l.Servers {
		d.Servers = append(d.Servers, ServerStatus{s.Name, s.Address, x.hasConverged(name, owner, s, newest), s.Err})
	}
	return d
}

// describeCell judges one handshake by every RRset that is given now, as a DANE
// client would that asks any of the servers.
func (x *pass) describeCell(e Endpoint, owner tlsa.Owner, address string, c Cell, given []tlsa.RRset) ServedStatus {
	d := ServedStatus{Address: address, SNI: c.SNI, Algorithm: c.Algorithm, Error: c.Err, Verified: Unknown}
	switch c.Outcome {
	case NoTLS:
		d.Verified = No
	case NotOffered:
		d.Verified = Yes // nobody who asks for it is shown a chain that fails
	}
	chain := x.chain(c.Chain)
	if c.Outcome != Served || chain == nil {
		return d
	}
	leaf := chain.LeafID()
	d.Leaf = &leaf
	for i, s := range given {
		v := known(s.Authenticates(chain, e.reference(owner, x.now)) == nil)
		if i == 0 {
			d.Verified = v
		}
		d.Verified = d.Verified.and(v)
	}
	return d
}

func (x *pass) hasConverged(name string, owner tlsa.Owner, s Server, newest *tlsa.Chain) Known {
	if newest == nil || s.Untested || s.Seen.IsZero() || !s.Missing.IsZero() {
		return Unknown
	}
	if s.Alias {
		return Yes // it gives the alias, and that is all it is asked for
	}
	required := x.required(name, owner, newest)
	if len(required) == 0 && x.publishable(name, owner, newest) {
		return No // nothing stands there yet, and its records are to come
	}
	return known(!slices.ContainsFunc(required, func(a tlsa.Association) bool { return s.holds(a) == 0 }))
}
