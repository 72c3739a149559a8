package swap

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A complaint is a problem before it is a sentence.
type complaint struct {
	code              string
	severity          Severity
	where, what, hint string
}

func (c complaint) problem() Problem {
	return Problem{c.code, c.severity, c.where + ": " + c.what + hinted(c.hint)}
}

// Preflight says what would keep a switch from working, as far as that can be
// known without changing anything, and what is risky about it.
func (h Host) Preflight() []Problem {
	found := h.malformed()
	for _, t := range h.Install {
		if usable(t.at()) {
			found = append(found, t.unusable()...)
		}
	}
	if _, err := readLive(h.Live); err != nil {
		var e *FileError
		if errors.As(err, &e) {
			found = append(found, complaint{CodeTarget, Critical, e.Path, e.Problem, e.Hint})
		}
	}
	if h.Run == nil {
		for _, commands := range []struct {
			step Step
			list [][]string
		}{{StepCheck, h.Check}, {StepReload, h.Reload}} {
			for _, argv := range commands.list {
				if _, err := h.lookup(argv); err != nil {
					found = append(found, complaint{CodeCommand, Critical, string(commands.step) + ": " + strings.Join(argv, " "), err.Error(), ""})
				}
			}
		}
	}
	if t, ok := h.twoSteps(); ok && len(h.malformed()) == 0 {
		found = append(found, complaint{CodeTwoSteps, Warning, t.Path, "key and certificate are in files of their own, so that a server may read the one before and the other after a swap",
			"use one file with content: [key, chain], or dir:"})
	}
	var problems []Problem
	for _, c := range found {
		problems = append(problems, c.problem())
	}
	return problems
}

// malformed is what is wrong with the targets whatever is on the disk. With any of
// it nothing is installed.
func (h Host) malformed() []complaint {
	var found []complaint
	if !usable(h.Live) {
		found = append(found, complaint{CodeTarget, Critical, cmp.Or(h.Live, "live symlink"), "not an absolute path", ""})
	}
	for i, t := range h.Install {
		wrong := func(code, what, hint string) {
			where := t.at()
			if where == "" {
				where = fmt.Sprintf("install[%d]", i)
			}
			found = append(found, complaint{code, Critical, where, what, hint})
		}
		switch {
		case t.Path != "" && t.Dir != "":
			wrong(CodeTarget, "both path: and dir:", "make it two entries")
			continue
		case t.at() == "":
			wrong(CodeTarget, "neither path: nor dir:", "")
			continue
		case !usable(t.at()):
			wrong(CodeTarget, "not an absolute path of a file or directory", "")
			continue
		case t.Dir != "" && len(t.Content) > 0:
			wrong(CodeTarget, "content: with dir:, which has always "+strings.Join(entryFiles[:], ", "), "leave it out")
		case t.Path != "":
			if what := badContent(t.Content); what != "" {
				wrong(CodeTarget, what, "content: is one or more of key, chain, cert, ca; chain is cert and ca")
			}
		}
		if t.mode()&^fs.ModePerm != 0 {
			wrong(CodeTarget, fmt.Sprintf("mode %v is more than permissions", t.mode()), `write four octal digits, as in "0600"`)
		}
		if t.holds(Key) && t.mode()&0o007 != 0 {
			wrong(CodeExposed, fmt.Sprintf("mode %04o would open the private key to everybody on this host", t.mode().Perm()), "use 0600, or 0640 with the server's group")
		}
		for _, other := range h.Install[:i] {
			if contains(other.at(), t.at()) || contains(t.at(), other.at()) {
				wrong(CodeTarget, "lies in the way of "+other.at(), "every target needs a path of its own")
			}
		}
		if contains(h.Live, t.at()) || contains(t.at(), h.Live) {
			wrong(CodeTarget, "lies in the way of "+h.Live, "install outside the state directory")
		}
	}
	return found
}

func usable(path string) bool { return filepath.IsAbs(path) && filepath.Clean(path) != "/" }

func badContent(parts []Part) string {
	if len(parts) == 0 {
		return "no content:"
	}
	for i, p := range parts {
		if !slices.Contains([]Part{Key, Chain, Cert, CA}, p) {
			return fmt.Sprintf("unknown content %q", p)
		}
		if slices.Contains(parts[:i], p) {
			return fmt.Sprintf("content %q twice", p)
		}
	}
	if slices.Contains(parts, Chain) && (slices.Contains(parts, Cert) || slices.Contains(parts, CA)) {
		return "certificates twice"
	}
	return ""
}

// contains reports whether path is dir or lies below it.
func contains(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// unusable looks at what is on the disk where the target is to be.
func (t Target) unusable() []complaint {
	var found []complaint
	at, parent := filepath.Clean(t.at()), filepath.Dir(t.at())
	wrong := func(code string, severity Severity, where, what, hint string) {
		found = append(found, complaint{code, severity, where, what, hint})
	}
	owner, err := lookupOwner(t.Owner)
	if err != nil {
		wrong(CodeOwner, Critical, at, err.Error(), "")
	} else if uid := os.Geteuid(); uid != 0 && (owner.uid >= 0 && owner.uid != uid || owner.gid >= 0 && !inGroup(owner.gid)) {
		wrong(CodeOwner, Critical, at, fmt.Sprintf("only root can give files to %s", t.Owner), "run tlsaroll as root")
	}
	var dir unix.Stat_t
	if err := unix.Stat(parent, &dir); err != nil {
		wrong(CodeTarget, Critical, parent, err.Error(), diskHint(err))
		return found
	}
	if dir.Mode&unix.S_IFMT != unix.S_IFDIR {
		wrong(CodeTarget, Critical, parent, "not a directory", "")
		return found
	}
	if err := unix.Access(parent, unix.W_OK|unix.X_OK); err != nil {
		wrong(CodeTarget, Critical, parent, "not writable: "+err.Error(), diskHint(err))
	}
	if dir.Mode&0o002 != 0 && dir.Mode&unix.S_ISVTX == 0 {
		wrong(CodeTarget, Warning, parent, "everybody on this host may replace what is installed there", "chmod o-w "+parent)
	}
	var st unix.Stat_t
	if unix.Lstat(at, &st) != nil {
		return found
	}
	kind := st.Mode & unix.S_IFMT
	switch {
	case st.Dev != dir.Dev:
		wrong(CodeTarget, Critical, at, "a mount point", diskHint(unix.EBUSY))
	case t.Path != "" && kind != unix.S_IFREG && kind != unix.S_IFLNK:
		wrong(CodeTarget, Critical, at, "not a file", "to install into a directory write dir: instead of path:")
	case t.Dir != "" && kind != unix.S_IFDIR && kind != unix.S_IFLNK:
		wrong(CodeTarget, Critical, at, "neither a directory nor a symlink", "to install one file write path: instead of dir:")
	case t.Dir != "":
		var e *FileError
		if errors.As((&directoryChange{path: at}).ours(), &e) {
			wrong(CodeTarget, Critical, at, e.Problem, e.Hint)
		}
	}
	return found
}

func inGroup(gid int) bool {
	groups, err := os.Getgroups()
	return gid == os.Getegid() || err == nil && slices.Contains(groups, gid)
}

// twoSteps finds a file that has a key without a certificate, if certificates are
// installed as files elsewhere.
func (h Host) twoSteps() (t Target, found bool) {
	certificates := slices.ContainsFunc(h.Install, func(t Target) bool { return t.Path != "" && t.holds(Chain, Cert) && !t.holds(Key) })
	i := slices.IndexFunc(h.Install, func(t Target) bool { return t.Path != "" && t.holds(Key) && !t.holds(Chain, Cert) })
	if i < 0 || !certificates {
		return Target{}, false
	}
	return h.Install[i], true
}
