package agent

import (
	"context"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// watch has the staged files of all lineages, or of one, and the next keys of their ACME
// clients, watched until ctx ends. An event is a hint to read them, as the poll would do
// later.
func (a *Agent) watch(ctx context.Context, lineage string) (wait func()) {
	var files []certwatch.Files
	of := map[certwatch.Files][]string{}
	for _, name := range a.Lineages() {
		if lineage != "" && lineage != name {
			continue
		}
		for _, f := range []certwatch.Files{a.lineages[name].Staged, {Cert: a.lineages[name].NextKey}} {
			if f.Cert == "" {
				continue
			}
			if of[f] == nil {
				files = append(files, f)
			}
			of[f] = append(of[f], name)
		}
	}
	return a.cfg.Watch(ctx, files, func(changed certwatch.Files) {
		for _, name := range of[changed] {
			a.Nudge(name)
		}
	}, a.log)
}
