// Package subprocess runs the commands that a configuration names: those of a swap
// and those that tell people.
package subprocess

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"
	"time"
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

// Command is one call of a program.
type Command struct {
	Program string   // the path that is executed
	Argv    []string // its arguments, from its own name on
	Env     []string // added to LC_ALL=C and the PATH, which are all it has
	Path    string   // its PATH
	Stdin   []byte   // nil: nothing
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

// A tail keeps the end of what is written to it.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - maxOutput; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(p), nil
}

// Quoted is the last lines of a command's output, as the end of a sentence. A private
// key is never quoted.
func Quoted(output []byte) string {
	if bytes.Contains(output, []byte("PRIVATE KEY-----")) {
		return ": (its output holds a private key and is not shown)"
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
