package agent

import (
	"path/filepath"

	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
)

// host is everything about a lineage's installation.
func (a *Agent) host(l Lineage) swap.Host {
	h := swap.Host{Lineage: l.Name, Live: filepath.Join(a.cfg.State, "live", l.Name), Check: l.Check, Reload: l.Reload, Timeout: l.Timeout, Run: a.cfg.Run}
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
