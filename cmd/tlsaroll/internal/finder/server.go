package finder

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"os/exec"
	"path"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// A Server is a mail server's program and what it is set to.
type Server struct {
	Program string   // Postfix, Exim, OpenSMTPD or Dovecot
	Host    string   // the name it greets with; "": it has none of its own
	Ports   []uint16 // on which it listens and offers TLS
	Reads   []Reads  // the certificates
	Config  string   // directory or file of its configuration, where that is not the usual one

	Check, Reload [][]string // commands
}

// Reads is a certificate as a server reads it.
type Reads struct {
	Cert string // the chain's file; with the key in it if Key is the same
	Key  string
	Name string // of the certificate in the server's configuration, where it has one

	Leaf *x509.Certificate // nil: it could not be read
	Kept *Pair             // the files are an ACME client's own; nil: they are not
	Dir  string            // a directory that holds these two and nothing else, by the names that tlsaroll gives them
}

// know adds what the files themselves tell.
func (h Host) know(f *Found, pairs []Pair) {
	for i := range f.Servers {
		s := &f.Servers[i]
		for j := range s.Reads {
			r := &s.Reads[j]
			if k := slices.IndexFunc(pairs, func(p Pair) bool { return p.Keeps(h, r.Cert) }); k >= 0 {
				r.Kept = &pairs[k]
			}
			leaf, err := h.Leaf(r.Cert)
			if r.Leaf = leaf; err != nil {
				f.note("%s: %s: %v", s.Program, r.Cert, cause(err))
			}
			if dir := path.Dir(r.Cert); r.Kept == nil && r.Cert == path.Join(dir, certwatch.FullchainFile) && r.Key == path.Join(dir, certwatch.PrivkeyFile) && h.holdsOnlyPairs(dir) {
				r.Dir = dir
			}
		}
	}
}

// holdsOnlyPairs reports whether nothing else is in a directory.
func (h Host) holdsOnlyPairs(dir string) bool {
	entries, err := fs.ReadDir(h.Files, within(dir))
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return !slices.Contains([]string{certwatch.FullchainFile, certwatch.PrivkeyFile, certwatch.CombinedFile}, e.Name())
	})
}

// Combined reports whether one file holds both.
func (r Reads) Combined() bool { return r.Cert == r.Key }

// settings reads lines NAME = VALUE, without what lies in sections.
func settings(text []byte) map[string]string {
	out := map[string]string{}
	depth := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasSuffix(line, "{"):
			depth++
		case line == "}":
			depth--
		case depth == 0:
			if name, value, ok := strings.Cut(line, "="); ok {
				out[strings.TrimSpace(name)] = strings.TrimSpace(value)
			}
		}
	}
	return out
}

// ask runs a program of which there is a trace, and notes why it does not answer.
func (h Host) ask(ctx context.Context, note func(string, ...any), program string, argv ...string) ([]byte, bool) {
	out, err := h.Run(ctx, argv...)
	if err == nil {
		return out, true
	}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		err = errors.New("no such program")
	}
	note("%s: its configuration is there, and %s does not tell it: %v", program, strings.Join(argv, " "), cause(err))
	return nil, false
}

// cause is an error without the path, which is said already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
