package certwatch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// DefaultQuiet is how long files must have been left alone.
	DefaultQuiet = 5 * time.Second

	// maxFile is the largest file that is read, in octets. OpenSSL's clients
	// refuse chains above 100 KiB of DER; with text around them a file of a
	// megabyte is still no certificate file.
	maxFile = 1 << 20

	// maxAhead is how far a file's time may lie before our clock and still be
	// taken at its word, as on a network file system. Further ahead it says
	// nothing about the file's age.
	maxAhead = time.Minute
)

// A Reader reads pairs that somebody else writes at any moment.
type Reader struct {
	// Quiet is how long the files must have been left alone, see [DefaultQuiet].
	// Zero takes them as they are: a hook runs when its files are written.
	Quiet time.Duration
	// Now is the clock; it is needed unless Quiet is zero.
	Now func() time.Time
}

// Load reads a pair as it is, see [Reader.Load] with no quiet time.
func Load(f Files, spare ...PrivateKey) (Pair, error) { return Reader{}.Load(f, spare...) }

// Load reads and checks a pair. A file that was changed within Quiet, or while
// it was read, or that is gone from a directory changed within Quiet, is an
// [UnsettledError]; what else may be wrong is an [Error] of one of the package's
// sentinels or of the operating system's.
//
// Where the one file holds no key, as after an order with a certificate request, the
// first spare key that fits a certificate in it is the pair's.
func (r Reader) Load(f Files, spare ...PrivateKey) (Pair, error) {
	if f.Cert == "" {
		return Pair{}, &Error{"certificate", "no path given", "", fs.ErrInvalid}
	}
	sources, modes, findings, err := r.sources(f.paths())
	if err != nil {
		return Pair{}, err
	}
	p, err := pairOf(sources[0], sources[len(sources)-1], spare)
	if err != nil {
		return Pair{}, err
	}
	exposed, err := permissions(sources, modes)
	if err != nil {
		return Pair{}, err
	}
	findings = append(findings, exposed...)
	p.Findings = append(findings, p.Findings...)
	return p, nil
}

// sources reads files that belong together: none of them was changed within Quiet,
// nor while they were read.
func (r Reader) sources(paths []string) (sources []*source, modes []fs.FileMode, findings []Finding, err error) {
	before := make([][]stamp, len(paths))
	for i, path := range paths {
		if before[i], err = stamps(path); err != nil {
			return nil, nil, nil, r.unreadable(path, err)
		}
		future, err := r.settled(path, before[i])
		if err != nil {
			return nil, nil, nil, err
		}
		findings = append(findings, future...)
	}
	for i, path := range paths {
		data, mode, err := r.read(path, before[i])
		if err != nil {
			return nil, nil, nil, err
		}
		sources, modes = append(sources, &source{name: path, data: data}), append(modes, mode)
	}
	for i, path := range paths {
		if after, err := stamps(path); err != nil || !slices.Equal(before[i], after) {
			return nil, nil, nil, r.changing(path)
		}
	}
	return sources, modes, findings, nil
}

// settled returns an error if one of the stamps is younger than Quiet.
func (r Reader) settled(path string, seen []stamp) ([]Finding, error) {
	if r.Quiet <= 0 {
		return nil, nil
	}
	now := r.Now()
	var findings []Finding
	for _, s := range seen {
		changed := s.changed()
		if changed.After(now.Add(maxAhead)) {
			findings = []Finding{{CodeFuture, Warning, fmt.Sprintf("%s: changed at %s by the file's time, which is in the future, so that nothing says whether it is still being written (hint: is the clock right?)",
				path, stampText(changed))}}
			continue
		}
		if until := changed.Add(r.Quiet); now.Before(until) {
			return nil, &UnsettledError{path, until, "changed at " + stampText(changed)}
		}
	}
	return findings, nil
}

func (r Reader) changing(path string) error {
	e := &UnsettledError{Path: path, Cause: "changed while it was read"}
	if r.Quiet > 0 {
		e.Until = r.Now().Add(r.Quiet)
	}
	return e
}

// unreadable makes a sentence of a file that cannot be found or opened. Clients
// that unlink a file before they write the next leave a gap.
func (r Reader) unreadable(path string, err error) error {
	at, problem := pathOf(err), cause(err)
	if at != "" && at != path {
		problem = at + ": " + problem
	}
	if errors.Is(err, fs.ErrNotExist) && r.Quiet > 0 {
		now, changed := r.Now(), directoryChanged(at)
		if until := changed.Add(r.Quiet); now.Before(until) && !changed.After(now.Add(maxAhead)) {
			return &UnsettledError{path, until, "gone from a directory that was changed at " + stampText(changed)}
		}
	}
	return &Error{path, problem, openHint(at, err), err}
}

func openHint(at string, err error) string {
	switch near := beside(at); {
	case errors.Is(err, fs.ErrNotExist) && near != "":
		return "is " + near + " meant, which is there?"
	case errors.Is(err, fs.ErrNotExist):
		return "has the ACME client issued a certificate yet? is the path right?"
	case errors.Is(err, fs.ErrPermission):
		return "the user that tlsaroll runs as must be able to read it"
	}
	return ""
}

// renamed are the names that clients give to the next certificate for a name that is
// taken: certbot to one for other hosts, acme.sh to one with an ECDSA key.
var renamed = regexp.MustCompile(`^(-[0-9]{4}|_ecc)$`)

// beside is the newest of the names that a client may have taken for one that is missing.
func beside(missing string) (path string) {
	entries, err := os.ReadDir(filepath.Dir(missing))
	if err != nil {
		return ""
	}
	for _, e := range entries { // in order of their names
		if rest, ok := strings.CutPrefix(e.Name(), filepath.Base(missing)); ok && renamed.MatchString(rest) {
			path = filepath.Join(filepath.Dir(missing), e.Name())
		}
	}
	return path
}

// read returns the content and mode of the file that the last stamp is of.
func (r Reader) read(path string, seen []stamp) ([]byte, fs.FileMode, error) {
	want := seen[len(seen)-1]
	if kind := want.kind(); kind != "" {
		return nil, 0, &Error{path, "a " + kind + ", want a file", "", ErrNotRegular}
	}
	// Without O_NONBLOCK, opening a pipe that took the file's place would wait
	// for somebody to write to it.
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, r.unreadable(path, err)
	}
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return nil, 0, r.unreadable(path, err)
	}
	if stampOf(want.path, &st) != want {
		return nil, 0, r.changing(path)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, 0, r.unreadable(path, err)
	}
	if len(data) > maxFile {
		return nil, 0, &Error{path, fmt.Sprintf("larger than %d octets", maxFile), "is this a certificate file?", ErrTooLarge}
	}
	return data, fs.FileMode(st.Mode) & fs.ModePerm, nil
}

// permissions judges the modes of files by what is in them, which was parsed.
func permissions(sources []*source, modes []fs.FileMode) ([]Finding, error) {
	var findings []Finding
	for i, s := range sources {
		found, err := permission(s, modes[i])
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	return findings, nil
}

func permission(s *source, perm fs.FileMode) ([]Finding, error) {
	switch {
	case len(s.keys) > 0 && perm&0o007 != 0:
		return nil, &Error{s.name, fmt.Sprintf("mode %04o opens the private key to everybody on this host", perm),
			"chmod 600 " + s.name + "; if others had access, issue with a new key", ErrExposed}
	case len(s.keys) > 0 && perm&0o070 != 0:
		return []Finding{{CodeGroupReadable, Warning, fmt.Sprintf("%s: mode %04o opens the private key to the file's group (hint: chmod 600 %s, unless a server needs it)", s.name, perm, s.name)}}, nil
	case perm&0o002 != 0:
		return []Finding{{CodeWritable, Warning, fmt.Sprintf("%s: mode %04o lets everybody on this host change the certificate (hint: chmod 644 %s)", s.name, perm, s.name)}}, nil
	}
	return nil, nil
}
