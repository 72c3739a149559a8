package swap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
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
	}
	said := subprocess.Quoted(output, keysIn(entry, h.Live)...)
	if limited.Err() != nil {
		return &commandError{fmt.Sprintf("%s: not done after %v, killed with all it started%s (hint: raise timeout, or find out what it waits for)", name, h.timeout(), said), ErrTimeout}
	}
	return &commandError{name + ": " + err.Error() + said, errors.Join(ErrCommand, err)}
}

// keysIn are the keys of entries, in PEM: a command that was to read them may have
// printed a part of one. Where there is none there is none to be printed.
func keysIn(dirs ...string) (keys [][]byte) {
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		if key, err := readSmall(filepath.Join(dir, privkeyFile)); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

type commandError struct {
	text string
	kind error
}

func (e *commandError) Error() string { return e.text }
func (e *commandError) Unwrap() error { return e.kind }

// execute runs a command with nothing on its standard input, see [subprocess.Command].
func (h Host) execute(ctx context.Context, argv []string, entry string) ([]byte, error) {
	program, err := h.lookup(argv)
	if err != nil {
		return nil, err
	}
	env := []string{"TLSAROLL_LINEAGE=" + h.Lineage, "TLSAROLL_LIVE=" + h.Live, "TLSAROLL_ENTRY=" + entry}
	return subprocess.Command{Program: program, Argv: argv, Path: h.searchPath(), Env: env}.Run(ctx)
}

func (h Host) searchPath() string {
	if h.search != "" {
		return h.search
	}
	return subprocess.Path
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
