package draft

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
)

// writable are the directories that the unit of the package lets the daemon write to, if they
// are there.
var writable = []string{"/etc/postfix/tls", "/etc/dovecot/tls", "/etc/exim4/tls", "/etc/mail/tls"}

// closed are those that a unit has to be told of, as it takes them.
func (w World) closed(lineages []lineage) (dirs []string) {
	for _, l := range lineages {
		for _, c := range l.copies() {
			dir := path.Dir(cmp.Or(c.file, c.dir))
			if as := unitPath(dir); w.Unit != "" && !c.written && !slices.Contains(writable, dir) && !slices.Contains(dirs, as) {
				dirs = append(dirs, as)
			}
		}
	}
	return dirs
}

// unitPath is a path as a unit's setting has it, see systemd.syntax(7) and systemd.unit(5).
func unitPath(dir string) string {
	dir = strings.ReplaceAll(dir, "%", "%%")
	if plainScalar.MatchString(dir) {
		return dir
	}
	return strconv.Quote(dir)
}
