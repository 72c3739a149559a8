package rollover

import (
	"maps"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Phase is how far a lineage's successor has come, in the words of RFC 7583,
// section 3.1. It is derived from the ledgers in every pass, never stored as a
// decision.
type Phase string

const (
	Steady    Phase = "steady"    // nothing on its way
	Generated Phase = "generated" // in the stash; some record of it is not on every server
	Published Phase = "published" // on every authoritative server; caches may lack it
	Ready     Phase = "ready"     // no cache can lack it; it may be swapped in
	Retiring  Phase = "retiring"  // live and verified; records of its predecessor still stand
)

// State is everything of one owner group that must survive a restart: what
// cannot be seen by looking again, and the last sights for those who ask.
type State struct {
	Lineages map[string]Lineage
	Owners   map[tlsa.Owner]Ledger
	Chains   map[tlsa.ChainID]*tlsa.Chain // every chain that the rest names
}

// Lineage is what is remembered of one lineage.
type Lineage struct {
	Live     tlsa.ChainID `json:"live,omitempty"`
	Previous tlsa.ChainID `json:"previous,omitempty"` // rollback leads to it
	Adopting tlsa.ChainID `json:"adopting,omitempty"` // is about to be adopted; until that is entered

	Successor tlsa.ChainID `json:"successor,omitempty"`
	Phase     Phase        `json:"phase,omitempty"`   // of the successor, as the last pass found it
	ReadyAt   time.Time    `json:"ready_at,omitzero"` // when it is or was ready; zero: not known yet
	Queued    tlsa.ChainID `json:"queued,omitempty"`  // newest pair behind a published successor
	Staged    tlsa.ChainID `json:"staged,omitempty"`  // last seen in the staged files
	Since     time.Time    `json:"since,omitzero"`    // when the successor was admitted
	Swapped   time.Time    `json:"swapped,omitzero"`  // when the live pair was swapped in
	Verified  time.Time    `json:"verified,omitzero"` // when this host was first seen to serve it

	Swapping *Swapping `json:"swapping,omitempty"`
	Held     *Held     `json:"held,omitempty"`
	Refused  *Refused  `json:"refused,omitempty"`

	Emergency time.Time `json:"emergency,omitzero"` // when one was declared; over when the lineage is steady
	// AtOnce is the successor that is swapped in before caches are fresh, in an emergency.
	AtOnce      tlsa.ChainID  `json:"at_once,omitempty"`
	Compromised []Compromised `json:"compromised,omitempty"`

	Recalled  time.Time `json:"recalled,omitzero"`  // when a person wanted the successor back, which was live before
	Returned  time.Time `json:"returned,omitzero"`  // when the live pair came back by a person's word
	Withdrawn time.Time `json:"withdrawn,omitzero"` // when a person wanted our records out
	Frozen    *Freeze   `json:"frozen,omitempty"`
	Enforced  bool      `json:"mta_sts_enforced,omitempty"` // the domain's MTA-STS policy when it was last seen

	Standby      tlsa.Association `json:"standby,omitzero"`       // 3 1 1 of the next key
	StandbyReady time.Time        `json:"standby_ready,omitzero"` // when no cache can lack it; zero: not known yet
	Issuing      Issuing          `json:"issuing,omitzero"`       // the orders for its certificates, as of the last pass

	Rollovers []Period `json:"rollovers,omitempty"` // the last ones, oldest first

	Waiting  []Reason  `json:"waiting,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`
	Wake     time.Time `json:"wake,omitzero"`
	Looked   Looked    `json:"looked,omitzero"`
}

// Looked is when the lineage's parts of the world were last looked at.
type Looked struct {
	DNS    time.Time `json:"dns,omitzero"`
	Served time.Time `json:"served,omitzero"`
}

// Swapping is a swap under way: from the moment it is decided until this host
// was seen to serve the new chain, or it was undone.
type Swapping struct {
	From   tlsa.ChainID `json:"from,omitempty"`
	To     tlsa.ChainID `json:"to"`
	Began  time.Time    `json:"began"`
	Step   SwapStep     `json:"step"`
	Why    string       `json:"why,omitempty"`    // what failed
	Judge  []string     `json:"judge,omitempty"`  // local addresses that answered before
	Forced string       `json:"forced,omitempty"` // reason code where a guard was set aside
}

// SwapStep is how far a swap has come.
type SwapStep string

const (
	SwapIntended  SwapStep = "intended"  // decided and remembered; whether it was carried out is not known
	SwapInstalled SwapStep = "installed" // installed and reloaded; this host has not been seen to serve it
	SwapFailed    SwapStep = "failed"    // installed, and a service was not reloaded or does not serve it
	SwapUndoing   SwapStep = "undoing"   // the way back is decided
)

// Held is a successor whose swap was undone (DESIGN 4.10).
type Held struct {
	Chain    tlsa.ChainID `json:"chain"`
	Code     string       `json:"code"`
	Text     string       `json:"text"`
	Since    time.Time    `json:"since"`
	Tries    int          `json:"tries"`
	Again    time.Time    `json:"again"` // when it is tried again
	Revision string       `json:"revision,omitempty"`
}

// Refused is a pair in the staged files that cannot become the successor.
type Refused struct {
	Chain  tlsa.ChainID `json:"chain"`
	Reason Reason       `json:"reason"`
}

// again is when a held swap is tried again: after an hour, six hours, then daily.
func (h Held) again() time.Duration {
	switch h.Tries {
	case 0, 1:
		return time.Hour
	case 2:
		return 6 * time.Hour
	}
	return 24 * time.Hour
}

func (s State) clone() State {
	s.Lineages = maps.Clone(s.Lineages)
	if s.Lineages == nil {
		s.Lineages = map[string]Lineage{}
	}
	owners := make(map[tlsa.Owner]Ledger, len(s.Owners))
	for name, l := range s.Owners {
		owners[name] = l.clone()
	}
	s.Owners = owners
	s.Chains = maps.Clone(s.Chains)
	if s.Chains == nil {
		s.Chains = map[tlsa.ChainID]*tlsa.Chain{}
	}
	return s
}
