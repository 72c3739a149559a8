package notify

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// A Notice is a warning that there is now. Lineage, code and what it is about tell
// it from others; all else may change while it lasts.
type Notice struct {
	Lineage  string            `json:"lineage"` // "": the program as a whole
	Code     rollover.Code     `json:"code"`
	Severity rollover.Severity `json:"severity"`
	About    string            `json:"about"` // a server, address, owner name or pair; "": the lineage as a whole
	Text     string            `json:"text"`
	Fix      string            `json:"fix"`   // what to do; "": what the catalogue says
	Since    time.Time         `json:"since"` // zero: since it was first seen
}

// Of are a lineage's warnings as notices; of the program's own for "".
func Of(lineage string, warnings []rollover.Warning) []Notice {
	out := make([]Notice, len(warnings))
	for i, w := range warnings {
		out[i] = Notice{Lineage: lineage, Code: w.Code, Severity: w.Severity, About: w.About, Text: w.Text}
	}
	return out
}

// key is what makes two notices the same one.
type key struct {
	lineage string
	code    rollover.Code
	about   string
}

func (n Notice) key() key { return key{n.Lineage, n.Code, n.About} }

// byKey is the order in which people are told of what comes together.
func byKey(a, b Notice) int {
	return cmp.Or(
		strings.Compare(a.Lineage, b.Lineage),
		strings.Compare(string(a.Code), string(b.Code)),
		strings.Compare(a.About, b.About),
	)
}

// severities, the least first.
var severities = []rollover.Severity{rollover.Info, rollover.Warn, rollover.Danger}

// rank is how severe; what is not known to be harmless is the worst.
func rank(s rollover.Severity) int {
	if i := slices.Index(severities, s); i >= 0 {
		return i
	}
	return len(severities)
}

// Event says what became of a notice.
type Event string

const (
	Appeared Event = "new"
	Changed  Event = "changed"  // its severity rose
	Reminder Event = "reminder" // it lasts
	Cleared  Event = "cleared"

	InService Event = "in-service" // a new certificate is served and verified; it has no code
	Trial     Event = "test"       // somebody wants to see whether it arrives
)

// A Message is what people are told: the JSON that commands and webhooks get.
type Message struct {
	Event Event `json:"event"`
	Notice
	Host string `json:"host"`
}
