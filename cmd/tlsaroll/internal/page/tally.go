package page

import "github.com/tlsaroll/tlsaroll/rollover"

// A tally is the answers to one question that several were asked.
type tally struct {
	answers []answered
	yes, no int
}

// answered is who was asked, and what the answer is.
type answered struct {
	who  string
	what rollover.Known
}

func (t tally) all() int { return len(t.answers) }

// share is how much of it is yes.
func (t tally) share() float64 {
	if len(t.answers) == 0 {
		return 0
	}
	return float64(t.yes) / float64(len(t.answers))
}

// ask joins answers by who gave them: what is not yes in one place is not yes.
type ask struct {
	order []string
	by    map[string]rollover.Known
}

func (a *ask) put(who string, k rollover.Known) {
	before, ok := a.by[who]
	switch {
	case !ok:
		if a.by == nil {
			a.by = map[string]rollover.Known{}
		}
		a.order = append(a.order, who)
		a.by[who] = k
	case before == rollover.Yes, k == rollover.No:
		a.by[who] = k
	}
}

func (a *ask) tally() (t tally) {
	for _, who := range a.order {
		t.answers = append(t.answers, answered{who, a.by[who]})
		switch a.by[who] {
		case rollover.Yes:
			t.yes++
		case rollover.No:
			t.no++
		case rollover.Unknown:
		}
	}
	return t
}

// converged is which servers have what the newest pair needs, at every owner name.
func converged(s rollover.LineageStatus) tally {
	var a ask
	for _, e := range s.Endpoints {
		for _, v := range e.Servers {
			a.put(harmless(v.String()), v.Converged)
		}
	}
	return a.tally()
}

// presented is which addresses present the live pair.
func presented(s rollover.LineageStatus) tally {
	var a ask
	for _, e := range s.Endpoints {
		for _, c := range e.Served {
			k := rollover.Unknown
			switch {
			case c.Leaf != nil && s.Live != nil && *c.Leaf == s.Live.Leaf:
				k = rollover.Yes
			case c.Leaf != nil:
				k = rollover.No
			}
			a.put(harmless(c.Address), k)
		}
	}
	return a.tally()
}
