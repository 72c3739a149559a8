package rollover

import (
	"fmt"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// An Action is one thing for the shell to do. Every action is safe to repeat.
type Action interface {
	fmt.Stringer
	isAction()
}

// A Change moves one RRset at the provider, and only from what was read.
type Change struct {
	Owner    tlsa.Owner // the target: where aliases lead to
	Zone     string
	Provider string
	Before   tlsa.RRset
	After    tlsa.RRset
}

// Added are the associations that the change brings.
func (c Change) Added() []tlsa.Association { return c.Before.Missing(c.After.Associations...) }

// Removed are the associations that the change takes away.
func (c Change) Removed() []tlsa.Association { return c.After.Missing(c.Before.Associations...) }

func (c Change) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:", c.Owner)
	for _, a := range c.Added() {
		fmt.Fprintf(&b, " +(%s)", a)
	}
	for _, a := range c.Removed() {
		fmt.Fprintf(&b, " -(%s)", a)
	}
	if c.Before.TTL != c.After.TTL && !c.Before.Denial() {
		fmt.Fprintf(&b, " ttl %s -> %s", c.Before.TTL, c.After.TTL)
	}
	return b.String()
}

type (
	// Publish adds records and leaves all others in the RRset alone.
	Publish struct{ Change }
	// Retire takes records of ours out and leaves all others alone.
	Retire struct{ Change }
	// Retime gives an RRset another TTL and changes nothing else.
	Retime struct{ Change }
	// Swap installs a pair from the stash as the live one and reloads its services.
	Swap struct {
		Lineage  string
		From, To tlsa.ChainID
	}
	// Back undoes a swap: the previous pair is installed and reloaded.
	Back struct {
		Lineage  string
		From, To tlsa.ChainID // From is what is undone
	}
	// Adopt makes the pair that is installed and served the live one: only the link is made.
	Adopt struct {
		Lineage string
		Chain   tlsa.ChainID
	}
	// Discard takes pairs out of the stash that nothing names any more.
	Discard struct{ Chains []tlsa.ChainID }
)

func (Publish) isAction() {}
func (Retire) isAction()  {}
func (Retime) isAction()  {}
func (Swap) isAction()    {}
func (Back) isAction()    {}
func (Adopt) isAction()   {}
func (Discard) isAction() {}

func (a Publish) String() string { return "publish " + a.Change.String() }
func (a Retire) String() string  { return "retire " + a.Change.String() }
func (a Retime) String() string  { return "retime " + a.Change.String() }
func (a Swap) String() string {
	return fmt.Sprintf("swap %s: %s -> %s", a.Lineage, a.From.Short(), a.To.Short())
}
func (a Back) String() string {
	return fmt.Sprintf("back %s: %s -> %s", a.Lineage, a.From.Short(), a.To.Short())
}
func (a Adopt) String() string   { return fmt.Sprintf("adopt %s: %s", a.Lineage, a.Chain.Short()) }
func (a Discard) String() string { return fmt.Sprintf("discard %d pairs", len(a.Chains)) }

// A Plan is what to do now, when to look again, and why nothing more is done.
type Plan struct {
	Actions []Action // in order; a failure of one does not keep the others back
	// Read names targets whose copy at the provider must be read before more can
	// be decided: read them and ask Next again, with the state it was first given.
	Read       []tlsa.Owner
	Waiting    map[string][]Reason // by lineage: every unmet condition, not only the first
	LookDNS    time.Time           // when to look at the servers again
	LookServed time.Time           // when to look at the endpoints again
}

// Wake is when the next pass is due at the latest.
func (p Plan) Wake() time.Time { return earliest(p.LookDNS, p.LookServed) }
