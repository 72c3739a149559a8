package swap

import (
	"cmp"
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

// DefaultTimeout is how long one command may take.
const DefaultTimeout = 60 * time.Second

// A Host is all about the installation of one lineage on this host. Only one
// process at a time may switch it.
type Host struct {
	Lineage string
	Live    string   // the symlink STATE/live/LINEAGE
	Install []Target // copies for servers that cannot read there
	Check   [][]string
	Reload  [][]string
	Timeout time.Duration // of one command; zero: [DefaultTimeout]

	// Run runs a command to its end and returns what it printed. Nil executes it
	// as a process group of its own in a clean environment, see [Host.Switch].
	Run func(ctx context.Context, argv []string) (output []byte, err error)

	search string                                // where commands are looked up, "": [subprocess.Path]
	step   func(op operation, path string) error // for tests: called before each operation
}

// A Part is a piece of a pair that a file can hold.
type Part string

// The parts of a file's content. Postfix wants the key first.
const (
	Key   Part = "key"   // the private key
	Chain Part = "chain" // the leaf and its issuers
	Cert  Part = "cert"  // the leaf alone
	CA    Part = "ca"    // the issuers without the leaf
)

// A Target is one file (Path) or one directory (Dir) that holds copies. A
// directory holds the files of an entry and is a symlink to a sibling.
type Target struct {
	Path, Dir string
	Content   []Part      // of a file, in this order; a directory has always the same files
	Owner     string      // "user:group", "user", ":group", names or numbers; empty: as the process
	Mode      fs.FileMode // of the files; zero: 0600. A directory adds x where a file has r
}

func (t Target) at() string { return cmp.Or(t.Path, t.Dir) }

// mode is the permissions of the target's files.
func (t Target) mode() fs.FileMode { return cmp.Or(t.Mode, 0o600) }

// holds reports whether one of the parts is in the target.
func (t Target) holds(parts ...Part) bool {
	return t.Dir != "" || slices.ContainsFunc(t.Content, func(p Part) bool { return slices.Contains(parts, p) })
}

func (h Host) timeout() time.Duration { return cmp.Or(h.Timeout, DefaultTimeout) }

// before is the seam for tests between any two operations on the disk.
func (h Host) before(op operation, path string) error {
	if h.step == nil {
		return nil
	}
	return h.step(op, path)
}

// An operation is something that may fail, or be the last thing before a crash.
type operation string

const (
	opWrite  operation = "write"  // a temporary file or directory
	opKeep   operation = "keep"   // the old one
	opSwitch operation = "switch" // one rename
	opSync   operation = "sync"   // the directory
	opTidy   operation = "tidy"   // old leftovers
	opBack   operation = "back"   // the rename that undoes a switch
)

// Files says where a certificate and its key are; they may be in one file.
type Files struct{ Cert, Key string }

// Pairs says in which installed files a whole pair can be read, so that a pair
// that was installed before can be taken over. Files with only a key and files with
// only certificates make a pair together.
func (h Host) Pairs() []Files {
	var pairs []Files
	var key, cert string
	for _, t := range h.Install {
		switch {
		case t.Dir != "":
			pairs = append(pairs, Files{filepath.Join(t.Dir, fullchainFile), filepath.Join(t.Dir, privkeyFile)})
		case t.holds(Key) && t.holds(Chain, Cert):
			pairs = append(pairs, Files{t.Path, t.Path})
		case t.holds(Key):
			key = cmp.Or(key, t.Path)
		case t.holds(Chain):
			cert = t.Path
		case t.holds(Cert):
			cert = cmp.Or(cert, t.Path)
		}
	}
	if key != "" && cert != "" {
		pairs = append(pairs, Files{cert, key})
	}
	return pairs
}
