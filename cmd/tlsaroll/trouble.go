package main

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
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

// told are the troubles there are, sorted.
func (d *daemon) told() []rollover.Warning {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.SortedFunc(maps.Values(d.troubles), func(a, b rollover.Warning) int { return cmp.Compare(a.Code, b.Code) })
}
