package agent

import (
	"cmp"
	"path/filepath"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/installer"
	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
)

// host is who installs a lineage's pairs: this process, or the installer.
func (c Config) host(l Lineage) Host {
	if c.Installer != "" {
		return installer.Client{Socket: c.Installer, Lineage: l.Name, Patience: installerQueue + Site(c.State, l).Patience()}
	}
	h := l.installation(liveIn(c.State, l.Name))
	h.Run = c.Run
	return h
}

// installerQueue is how long a swap waits for its turn at the installer, which does one
// thing at a time.
const installerQueue = 5 * time.Minute

// Site is what an installer does for a lineage of an agent that keeps its state in a
// directory: what the agent would do itself.
func Site(state string, l Lineage) installer.Site {
	s := installer.Site{Host: l.installation(installer.LiveIn(state, l.Name)), State: installer.StateOf(state)}
	for _, e := range l.Policy.Endpoints {
		if !slices.Contains(s.Names, e.Host) {
			s.Names = append(s.Names, e.Host)
		}
	}
	return s
}

// installation is everything about a lineage's installation.
func (l Lineage) installation(live string) swap.Host {
	h := swap.Host{Lineage: l.Name, Live: live, Check: l.Check, Reload: l.Reload, Timeout: l.Timeout}
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

// live is the one that servers read: ours, or the installer's.
func (c Config) live(lineage string) string {
	if c.Installer != "" {
		return installer.LiveIn(c.State, lineage)
	}
	return liveIn(c.State, lineage)
}

// files are what servers are to read: the installed copies, or the live pair itself.
func (l Lineage) files(c Config) []string {
	var files []string
	for _, i := range l.Install {
		files = append(files, cmp.Or(i.Path, i.Dir))
	}
	if files == nil {
		files = []string{c.live(l.Name)}
	}
	return files
}
