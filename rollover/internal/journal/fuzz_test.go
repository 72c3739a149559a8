package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzOpen damages a journal: it is then read, or known to be corrupt and moved
// aside, and a new one can be written.
func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "journal.db")
	j, _ := mustOpen(f, path)
	for _, name := range []string{"mx1", "mx2", "mx3"} {
		mustSave(f, j, groupOf(f, name), 0)
	}
	if err := j.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint(0), uint(0), []byte("\x00"))
	f.Add(uint(os.Getpagesize()*2), uint(os.Getpagesize()*3), []byte("\xff\xff"))
	f.Add(uint(os.Getpagesize()*3+8), uint(0), []byte("\x02"))
	g := groupOf(f, "mx9")
	f.Fuzz(func(t *testing.T, at, cut uint, patch []byte) {
		damaged := append([]byte(nil), whole...)
		for i, b := range patch {
			damaged[(int(at%uint(len(damaged)))+i)%len(damaged)] ^= b
		}
		if cut > 0 {
			damaged = damaged[:cut%uint(len(damaged))]
		}
		path := filepath.Join(t.TempDir(), "journal.db")
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		j, _, aside, err := Open(path, time.Second)
		if errors.Is(err, ErrNewer) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path + ".corrupt-1"); (err == nil) != (aside != "") {
			t.Errorf("moved aside to %q: %v", aside, err)
		}
		mustSave(t, j, g, time.Minute)
		expect(t, "a journal that was taken for good, or a new one", g, mustLoad(t, j))
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}
