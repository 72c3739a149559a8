package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
)

// schema is the version of what stands in the file. A newer one is refused.
const schema = 1

// Open opens the journal for writing, making it where there is none, and reads
// it. It waits for its lock no longer than the timeout. A corrupt file is moved
// aside, to the new name that is returned; the journal is empty then.
func Open(path string, timeout time.Duration) (j *Journal, c Contents, aside string, err error) {
	if err := makeDir(filepath.Dir(path)); err != nil {
		return nil, Contents{}, "", fmt.Errorf("journal %s: %w%s", path, cause(err), hint(err))
	}
	if err := private(filepath.Dir(path)); err != nil {
		return nil, Contents{}, "", fmt.Errorf("journal %s: %w", path, err)
	}
	for {
		var found os.FileInfo
		j, c, found, err = open(path, timeout, false)
		if err == nil {
			break
		}
		if !errors.Is(err, ErrCorrupt) {
			return nil, Contents{}, aside, err
		}
		moved, asideErr := moveAside(path, found)
		if asideErr != nil {
			return nil, Contents{}, "", fmt.Errorf("%w; moving it aside: %w", err, asideErr)
		}
		if moved != "" {
			aside = moved
		}
	}
	failpoint.Here("journal: opened, its name not synced")
	// bbolt syncs the file, not the name that it made
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, Contents{}, aside, errors.Join(j.failed(err), j.Close())
	}
	return j, c, aside, nil
}

// Read reads a journal and lets it go at once, so that looking locks nobody out.
// It fails with [ErrLocked] while a writer has it, and with [fs.ErrNotExist] where
// there is none. A corrupt file is left where it is.
func Read(path string, timeout time.Duration) (Contents, error) {
	j, c, err := look(path, timeout)
	if err != nil || j == nil {
		return Contents{}, err
	}
	return c, j.Close()
}

// look opens a journal for reading. It gives none for one that nothing stands in yet.
func look(path string, timeout time.Duration) (*Journal, Contents, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, Contents{}, fmt.Errorf("journal: %w", err)
	case info.Size() == 0:
		return nil, Contents{}, nil // made a moment ago by somebody who is about to write it
	}
	j, c, _, err := open(path, timeout, true)
	if errors.Is(err, ErrCorrupt) {
		err = fmt.Errorf("%w (hint: the next run moves it aside, and every wait starts again)", err)
	}
	return j, c, err
}

// open also says which file it found.
func open(path string, timeout time.Duration, readOnly bool) (j *Journal, c Contents, found os.FileInfo, err error) {
	var file *os.File
	options := &bbolt.Options{Timeout: timeout, ReadOnly: readOnly, FreelistType: bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			if file, err = os.OpenFile(name, flag, mode); err == nil {
				found, err = file.Stat()
			}
			return file, err
		}}
	// A file that was cut short faults where it ends, and bbolt panics on some
	// damaged pages instead of returning an error.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			j, c, err = nil, Contents{}, fmt.Errorf("journal %s: %w: %v", path, ErrCorrupt, p)
		}
		if err != nil && file != nil {
			// bbolt has done both, but not after a panic. Its mapping is lost then, and
			// keeps the lock unless that is given up.
			_ = unix.Flock(int(file.Fd()), unix.LOCK_UN)
			_ = file.Close()
		}
	}()
	db, err := bbolt.Open(path, 0o600, options)
	if err != nil {
		return nil, Contents{}, found, openError(path, found, err)
	}
	db.MaxBatchDelay = together
	j = &Journal{path: path, file: found, db: db}
	if err = j.prepare(readOnly); err == nil {
		c, err = j.Load()
	}
	if err == nil && !readOnly {
		err = j.check() // after all was read: what cannot be read faults there, and cannot be caught
	}
	if err != nil {
		_ = db.Close() // the error that counts is the first
		return nil, Contents{}, found, err
	}
	return j, c, found, nil
}

func openError(path string, found os.FileInfo, err error) error {
	corrupt := found != nil && found.Size() > 0 && found.Size() < int64(2*os.Getpagesize()) // no room for bbolt's two meta pages
	for _, damage := range []error{bolterrors.ErrInvalid, bolterrors.ErrChecksum, bolterrors.ErrVersionMismatch, bolterrors.ErrInvalidMapping} {
		corrupt = corrupt || errors.Is(err, damage)
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("journal %s: %w (hint: ask again when the rollover or once that is at work has ended; a daemon that is not to be reached needs a restart)", path, ErrLocked)
	case corrupt:
		return fmt.Errorf("journal %s: %w: %w", path, ErrCorrupt, err)
	}
	return fmt.Errorf("journal %s: %w%s", path, cause(err), hint(err))
}

// cause is the operating system's word without the path, which stands before it.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// prepare checks the schema, and makes what a new file lacks, or one of an older program.
func (j *Journal) prepare(readOnly bool) error {
	lacking := false
	err := j.db.View(func(tx *bbolt.Tx) error {
		for _, name := range newBuckets() {
			lacking = lacking || tx.Bucket(name) == nil
		}
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return nil
		}
		found, err := strconv.Atoi(string(meta.Get([]byte(keySchema))))
		switch {
		case err != nil:
			return fmt.Errorf("journal %s: %w: no schema version", j.path, ErrCorrupt)
		case found > schema:
			return fmt.Errorf("journal %s: %w: schema %d, this program knows %d (hint: run the newer program, or move the file away and every wait starts again)", j.path, ErrNewer, found, schema)
		}
		for _, name := range oldBuckets() {
			if tx.Bucket(name) == nil {
				return fmt.Errorf("journal %s: %w: no bucket %s", j.path, ErrCorrupt, name)
			}
		}
		return nil
	})
	if err != nil || !lacking || readOnly {
		return err
	}
	err = j.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put([]byte(keySchema), []byte(strconv.Itoa(schema)))
	})
	if err != nil {
		return j.failed(err)
	}
	return nil
}

// check asks whether the pages fit together. To write into a file whose free pages
// are not free would damage it for good.
func (j *Journal) check() error {
	return j.db.View(func(tx *bbolt.Tx) error {
		// bbolt's own check counts up to whatever length a page claims to have
		damage := pagesOverlap(tx)
		if damage == nil {
			for err := range tx.Check() {
				damage = first(damage, err)
			}
		}
		if damage != nil {
			return fmt.Errorf("journal %s: %w: %w", j.path, ErrCorrupt, damage)
		}
		return nil
	})
}

// pagesOverlap walks over the file from page to page, and finds one that claims to
// be longer than the file.
func pagesOverlap(tx *bbolt.Tx) error {
	pages := int(tx.Size() / int64(tx.DB().Info().PageSize))
	for id := 0; id < pages; id++ {
		page, err := tx.Page(id)
		switch {
		case err != nil:
			return err
		case page.Type == "free":
		case page.OverflowCount >= pages-id:
			return fmt.Errorf("page %d: longer than the file", id)
		default:
			id += page.OverflowCount
		}
	}
	return nil
}
