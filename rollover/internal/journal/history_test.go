package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func step(lineage, text string, at time.Duration) rollover.Event {
	return rollover.Event{At: epoch.Add(at), Lineage: lineage, Kind: rollover.Swapped, Text: text}
}

func warned(lineage, text string, at time.Duration) rollover.Event {
	return rollover.Event{At: epoch.Add(at), Lineage: lineage, Kind: rollover.Warned, Text: text}
}

// remembered are the texts of events, in order.
func remembered(t *testing.T, j *Journal, lineages ...string) (texts []string) {
	t.Helper()
	events, err := j.Events(lineages...)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		texts = append(texts, e.Text)
	}
	return texts
}

func mustNote(t *testing.T, j *Journal, events ...rollover.Event) {
	t.Helper()
	if err := j.Note(events); err != nil {
		t.Fatal(err)
	}
}

// TestEventsAreKeptWithTheirState: in one transaction, even where the state is as it was;
// and over a restart.
func TestEventsAreKeptWithTheirState(t *testing.T) {
	path := pathIn(t)
	j, _ := mustOpen(t, path)
	g := groupOf(t, "mx1")
	g.Events = []rollover.Event{step("mx1", "one", 0), warned("mx1", "two", 0)}
	mustSave(t, j, g, time.Hour)
	g.Events = []rollover.Event{step("mx1", "three", time.Minute)}
	mustSave(t, j, g, time.Hour)
	mustNote(t, j, step("", "four", 2*time.Minute), step("mx", "five", 3*time.Minute))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := ReadEvents(path, time.Second)
	if err != nil || len(all) != 5 {
		t.Errorf("read alone: %v, %v", all, err)
	}
	j, c := mustOpen(t, path)
	expect(t, "beside events", g, c)
	for _, test := range []struct{ of, want []string }{
		{nil, []string{"one", "two", "three", "four", "five"}},
		{[]string{"mx1"}, []string{"one", "two", "three"}},
		{[]string{"mx"}, []string{"five"}},
		{[]string{"mx", ""}, []string{"four", "five"}},
		{[]string{"mx2"}, nil},
	} {
		if diff := cmp.Diff(test.want, remembered(t, j, test.of...)); diff != "" {
			t.Errorf("of %q: %s", test.of, diff)
		}
	}
}

// TestHistoryIsBounded: by number, with warnings apart, and by age.
func TestHistoryIsBounded(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	j.db.NoSync = true
	var many []rollover.Event
	for i := range 2 * stepsKept {
		many = append(many, warned("mx1", fmt.Sprint("w", i), time.Duration(i)*time.Second))
	}
	mustNote(t, j, step("mx1", "the swap", 0))
	mustNote(t, j, many...)
	got := remembered(t, j, "mx1")
	if len(got) != 1+warningsKept || got[0] != "the swap" || got[1] != fmt.Sprint("w", 2*stepsKept-warningsKept) {
		t.Errorf("%d events, first %s, %s", len(got), got[0], got[1])
	}
	for i := range many {
		many[i] = step("mx2", fmt.Sprint("s", i), time.Duration(i)*time.Second)
	}
	mustNote(t, j, many...)
	if got := remembered(t, j, "mx2"); len(got) != stepsKept || got[0] != fmt.Sprint("s", stepsKept) {
		t.Errorf("%d events, first %s", len(got), got[0])
	}

	for range warningsKept { // of a lineage of which no more comes: with each start of the program some leave
		mustNote(t, j, step("", "start", kept+time.Hour))
	}
	mustNote(t, j, step("mx2", "much later", kept+time.Hour))
	if got := remembered(t, j, "mx1"); len(got) != 0 {
		t.Errorf("%d events of more than a year ago: %s", len(got), got[0])
	}
	if got := remembered(t, j, ""); len(got) != warningsKept {
		t.Errorf("%d starts", len(got))
	}
}

// TestClockAheadCostsLittle: one that is years ahead for a moment takes no more than a few
// events with it.
func TestClockAheadCostsLittle(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	for i := range 20 {
		mustNote(t, j, step("mx1", fmt.Sprint(i), time.Duration(i)*time.Hour))
	}
	mustNote(t, j, step("mx1", "ahead", 10*kept))
	mustNote(t, j, step("mx1", "back", 21*time.Hour))
	got := remembered(t, j, "mx1")
	want := []string{}
	for i := agedOut; i < 20; i++ {
		want = append(want, fmt.Sprint(i))
	}
	if want = append(want, "back", "ahead"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDamagedEventIsLeftOut: and makes no wait start again.
func TestDamagedEventIsLeftOut(t *testing.T) {
	path := pathIn(t)
	j, _ := mustOpen(t, path)
	g := groupOf(t, "mx1")
	g.Events = []rollover.Event{step("mx1", "one", 0), step("mx1", "two", 1), step("mx1", "three", 2)}
	mustSave(t, j, g, time.Hour)
	err := j.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketEvents)
		return errors.Join(
			b.Put(binary.BigEndian.AppendUint64([]byte("mx1\x00s"), 2), []byte("no event")),
			b.Put([]byte("mx1"), []byte("{}")), b.Put([]byte("mx1\x00"), nil), b.Put([]byte("mx1\x00s"), nil), b.Put([]byte("mx9\x00sxx"), nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	mustNote(t, j, step("", "start", 3), step("mx1", "four", 4))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, c := mustOpen(t, path)
	expect(t, "beside a damaged event", g, c)
	if diff := cmp.Diff([]string{"one", "three", "four"}, remembered(t, j, "mx1")); diff != "" {
		t.Error(diff)
	}
}

// TestJournalOfBeforeEvents: what a program wrote that knew of none is read, and taken on.
func TestJournalOfBeforeEvents(t *testing.T) {
	path := pathIn(t)
	j, _ := mustOpen(t, path)
	mustSave(t, j, groupOf(t, "mx1"), time.Hour)
	if err := j.db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket(bucketEvents) }); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if events, err := ReadEvents(path, time.Second, "mx1"); err != nil || len(events) != 0 {
		t.Fatalf("read: %v, %v", events, err)
	}
	j, _ = mustOpen(t, path)
	mustNote(t, j, step("mx1", "one", 0))
	if got := remembered(t, j); len(got) != 1 {
		t.Errorf("got %q", got)
	}
	if _, err := ReadEvents(filepath.Join(t.TempDir(), "journal.db"), time.Second); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no journal: %v", err)
	}
}
