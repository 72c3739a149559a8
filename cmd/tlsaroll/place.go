package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// place is where a file is to be written.
type place struct {
	name  string
	there fs.FileInfo // what is there already; nil: nothing
}

// placeOf finds out what is at a name. A file behind a link is what is meant, not the link.
// One that standard output goes to would be lost, or what was printed would.
func placeOf(name string, stdout io.Writer) (place, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(name); err == nil {
			return place{}, errors.New("a link that leads nowhere (hint: remove it, or make what it leads to)")
		}
		return place{name: name}, nil
	case err != nil:
		return place{}, err
	case info.IsDir():
		return place{}, errors.New("is a directory")
	case !info.Mode().IsRegular():
		return place{name, info}, nil
	}
	if f, ok := stdout.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if out, err := f.Stat(); err == nil && os.SameFile(info, out) {
			return place{}, errors.New("standard output goes there (hint: write - for standard output)")
		}
	}
	behind, err := filepath.EvalSymlinks(name)
	return place{behind, info}, err
}

// special reports whether it is no file, as with a pipe: that is written to as it is.
func (p place) special() bool { return p.there != nil && !p.there.Mode().IsRegular() }

// open begins a file that is to stand there, with the mode and, as far as this process may
// give it away, the owner of what does.
func (p place) open() (*renameio.PendingFile, error) {
	mode := fs.FileMode(0o600)
	if p.there != nil {
		mode = p.there.Mode().Perm()
	}
	file, err := renameio.NewPendingFile(p.name, renameio.WithTempDir(filepath.Dir(p.name)), renameio.WithStaticPermissions(mode))
	if err != nil || p.there == nil {
		return file, err
	}
	if was, ok := p.there.Sys().(*syscall.Stat_t); ok {
		_ = file.Chown(int(was.Uid), int(was.Gid))
		err = file.Chmod(mode) // chown takes bits away
	}
	if err != nil {
		return nil, errors.Join(err, file.Cleanup())
	}
	return file, nil
}

// try makes sure that a file can be written there, and leaves nothing.
func (p place) try() error {
	if p.special() {
		return nil // to open a pipe is to wait for its reader
	}
	file, err := p.open()
	if err != nil {
		return err
	}
	return file.Cleanup()
}

// write writes a file whole or not at all.
func (p place) write(content []byte) error {
	if p.special() {
		f, err := os.OpenFile(p.name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(content)
		return errors.Join(err, f.Close())
	}
	file, err := p.open()
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.CloseAtomicallyReplace()
	}
	if err != nil {
		return errors.Join(err, file.Cleanup())
	}
	return nil
}
