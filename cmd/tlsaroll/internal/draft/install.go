package draft

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
)

// copyTo is where a server is to read a pair from, and what it takes to get there.
type copyTo struct {
	place
	file string // one with key and chain, or
	dir  string // a directory
	// stands says that the server reads there already, and nobody else writes there.
	stands bool
	// written says that it is written without being named: it is in the state directory, or
	// comes with a directory.
	written bool
}

// copies are where the servers of a lineage read it.
func (l lineage) copies() (out []copyTo) {
	for _, p := range l.places {
		c := copyTo{place: p}
		switch {
		case l.written(p.reads.Cert) && p.server.Program == "Postfix":
			c.file, c.stands, c.written = path.Join(path.Dir(p.reads.Cert), certwatch.CombinedFile), true, true
		case liveName(p.reads.Cert) == l.name:
			c.dir, c.stands, c.written = path.Dir(p.reads.Cert), true, true
		case p.server.Program == "Postfix" && p.reads.Combined() && p.reads.Kept == nil:
			c.file, c.stands = p.reads.Cert, true
		case p.server.Program == "Postfix":
			c.file = l.free(path.Join(cmp.Or(p.server.Config, "/etc/postfix"), "tls", l.name), ".pem")
		case p.reads.Dir != "":
			c.dir, c.stands = p.reads.Dir, true
		case p.server.Program == "Exim" && !debian(p.server):
			c.dir = l.free(path.Join("/etc/exim/tls", l.name), "")
		default:
			c.dir = l.free(path.Join(map[string]string{"Dovecot": "/etc/dovecot/tls", "Exim": "/etc/exim4/tls", "OpenSMTPD": "/etc/mail/tls"}[p.server.Program], l.name), "")
		}
		if !slices.ContainsFunc(out, func(o copyTo) bool { return o.file == c.file && o.dir == c.dir }) {
			out = append(out, c)
		}
	}
	return out
}

// live is where servers may read what tlsaroll keeps itself, in a directory for each lineage.
const live = "/var/lib/tlsaroll/live"

// liveName is the lineage whose live pair a file is, "" if it is none.
func liveName(file string) string {
	if dir := path.Dir(file); path.Dir(dir) == live {
		return path.Base(dir)
	}
	return ""
}

// free is a place that no server reads yet: what it serves from there would be gone before it
// is copied.
func (l lineage) free(name, suffix string) string {
	place := name + suffix
	for n := 2; slices.ContainsFunc(l.read, func(file string) bool { return file == place || path.Dir(file) == place }); n++ {
		place = fmt.Sprintf("%s-%d%s", name, n, suffix)
	}
	return place
}

// written reports whether a file comes by itself, as live or as one of a directory's.
func (l lineage) written(file string) bool {
	return liveName(file) == l.name || path.Base(file) == certwatch.CombinedFile && slices.ContainsFunc(l.places, func(p place) bool { return p.reads.Dir == path.Dir(file) })
}

// owner is who may read the copy: Exim reads it as its own user, when it has changed.
func (c copyTo) owner() (owner, mode string) {
	switch {
	case c.server.Program != "Exim":
	case debian(c.server):
		return "root:Debian-exim", "0640"
	default:
		return "root:exim", "0640"
	}
	return "root:root", "0600"
}

// debian reports whether Exim is Debian's, where its program, its user, its unit and its files
// have other names than elsewhere.
func debian(exim finder.Server) bool {
	return len(exim.Check) > 0 && slices.Contains(exim.Check[0], "exim4")
}

// installs writes the copies, and the commands around a swap.
func installs(y *page, l lineage) {
	y.line("")
	copies := slices.DeleteFunc(l.copies(), func(c copyTo) bool { return c.written })
	if slices.ContainsFunc(l.places, func(p place) bool { return liveName(p.reads.Cert) == l.name }) {
		y.comment("    Servers read " + path.Join(live, l.name) + " itself, which tlsaroll alone writes.")
	}
	if len(copies) > 0 {
		y.comment("    What the servers read, and tlsaroll alone writes.")
		y.line("    install:")
	}
	for _, c := range copies {
		owner, mode := c.owner()
		why := c.server.Program + ", as soon as it is told to"
		if c.stands {
			why = c.server.Program + " reads it there already"
		}
		y.comment("      " + why + ".")
		if c.file != "" {
			y.line("      - {path: " + scalar(c.file) + `, content: [key, chain], owner: "` + owner + `", mode: "` + mode + `"}`)
			continue
		}
		y.line("      - {dir: " + scalar(c.dir) + `, owner: "` + owner + `", mode: "` + mode + `"}`)
	}
	var check, reload [][]string
	for _, s := range l.servers() {
		check, reload = append(check, s.Check...), append(reload, s.Reload...)
	}
	y.said("    check: "+flow(check), "before the switch; if it fails, nothing changes")
	if len(reload) == 0 {
		y.comment("    No reload: " + strings.Join(l.programs(), " and ") + " looks whether the files have changed.")
		return
	}
	y.said("    reload: "+flow(reload), "after it; if the new one is not served then, the old one goes back")
}
