package page

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Facts are what a page is made of.
type Facts struct {
	Status  rollover.Status
	Host    string
	Version string
	Now     time.Time // in the time zone in which times are said
	Unseen  []string  // lineages that were not looked at since the program began
}

// View is a page in words, for the template.
type View struct {
	Base     string // leads from the page to the first one
	Title    string
	Tone     Tone
	Headline string
	Told     string    // the headline without what changes while nothing happens
	Said     string    // in a few words, how all of it stands
	Next     *NextStep // of all that have a time the first, nil: none has
	Host     string
	Version  string
	AsOf     *Moment
	Again    int // seconds until what is said of times is old

	Program  []Trouble // about no lineage
	Overview []Row
	Lineages []Lineage
	Folded   bool // there are too many to show all of each
	Single   bool // the page is about one lineage
	Missing  bool // nothing is there
}

// Row is a lineage in the overview.
type Row struct {
	Name, Link string
	Badge      Badge
	Sentence   string
	When       *Moment
	Flags      []Badge
	Next       NextStep
	Ends       *Moment
	Errors     int
	Warnings   int
	Identity   string
}

// A Badge is a word with a tone.
type Badge struct {
	Tone Tone
	Word string
}

// foldedFrom is how many lineages one still reads one below the other.
const foldedFrom = 9

// All is the page about all lineages, those that need somebody first.
func All(f Facts) View {
	v := f.view("./")
	for _, s := range f.Status.Lineages {
		v.Lineages = append(v.Lineages, f.lineage(s))
	}
	slices.SortStableFunc(v.Lineages, func(a, b Lineage) int {
		return cmp.Or(cmp.Compare(b.Tone.rank(), a.Tone.rank()), byNumber(a.Name, b.Name))
	})
	for _, l := range v.Lineages {
		v.Tone = worse(v.Tone, l.Tone)
	}
	if len(v.Lineages) == 0 {
		v.Tone = worse(v.Tone, Plain)
	}
	v.Folded = len(v.Lineages) >= foldedFrom
	for i := range v.Lineages {
		l := &v.Lineages[i]
		l.Link = v.link(l.Name)
		if len(v.Lineages) > 1 && !v.Folded {
			v.Overview = append(v.Overview, Row{Name: l.Name, Link: "#" + l.Identity, Identity: "row-" + l.Identity, Badge: l.Badge, Sentence: l.Sentence, When: l.When, Flags: l.Flags, Next: l.Next, Ends: l.Ends, Errors: l.Errors, Warnings: l.Warnings})
		}
	}
	v.Headline, v.Told, v.Said = v.summary()
	v.Next = v.soonest()
	v.Title = v.Headline + " · tlsaroll"
	v.Again = f.again()
	return v
}

// One is the page about one lineage.
func One(f Facts, name string) (v View, ok bool) {
	i := slices.IndexFunc(f.Status.Lineages, func(s rollover.LineageStatus) bool { return s.Name == name })
	if i < 0 {
		return Missing(f, "../"), false
	}
	f.Status.Lineages = f.Status.Lineages[i : i+1]
	l := f.lineage(f.Status.Lineages[0])
	l.Unfold()
	v = f.view("../")
	v.Lineages, v.Single = []Lineage{l}, true
	v.Tone = worse(v.Tone, l.Tone)
	v.Headline, v.Told = l.Name, l.Name
	v.Title = l.Name + ": " + l.word() + " · tlsaroll"
	v.Again = f.again()
	return v, true
}

// Missing is the page where none is; base leads from there to the first one.
func Missing(f Facts, base string) View {
	v := f.view(base)
	v.Tone, v.Missing, v.Program = Plain, true, nil
	v.Headline, v.Told, v.Title = "There is nothing here", "There is nothing here", "Nothing here · tlsaroll"
	v.Said = "No lineage and no page has this address; it may have left the configuration."
	v.Again = slow
	return v
}

func (f Facts) lineage(s rollover.LineageStatus) Lineage {
	return lineage(s, slices.Contains(f.Unseen, s.Name), f.Now)
}

func (f Facts) view(base string) View {
	v := View{Base: base, Tone: Good, Host: harmless(f.Host), Version: harmless(f.Version), AsOf: moment(f.Now, f.Now)}
	v.Program = troubles(f.Status.Warnings, nil, f.Now)
	for _, t := range v.Program {
		if t.Tone != Plain { // what is only worth knowing
			v.Tone = worse(v.Tone, t.Tone)
		}
	}
	return v
}

func (v View) link(name string) string { return v.Base + "lineage/" + url.PathEscape(name) }

// How many seconds what is said of times stays true, roughly: where minutes are
// counted, and where seconds are.
const slow, quick = 60, 10

// again is when the page is to be fetched again although nothing has happened.
func (f Facts) again() int {
	soon := func(t *time.Time) bool { return t != nil && t.After(f.Now) && t.Sub(f.Now) < 3*time.Minute }
	for _, l := range f.Status.Lineages {
		if l.Swapping != nil || l.Successor != nil && soon(l.Successor.ReadyAt) {
			return quick
		}
	}
	return slow
}
