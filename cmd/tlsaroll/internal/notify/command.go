package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// commandPath is where commands are looked up, and the PATH they get, as for those
// of a swap: not what our environment happens to say.
const commandPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const (
	maxOutput = 4 << 10     // of what a command prints, its end
	maxQuoted = 300         // octets of that, in an error
	pipeGrace = time.Second // for output that what it started still holds open
)

// run runs a command, see [Config].
type run func(ctx context.Context, argv []string, stdin []byte) ([]byte, error)

// command tells by running a program with the message on its standard input.
type command struct {
	argv []string
	run  run
}

func (c command) send(ctx context.Context, batch []letter) error {
	for _, l := range batch {
		text, err := l.Message.line()
		if err != nil {
			return err
		}
		if err := c.run.quoting(ctx, c.argv, text); err != nil {
			return err
		}
	}
	return nil
}

// quoting runs a command; the error says how it ended and what it said last.
func (r run) quoting(ctx context.Context, argv []string, stdin []byte) error {
	output, err := r(ctx, argv, stdin)
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("not done after %v, killed with all it started%s", timeout, quoted(output))
	}
	return fmt.Errorf("%w%s", err, quoted(output))
}

// execute starts a command as a process group of its own, in an environment that
// does not depend on ours, and kills the whole group when ctx ends.
func execute(ctx context.Context, argv []string, stdin []byte) ([]byte, error) {
	program, err := lookup(argv[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, argv[1:]...)
	cmd.Args[0] = argv[0]
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + commandPath, "LC_ALL=C"}
	cmd.Stdin = bytes.NewReader(stdin)
	var output tail
	cmd.Stdout, cmd.Stderr = &output, &output
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
	return output.kept, err
}

// lookup finds a program.
func lookup(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, unix.Access(name, unix.X_OK)
	}
	for _, dir := range filepath.SplitList(commandPath) {
		if path := filepath.Join(dir, name); unix.Access(path, unix.X_OK) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("not found in %s (hint: install it, or write its whole path)", commandPath)
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

// quoted is the last lines of a command's output, as the end of a sentence.
func quoted(output []byte) string {
	var lines []string
	for line := range strings.Lines(string(output)) {
		if line = printable(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	text := strings.Join(lines[max(0, len(lines)-3):], "; ")
	if len(text) > maxQuoted {
		text = "…" + strings.ToValidUTF8(text[len(text)-maxQuoted:], "")
	}
	return ": " + text
}

// printable is a text as one line without what would move a terminal's cursor or
// end a header.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?")))
}
