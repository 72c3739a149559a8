package agent

import (
	"cmp"
	"path/filepath"

	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
)

// host is everything about a lineage's installation.
func (c Config) host(l Lineage) Host {
	h := swap.Host{Lineage: l.Name, Live: liveIn(c.State, l.Name), Check: l.Check, Reload: l.Reload, Timeout: l.Timeout, Run: c.Run}
	for _, t := range l.Install {
		target := swap.Target{Path: t.Path, Dir: t.Dir, Mode: t.Mode}
		if t.User != "" || t.Group != "" {
			target.Owner = t.User + ":" + t.Group
		}
		for _, part := range t.Content {
			target.Content = append(target.Content, swap.Part(part))
		}
		h.Install = append(h.Install, target)
	}
	return h
}

// liveIn is the symlink to the stash entry of a lineage's live pair.
func liveIn(state, lineage string) string { return filepath.Join(state, "live", lineage) }

// files are what servers are to read: the installed copies, or the live pair itself.
func (l Lineage) files(state string) []string {
	var files []string
	for _, i := range l.Install {
		files = append(files, cmp.Or(i.Path, i.Dir))
	}
	if files == nil {
		files = []string{liveIn(state, l.Name)}
	}
	return files
}
