package swap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// commandPath is where commands are looked up, and the PATH they get: not what
// the caller's environment happens to say.
const commandPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const (
	// maxOutput is how much of what a command prints is kept: its end.
	maxOutput = 4 << 10

	// maxQuoted is how much of that an error may quote, in octets.
	maxQuoted = 300

	// pipeGrace is how long a command's output may stay open after its end, as
	// a server that it started may have inherited it.
	pipeGrace = time.Second
)

// run runs one command within the timeout. The error says what was run, how it
// ended and what it said last.
func (h Host) run(ctx context.Context, argv []string, entry string) error {
	limited, cancel := context.WithTimeout(ctx, h.timeout())
	defer cancel()
	run := h.Run
	if run == nil {
		run = func(ctx context.Context, argv []string) ([]byte, error) { return h.execute(ctx, argv, entry) }
	}
	output, err := run(limited, argv)
	name := strings.Join(argv, " ")
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: stopped: %w", name, ctx.Err())
	case limited.Err() != nil:
		return &commandError{fmt.Sprintf("%s: not done after %v, killed with all it started%s (hint: raise timeout, or find out what it waits for)", name, h.timeout(), quoted(output)), ErrTimeout}
	}
	return &commandError{name + ": " + err.Error() + quoted(output), errors.Join(ErrCommand, err)}
}

type commandError struct {
	text string
	kind error
}

func (e *commandError) Error() string { return e.text }
func (e *commandError) Unwrap() error { return e.kind }

// execute starts a command as a process group of its own, with nothing on its
// standard input, in an environment that does not depend on ours, and kills the
// whole group when ctx ends.
func (h Host) execute(ctx context.Context, argv []string, entry string) ([]byte, error) {
	program, err := h.lookup(argv)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, argv[1:]...)
	cmd.Args[0] = argv[0]
	cmd.Dir = "/"
	cmd.Env = []string{
		"PATH=" + h.searchPath(),
		"LC_ALL=C",
		"TLSAROLL_LINEAGE=" + h.Lineage,
		"TLSAROLL_LIVE=" + h.Live,
		"TLSAROLL_ENTRY=" + entry,
	}
	var output tail
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = pipeGrace
	err = cmd.Run()
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // of starting it; which program is said anyway
	}
	if errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		err = nil // it ended well; what it started keeps the pipe
	}
	return output.kept, err
}

func (h Host) searchPath() string {
	if h.search != "" {
		return h.search
	}
	return commandPath
}

// lookup finds the program of a command.
func (h Host) lookup(argv []string) (string, error) {
	if len(argv) == 0 || argv[0] == "" {
		return "", errors.New("an empty command")
	}
	name := argv[0]
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			return "", fmt.Errorf("%q is a relative path (hint: write it whole)", name)
		}
		return name, executable(name)
	}
	for _, dir := range filepath.SplitList(h.searchPath()) {
		if path := filepath.Join(dir, name); executable(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("not found in %s (hint: install it, or write its whole path)", h.searchPath())
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return errors.New(cause(err))
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return errors.New("not a program")
	}
	return unix.Access(path, unix.X_OK)
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
	if bytes.Contains(output, []byte("PRIVATE KEY-----")) {
		return ": (its output holds a private key and is not shown)"
	}
	var lines []string
	for line := range strings.Lines(string(output)) {
		if line = strings.TrimSpace(printable(line)); line != "" {
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

// printable takes out what would move a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
