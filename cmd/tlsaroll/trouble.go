package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// trouble is what a person should know that is about no lineage; it lasts until it is
// over.
func (d *daemon) trouble(code rollover.Code, about, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.troubles[code] = rollover.NewWarning(code, about, text)
}

func (d *daemon) over(code rollover.Code) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.troubles, code)
}

// passedOver takes in whether the pass over a group could be made. Those over others
// tell nothing of it: it lasts until none is left that could not.
func (d *daemon) passedOver(r agent.Report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range r.Lineages {
		delete(d.failing, name)
		if r.Err != nil {
			d.failing[name] = r.Err.Error()
		}
	}
	if len(d.failing) == 0 {
		delete(d.troubles, rollover.CodePassFailed)
		return
	}
	names := slices.Sorted(maps.Keys(d.failing))
	why := d.failing[names[0]]
	alike := slices.DeleteFunc(names, func(name string) bool { return d.failing[name] != why })
	text := list(alike) + ": " + why
	if others := len(d.failing) - len(alike); others > 0 {
		text += fmt.Sprintf(" (%d other lineages: see the log)", others)
	}
	d.troubles[rollover.CodePassFailed] = rollover.NewWarning(rollover.CodePassFailed, "", text)
}

// told are the troubles there are, sorted.
func (d *daemon) told() []rollover.Warning {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.SortedFunc(maps.Values(d.troubles), func(a, b rollover.Warning) int { return cmp.Compare(a.Code, b.Code) })
}
