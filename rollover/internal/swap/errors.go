package swap

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// A Step is a part of a switch, in the order of the constants.
type Step string

// The steps of a switch.
const (
	StepLoad    Step = "load"    // the entry was read and checked again
	StepCheck   Step = "check"   // the check commands
	StepInstall Step = "install" // the targets and the live symlink
	StepReload  Step = "reload"  // the reload commands
)

// An Error says where a switch stopped.
type Error struct {
	Lineage string
	Step    Step
	// Switched reports whether the new pair is in place: only the reload failed.
	Switched bool
	// Mixed are the paths that may still hold the new pair although the switch
	// was undone, because undoing failed there, too.
	Mixed []string
	Err   error
}

func (e *Error) Error() string {
	s := e.Lineage + ": " + string(e.Step) + ": " + e.Err.Error()
	if len(e.Mixed) > 0 {
		s += "; could not be put back: " + strings.Join(e.Mixed, ", ")
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// What can be wrong, for errors.Is, besides the operating system's errors.
var (
	ErrEntry   = errors.New("unusable entry")          // the pair to install does not check
	ErrTarget  = errors.New("unusable install target") // a target cannot be what it should be
	ErrCommand = errors.New("command failed")          // or was not found
	ErrTimeout = errors.New("command took too long")   // and was killed
)

// A FileError says what is wrong with a path and what to do.
type FileError struct {
	Path, Problem string
	Hint          string // may be empty
	Kind          error  // one of the sentinels or an error of the operating system; not printed
}

func (e *FileError) Error() string { return e.Path + ": " + e.Problem + hinted(e.Hint) }

func (e *FileError) Unwrap() error { return e.Kind }

func hinted(hint string) string {
	if hint == "" {
		return ""
	}
	return " (hint: " + hint + ")"
}

// failed makes a sentence of an operating system's error about a path.
func failed(path string, err error) error {
	var known *FileError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &FileError{path, cause(err), diskHint(err), err}
}

// cause is the operating system's word without paths: those are temporary ones.
func cause(err error) string {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &link):
		return link.Err.Error()
	}
	return err.Error()
}

func diskHint(err error) string {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return "make room"
	case errors.Is(err, unix.EROFS):
		return "is it mounted read-only, or missing from the unit's ReadWritePaths=?"
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EXDEV):
		return "it is a mount point, which no rename can replace; mount the directory above it"
	case errors.Is(err, fs.ErrPermission):
		return "run tlsaroll as root, or let its user write there"
	case errors.Is(err, fs.ErrNotExist):
		return "make the directory first"
	}
	return ""
}

// several errors are one sentence.
type several []error

func (s several) Error() string {
	texts := make([]string, len(s))
	for i, err := range s {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (s several) Unwrap() []error { return s }

// first is the first error there is. The others follow from it.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
