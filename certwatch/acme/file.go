package acme

import (
	"os"
	"path/filepath"
)

// makeDir makes a directory and those above it, durably.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// The umask may have taken from the mode.
	return first(os.Chmod(dir, 0o700), syncDir(filepath.Dir(dir)), syncDir(filepath.Dir(filepath.Dir(dir))))
}

// writeOver puts a file in the place of another, whole and durably.
func writeOver(path string, content []byte) error {
	return put(path, content, os.Rename)
}

// writeNew is like writeOver where there is no file, else fs.ErrExist.
func writeNew(path string, content []byte) error {
	return put(path, content, os.Link)
}

func put(path string, content []byte, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // no more there after a rename
	_, err = f.Write(content)
	if err := first(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return first(place(f.Name(), path), syncDir(dir))
}

// remove takes a file away, durably.
func remove(path string) error {
	return first(os.Remove(path), syncDir(filepath.Dir(path)))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return first(d.Sync(), d.Close())
}

// first is the first error there is. The others follow from it.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
