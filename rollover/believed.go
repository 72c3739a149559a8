package rollover

import (
	"cmp"
	"slices"
)

// believed is a look, as far as it is believed of where the records stand. It leads to
// another place than before only if somebody there answers: while no server of an alias
// can be asked, it looks like none.
func (a *accounting) believed(view OwnerView) OwnerView {
	if a.Target == "" || view.Target == "" || view.Target == a.Target || slices.ContainsFunc(view.Servers, func(sv ServerView) bool {
		return sv.Answer.Known() && !sv.Alias && !sv.Retained
	}) {
		return view
	}
	why := "no server is known"
	if i := slices.IndexFunc(view.Servers, func(sv ServerView) bool { return !sv.Answer.Known() }); i >= 0 {
		why = view.Servers[i].Answer.Err
	}
	view.Err = cmp.Or(view.Err, "whether it still leads to "+string(a.Target)+" is not known: "+why)
	view.Target, view.Zone, view.Provider, view.AliasTTL, view.Servers = a.Target, a.Zone, a.Provider, a.AliasTTL, nil
	return view
}
