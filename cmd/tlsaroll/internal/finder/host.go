package finder

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// A Host is what is looked at.
type Host struct {
	// Files are the host's, from its root.
	Files fs.FS
	// Run runs a program of the host and gives what it prints to its standard output.
	Run func(ctx context.Context, argv ...string) (stdout []byte, err error)
	// Now is when it is looked at: certificates that have ended are left out.
	Now time.Time

	// Where configurations are that are not in the usual place; "" is that place.
	Postfix  string // the directory with main.cf
	Dovecot  string // the file
	BIND     string // likewise
	Knot     string // likewise
	NSD      string // likewise
	PowerDNS string // the directory with pdns.conf
	Lego     string // its --path
}

// Found is what a host has.
type Found struct {
	Name      string // the host's full name; "": it is not known
	Pairs     []Pair
	Servers   []Server
	Primaries []Primary
	Sendmail  bool     // local mail can be handed in
	Unit      string   // of systemd, that runs the daemon; "": none is installed, or there is no systemd
	Notes     []string // what was there and could not be understood
}

// Find looks at everything. What cannot be read is noted.
func Find(ctx context.Context, h Host) Found {
	out := Found{Name: h.name()}
	pairs := h.pairs(out.note)
	out.Pairs = slices.DeleteFunc(slices.Clone(pairs), h.ended)
	for _, find := range []func(context.Context, func(string, ...any)) []Server{h.postfix, h.exim, h.openSMTPD, h.dovecot} {
		out.Servers = append(out.Servers, find(ctx, out.note)...)
	}
	h.know(&out, pairs)
	out.Primaries = h.primaries(ctx, out.note)
	out.Sendmail = h.has("/usr/sbin/sendmail") || h.has("/usr/lib/sendmail")
	for _, dir := range []string{"/etc/systemd/system/", "/usr/lib/systemd/system/"} {
		if unit := dir + "tlsaroll.service"; out.Unit == "" && h.systemd() && h.has(unit) {
			out.Unit = unit
		}
	}
	return out
}

func (f *Found) note(format string, a ...any) { f.Notes = append(f.Notes, fmt.Sprintf(format, a...)) }

// name is the host's as it would greet, where that is a full one: Debian keeps it in
// mailname, and the other is often short.
func (h Host) name() string {
	for _, file := range []string{"/etc/mailname", "/etc/hostname"} {
		if text, err := h.read(file); err == nil {
			if name := strings.ToLower(strings.TrimSpace(string(text))); strings.Contains(name, ".") {
				return name
			}
		}
	}
	return ""
}

// systemd reports whether systemctl has an effect here.
func (h Host) systemd() bool { return h.has("/run/systemd/system") }

func (h Host) has(file string) bool {
	_, err := fs.Stat(h.Files, within(file))
	return err == nil
}

// read follows links itself: those that begin with a slash begin at the root of Files.
func (h Host) read(file string) ([]byte, error) { return fs.ReadFile(h.Files, within(h.Follow(file))) }

// glob gives absolute paths.
func (h Host) glob(pattern string) []string {
	found, _ := fs.Glob(h.Files, within(pattern)) // the patterns are ours, and good
	for i := range found {
		found[i] = "/" + found[i]
	}
	return found
}

// within is an absolute path as io/fs wants it.
func within(file string) string { return strings.TrimPrefix(path.Clean(file), "/") }

// maxLinks is how many links are followed before they count as a circle.
const maxLinks = 40

// Follow is where a path leads, links on the way followed as far as can be told.
func (h Host) Follow(file string) string {
	rest, done := strings.Split(within(file), "/"), "/"
	for links := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		to, err := fs.ReadLink(h.Files, within(next))
		if err != nil || links == maxLinks {
			done, rest = next, rest[1:]
			continue
		}
		links++
		if !path.IsAbs(to) {
			to = path.Join(done, to)
		}
		done, rest = "/", slices.Concat(strings.Split(within(to), "/"), rest[1:])
	}
	return done
}
