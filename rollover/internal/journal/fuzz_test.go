package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/bbolt"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
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

// FuzzEntries reads values that are whole by their checksum and hold whatever they hold, as
// those of another version or of a hand: they are read, and saved again as the same, or
// the journal is corrupt.
func FuzzEntries(f *testing.F) {
	seed := groupOf(f, "mx1")
	seed.Offers = map[string][]rollover.Offer{"mx1": {{Chain: idOf(1)}}}
	want, err := seed.entries()
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range want.all {
		f.Add(string(e.bucket), string(e.key), e.value[sumSize:])
	}
	blank := filepath.Join(f.TempDir(), "journal.db")
	made, _ := mustOpen(f, blank)
	if err := made.Close(); err != nil {
		f.Fatal(err)
	}
	empty, err := os.ReadFile(blank)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("events", "mx1\x00s\x00\x00\x00\x00\x00\x00\x00\x01", []byte(`{"at":"2026-01-01T00:00:00Z","lineage":"mx1","event":"swapped","text":"a -> b"}`))
	f.Add("events", "mx1\x00s\xff\xff\xff\xff\xff\xff\xff\xff", []byte(`{"at":"2026-01-01T00:00:00Z"}`))
	f.Add("events", "mx1", []byte("null"))
	f.Add("meta", keyStamp, []byte(`{"wall":"2026-01-01T00:00:00Z"}`))
	f.Add("chains", "00", []byte("null"))
	f.Add("ledgers", "mx1", []byte("{}"))
	f.Fuzz(func(t *testing.T, bucket, key string, text []byte) {
		if key == "" || len(key) > bbolt.MaxKeySize || !slices.ContainsFunc(buckets(), func(b []byte) bool { return string(b) == bucket }) || key == keySchema {
			return
		}
		path := filepath.Join(t.TempDir(), "journal.db")
		if err := os.WriteFile(path, empty, 0o600); err != nil {
			t.Fatal(err)
		}
		j, _, _, err := open(path, time.Second, false)
		if err != nil {
			t.Fatal(err)
		}
		j.db.NoSync = true // nothing of it is to last
		value := binary.BigEndian.AppendUint32(nil, checksum([]byte(bucket), []byte(key), text))
		if err := j.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucket)).Put([]byte(key), append(value, text...)) }); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Events(); err != nil { // one that cannot be read is left out
			t.Error(err)
		}
		if err := j.Note([]rollover.Event{step("", "one", 0), step("mx1", "two", 0)}); err != nil {
			t.Error(err)
		}
		c, err := j.Load()
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || !strings.HasPrefix(err.Error(), "journal "+path+": ") {
				t.Errorf("got %v", err)
			}
			mustClose(t, j)
			return
		}
		state := c.State([]string{"mx1", key}, []tlsa.Owner{owner(hostOf("mx1"))})
		for id, chain := range c.Chains {
			if chain.ID() != id {
				t.Errorf("%s is under %s", chain.ID(), id)
			}
		}
		c.Orphans()
		if !json.Valid([]byte(fmt.Sprintf("%q", key))) || strings.ContainsAny(key, separator) {
			mustClose(t, j) // no lineage's name, see the configuration
			return
		}
		g := Group{Lineages: []string{"mx1", key}, State: state}
		if err := j.Save(g, stampAt(time.Minute)); err != nil {
			mustClose(t, j) // a time that JSON has no form for
			return
		}
		again, err := j.Load()
		if err != nil {
			t.Fatalf("what was read is not read again: %v", err)
		}
		if diff := cmp.Diff(state, again.State(g.Lineages, nil), cmpopts.EquateEmpty(), cmp.Comparer(func(a, b *tlsa.Chain) bool { return a.ID() == b.ID() })); diff != "" && bucket == "lineages" {
			t.Errorf("-read +read again:\n%s", diff)
		}
		mustClose(t, j)
	})
}

func mustClose(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
