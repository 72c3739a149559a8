package notify

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
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
		return fmt.Errorf("not done after %v, killed with all it started%s", timeout, subprocess.Quoted(output))
	}
	return fmt.Errorf("%w%s", err, subprocess.Quoted(output))
}

// execute runs a command as a process, see [subprocess.Command].
func execute(ctx context.Context, argv []string, stdin []byte) ([]byte, error) {
	program, err := lookup(argv[0])
	if err != nil {
		return nil, err
	}
	return subprocess.Command{Program: program, Argv: argv, Path: subprocess.Path, Stdin: stdin}.Run(ctx)
}

// lookup finds a program.
func lookup(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, unix.Access(name, unix.X_OK)
	}
	for _, dir := range filepath.SplitList(subprocess.Path) {
		if path := filepath.Join(dir, name); unix.Access(path, unix.X_OK) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("not found in %s (hint: install it, or write its whole path)", subprocess.Path)
}
