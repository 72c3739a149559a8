// Package subprocess runs the commands that a configuration names: those of a swap, those
// that tell people, and those that change a zone.
package subprocess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Path is where commands are looked up, and the PATH they get: not what our
// environment happens to say.
const Path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// MaxQuoted is how much of what a command printed an error may quote, in octets.
const MaxQuoted = 300

const (
	// maxOutput is how much of what a command prints is kept: its end.
	maxOutput = 4 << 10

	// pipeGrace is how long a command's output may stay open after its end, as
	// a server that it started may have inherited it.
	pipeGrace = time.Second
)

// Find returns the path of the program of that name: the name itself where it is an absolute
// path, else the first in [Path].
func Find(name string) (program string, err error) {
	switch {
	case name == "":
		return "", errors.New("an empty command")
	case filepath.IsAbs(name):
		return name, executable(name)
	case strings.Contains(name, "/"):
		return "", fmt.Errorf("%q is a relative path (hint: write it whole)", name)
	}
	for _, dir := range filepath.SplitList(Path) {
		if path := filepath.Join(dir, name); executable(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("not found in %s (hint: install it, or write its whole path)", Path)
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = failed.Err // the path is said anyway
		}
		return err
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return errors.New("not a program")
	}
	return unix.Access(path, unix.X_OK)
}

// Command is one call of a program.
type Command struct {
	Program string   // the path that is executed
	Argv    []string // its arguments, from its own name on
	Env     []string // added to LC_ALL=C and the PATH, which are all it has
	Path    string   // its PATH
	Stdin   []byte   // nil: nothing

	// Stdout takes what the command prints there. Nil: its end is kept, together with that
	// of what it prints to its standard error.
	Stdout io.Writer
}

// Run starts a command as a process group of its own, in an environment that does not
// depend on ours, and kills the whole group when ctx ends. It gives the end of what the
// command printed; the error is how it ended, without its name.
func (c Command) Run(ctx context.Context) (output []byte, err error) {
	cmd := exec.CommandContext(ctx, c.Program, c.Argv[1:]...)
	cmd.Args[0] = c.Argv[0]
	cmd.Dir = "/"
	cmd.Env = append([]string{"PATH=" + c.Path, "LC_ALL=C"}, c.Env...)
	if c.Stdin != nil {
		cmd.Stdin = bytes.NewReader(c.Stdin)
	}
	var end tail
	cmd.Stdout, cmd.Stderr = &end, &end
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = pipeGrace
	err = cmd.Run()
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err // of starting it; which program is said anyway
	}
	if errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		err = nil // it ended well; what it started keeps the pipe
	}
	return end.kept, err
}

// A tail keeps the end of what is written to it, and nothing once a private key
// was written: its beginning, by which it is known, may be long gone from the end.
type tail struct {
	kept   []byte
	secret bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if t.secret = t.secret || holdsKey(t.kept); t.secret {
		t.kept = append(t.kept[:0], withheld...)
		return len(p), nil
	}
	if extra := len(t.kept) - maxOutput; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(p), nil
}

const withheld = "(its output holds a private key and is not shown)"

// holdsKey finds a key in PEM, and one in OpenSSL's words.
func holdsKey(output []byte) bool {
	return bytes.Contains(output, []byte("PRIVATE KEY-----")) || bytes.Contains(output, []byte("Private-Key:"))
}

// minPart is how long a part of a line of PEM must be to be one by no accident.
const minPart = 16

// quotes reports whether an output has a part of a private key, given in PEM.
func quotes(output, private []byte) bool {
	for line := range bytes.Lines(private) {
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte("-----")) {
			continue
		}
		for ; len(line) >= minPart; line = line[minPart/2:] {
			if bytes.Contains(output, line[:minPart]) {
				return true
			}
		}
	}
	return false
}

// Quoted is the last lines of a command's output, as the end of a sentence. A private
// key is never quoted, and no part of one of those that are given in PEM.
func Quoted(output []byte, private ...[]byte) string {
	if holdsKey(output) || slices.ContainsFunc(private, func(key []byte) bool { return quotes(output, key) }) {
		return ": " + withheld
	}
	var lines []string
	for line := range strings.Lines(string(output)) {
		if line = Printable(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	text := strings.Join(lines[max(0, len(lines)-3):], "; ")
	if len(text) > MaxQuoted {
		text = "…" + strings.ToValidUTF8(text[len(text)-MaxQuoted:], "")
	}
	return ": " + text
}

// Printable is a text as one line without what would move a terminal's cursor or end
// a mail's header.
func Printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?")))
}
