package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// fileVersion is that of the file's schema.
const fileVersion = 1

// contents is what the file holds.
type contents struct {
	Version int      `json:"version"`
	Told    []entry  `json:"told"`
	Pending []letter `json:"pending"`
}

// A letter is a message on its way to one outlet.
type letter struct {
	To      string    `json:"to"`
	At      time.Time `json:"at"` // when it was written
	Message Message   `json:"message"`
}

// load reads the file; that there is none is no error. One that cannot be used is
// moved aside, and its new name and what is wrong with it are told.
func load(path string) (c contents, aside string, why, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return contents{}, "", nil, nil
	} else if err != nil {
		return contents{}, "", nil, err
	}
	if c, why = parse(text); why == nil {
		return c, "", nil, nil
	}
	aside, err = moveAside(path)
	return contents{}, aside, why, err
}

func parse(text []byte) (c contents, err error) {
	var versioned struct{ Version int }
	if err := json.Unmarshal(text, &versioned); err != nil {
		return c, err
	}
	if versioned.Version != fileVersion {
		return c, fmt.Errorf("its version is %d, and this program knows %d", versioned.Version, fileVersion)
	}
	return c, json.Unmarshal(text, &c)
}

// moveAside gives a file a name that is free.
func moveAside(path string) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.corrupt-%d", path, n)
		_, err := os.Lstat(aside)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return aside, errors.Join(os.Rename(path, aside), syncDir(filepath.Dir(path)))
		case err != nil:
			return "", err
		}
	}
}

// store replaces the file, durably.
func store(path string, told Told, pending []letter) error {
	entries := slices.SortedFunc(maps.Values(told), func(a, b entry) int { return byKey(a.Notice, b.Notice) })
	text, err := json.MarshalIndent(contents{fileVersion, entries, pending}, "", "\t")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := renameio.WriteFile(path, append(text, '\n'), 0o600, renameio.WithTempDir(dir), renameio.WithStaticPermissions(0o600)); err != nil {
		return err
	}
	return syncDir(dir)
}

// sweep removes what a crash left of a store: renameio names it after the file,
// with a dot before and a number behind.
func sweep(path string) error {
	dir, base := filepath.Split(path)
	found, err := os.ReadDir(dir)
	for _, f := range found {
		number, ours := strings.CutPrefix(f.Name(), "."+base)
		if ours && number != "" && strings.Trim(number, "0123456789") == "" {
			err = errors.Join(err, os.Remove(filepath.Join(dir, f.Name())))
		}
	}
	return err
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
