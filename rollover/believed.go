package rollover

import (
	"cmp"
	"slices"
)

// believed is a look, as far as it is believed of where the records stand. It leads to
// another place than before only if somebody there answers: while no server of an alias
// can be asked, it looks like none.
func (a *accounting) believed(view OwnerView) OwnerView {
	if a.Target == "" || view.Target == "" || view.Target == a.Target {
		return view
	}
	if slices.ContainsFunc(view.Servers, func(sv ServerView) bool { return sv.Answer.Known() && !sv.Alias && !sv.Retained }) {
		if view.AliasTTL > 0 || slices.ContainsFunc(view.Servers, func(sv ServerView) bool { return sv.Alias }) {
			a.unknown()
		}
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

// unknown begins with a version of unknown content, as for a name without history
// (DESIGN 4.4). What stood at the place that an alias leads to now, caches may hold from
// before, too, as they do for others that it leads there. At a name that was an alias until
// now nothing stood.
func (a *accounting) unknown() {
	if i := slices.IndexFunc(a.Versions, func(v Version) bool { return v.Unknown }); i >= 0 {
		a.Versions[i].Served = a.now
		return
	}
	a.Versions = append(a.Versions, Version{Unknown: true, Served: a.now})
}
