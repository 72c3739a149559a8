package notify

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad reads a file of what people were told: it is used, and comes back as the
// same, or it is moved aside as it was and nothing of it is used.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"version":1,"told":[{"lineage":"mx1","code":"frozen","severity":"warning","text":"x","at":"2026-01-01T00:00:00Z"}],"pending":[{"to":"mail","at":"2026-01-01T00:00:00Z","message":{"event":"new"}}]}`))
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"version":1,"told":[{"at":"never"}]}`))
	f.Add([]byte(`{"version":1,"told":null`))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "told.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, aside, why, err := load(path)
		if err != nil {
			t.Fatal(err)
		}
		if why != nil {
			moved, err := os.ReadFile(aside)
			if err != nil || !bytes.Equal(moved, text) || len(c.Told)+len(c.Pending) > 0 {
				t.Errorf("%q, %v: %+v", moved, err, c)
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("what cannot be used is still in its place")
			}
			return
		}
		once, err := json.Marshal(c)
		if err != nil {
			return // a time that cannot be written, of a year of five digits
		}
		again, err := parse(once)
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s came back as %s, %v", once, twice, err)
		}
	})
}
