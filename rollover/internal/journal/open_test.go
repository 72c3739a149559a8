package journal

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func TestSecondInstance(t *testing.T) {
	path := pathIn(t)
	mustOpen(t, path)
	want := "journal " + path + ": in use by another tlsaroll (hint: ask again when the rollover or once that is at work has ended; a daemon that is not to be reached needs a restart)"
	for name, open := range map[string]func() error{
		"open": func() error { _, _, _, err := Open(path, 200*time.Millisecond); return err },
		"read": func() error { _, err := Read(path, 200*time.Millisecond); return err },
	} {
		begun := time.Now()
		err := open()
		if !errors.Is(err, ErrLocked) || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("%s: it took %s to say so", name, took)
		}
	}
}

func TestReadingLocksNobodyOut(t *testing.T) {
	path := pathIn(t)
	j, _ := mustOpen(t, path)
	mustSave(t, j, groupOf(t, "mx1"), 0)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, time.Second); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, path)
}

func TestNothingToRead(t *testing.T) {
	path := pathIn(t)
	if _, err := Read(path, time.Second); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("reading made something")
	}
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if c, err := Read(path, time.Second); err != nil || len(c.Lineages) > 0 {
		t.Errorf("an empty file: %v, %v", c, err)
	}
	mustOpen(t, path) // a crash came when it had been made and not written
}

func TestModes(t *testing.T) {
	path := pathIn(t)
	mustOpen(t, path)
	for p, want := range map[string]fs.FileMode{filepath.Dir(path): fs.ModeDir | 0o700, path: 0o600} {
		if info, err := os.Stat(p); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", p, info.Mode(), err, want)
		}
	}
}

func TestNewerSchema(t *testing.T) {
	path := pathIn(t)
	j, _ := mustOpen(t, path)
	err := j.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketMeta).Put([]byte(keySchema), []byte(strconv.Itoa(schema+1)))
	})
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("journal %s: written by a newer tlsaroll: schema %d, this program knows %d (hint: run the newer program, or move the file away and every wait starts again)", path, schema+1, schema)
	_, _, aside, err := Open(path, time.Second)
	if !errors.Is(err, ErrNewer) || err.Error() != want || aside != "" {
		t.Errorf("open: %v, moved to %q, want %s", err, aside, want)
	}
	if _, err := Read(path, time.Second); !errors.Is(err, ErrNewer) {
		t.Errorf("read: %v", err)
	}
}

// written is a journal file with a few groups in it.
func written(t *testing.T) []byte {
	t.Helper()
	path := pathIn(t)
	j, _ := mustOpen(t, path)
	for i := range 12 {
		mustSave(t, j, groupOf(t, fmt.Sprintf("mx%d", i)), 0)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCorrupt(t *testing.T) {
	whole := written(t)
	page := os.Getpagesize()
	noise := make([]byte, len(whole))
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	cut := func(n int) []byte { return bytes.Clone(whole[:n]) }
	zeroed := func(from, to int) []byte { return append(append(cut(from), make([]byte, to-from)...), whole[to:]...) }
	long := bytes.Clone(whole)
	for at := 2 * page; at < len(whole); at += page {
		long[at+15] = 0x10 // pages after this one that belong to it
	}
	damage := map[string][]byte{
		"pages that claim to be long":   long,
		"noise":                         noise,
		"a little noise":                noise[:100],
		"text":                          []byte("once upon a time\n"),
		"one page":                      cut(page),
		"both meta pages alone":         cut(2 * page),
		"half":                          cut(len(whole) / 2 / page * page),
		"cut in the middle of a page":   cut(len(whole)/2/page*page + 700),
		"zeroed":                        make([]byte, len(whole)),
		"both meta pages zeroed":        zeroed(0, 2*page),
		"all but the meta pages zeroed": zeroed(2*page, len(whole)),
		"a bit of a value":              bytes.Replace(whole, []byte(`"phase":"published"`), []byte(`"phase":"publishee"`), -1),
		"JSON":                          bytes.Replace(whole, []byte(`"provider":"ns1"`), []byte(`"provider":"ns1}`), -1),
	}
	for name, content := range damage {
		t.Run(name, func(t *testing.T) {
			path := pathIn(t)
			if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path, time.Second)
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "(hint: the next run moves it aside, and every wait starts again)") {
				t.Errorf("read: %v", err)
			}
			j, c, aside, err := Open(path, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if aside != path+".corrupt-1" || len(c.Lineages) > 0 {
				t.Errorf("moved aside to %q, %d lineages are known", aside, len(c.Lineages))
			}
			if kept, err := os.ReadFile(path + ".corrupt-1"); err != nil || !bytes.Equal(kept, content) {
				t.Errorf("what was moved aside is not what it was (%v)", err)
			}
			g := groupOf(t, "mx1")
			mustSave(t, j, g, 0)
			expect(t, "the new journal", g, mustLoad(t, j))
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			_, c = mustOpen(t, path)
			expect(t, "the new journal, opened again", g, c)
		})
	}
}

// TestEveryPageZeroed: whichever page is lost, the journal is either whole or
// known to be corrupt, never a little less than it was.
func TestEveryPageZeroed(t *testing.T) {
	whole := written(t)
	page := os.Getpagesize()
	reference := pathIn(t)
	if err := errors.Join(os.Mkdir(filepath.Dir(reference), 0o700), os.WriteFile(reference, whole, 0o600)); err != nil {
		t.Fatal(err)
	}
	want, err := Read(reference, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	corrupt, dir := 0, t.TempDir()
	for at := 0; at+page <= len(whole); at += page {
		b := bytes.Clone(whole)
		clear(b[at : at+page])
		path := filepath.Join(dir, strconv.Itoa(at))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, c, aside, err := Open(path, time.Second)
		switch {
		case err != nil:
			t.Fatalf("page at %d: %v", at, err)
		case aside != "":
			corrupt++
		case at >= 2*page && (len(c.Lineages) != len(want.Lineages) || len(c.Ledgers) != len(want.Ledgers) || len(c.Chains) != len(want.Chains)):
			t.Errorf("page at %d: %d lineages, %d ledgers, %d chains are left, and nobody is told", at, len(c.Lineages), len(c.Ledgers), len(c.Chains))
		}
	}
	if corrupt == 0 {
		t.Error("no lost page was noticed: the test proved nothing")
	}
}

func TestMovedAsideTwice(t *testing.T) {
	path := pathIn(t)
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ {
		if err := os.WriteFile(path, []byte("damage"), 0o600); err != nil {
			t.Fatal(err)
		}
		j, _, aside, err := Open(path, time.Second)
		if want := fmt.Sprintf("%s.corrupt-%d", path, n); err != nil || aside != want {
			t.Fatalf("moved to %q, %v, want %q", aside, err, want)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOneMovesAside: two that find the same damage must not move each other's
// new journal.
func TestOneMovesAside(t *testing.T) {
	path := pathIn(t)
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("damage"), 0o600)); err != nil {
		t.Fatal(err)
	}
	found, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	other, _, aside, err := Open(path, time.Second) // the other is quicker
	if err != nil || aside == "" {
		t.Fatalf("moved to %q, %v", aside, err)
	}
	defer other.Close()
	if aside, err := moveAside(path, found); aside != "" || !errors.Is(err, ErrLocked) {
		t.Errorf("while the other has it open: moved to %q, %v", aside, err)
	}
	if _, _, aside, err := Open(path, 100*time.Millisecond); aside != "" || !errors.Is(err, ErrLocked) {
		t.Errorf("opening: moved to %q, %v", aside, err)
	}
}

func TestOneMovedAsideAndEnded(t *testing.T) {
	path := pathIn(t)
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("damage"), 0o600)); err != nil {
		t.Fatal(err)
	}
	found, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	j, _, _, err := Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	g := groupOf(t, "mx1")
	mustSave(t, j, g, 0)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if aside, err := moveAside(path, found); aside != "" || err != nil {
		t.Errorf("the other's journal was moved to %q, %v", aside, err)
	}
	_, c := mustOpen(t, path)
	expect(t, "the other's journal", g, c)
}

func TestChecksumCoversThePlace(t *testing.T) {
	e, err := encoded(bucketLineages, "mx1", map[string]int{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	var into map[string]int
	if err := decode(bucketLineages, []byte("mx1"), e.value, &into); err != nil || into["a"] != 1 {
		t.Errorf("%v, %v", into, err)
	}
	for name, err := range map[string]error{
		"another key":    decode(bucketLineages, []byte("mx2"), e.value, &into),
		"another bucket": decode(bucketOffers, []byte("mx1"), e.value, &into),
		"no sum":         decode(bucketLineages, []byte("mx1"), e.value[:2], &into),
		"nothing":        decode(bucketLineages, []byte("mx1"), nil, &into),
	} {
		if !errors.Is(err, errSum) {
			t.Errorf("%s: %v", name, err)
		}
	}
	text := []byte(`{"a":`)
	value := append(binary.BigEndian.AppendUint32(nil, checksum(bucketLineages, []byte("mx1"), text)), text...)
	if err := decode(bucketLineages, []byte("mx1"), value, &into); err == nil || err.Error() != `lineages "mx1": unexpected end of JSON input` {
		t.Errorf("half of a text: %v", err)
	}
}
