package agent

import (
	"context"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// watch has the staged files of all lineages, or of one, watched until ctx ends. An
// event is a hint to read them, as the poll would do later.
func (a *Agent) watch(ctx context.Context, lineage string) (wait func()) {
	var files []certwatch.Files
	of := map[certwatch.Files][]string{}
	for _, name := range a.Lineages() {
		staged := a.lineages[name].Staged
		if staged.Cert == "" || lineage != "" && lineage != name {
			continue
		}
		if of[staged] == nil {
			files = append(files, staged)
		}
		of[staged] = append(of[staged], name)
	}
	return a.cfg.Watch(ctx, files, func(changed certwatch.Files) {
		for _, name := range of[changed] {
			a.Nudge(name)
		}
	}, a.log)
}
