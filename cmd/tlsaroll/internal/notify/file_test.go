package notify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func TestFileKeepsWhatWasTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "told.json")
	if c, aside, why, err := load(path); err != nil || why != nil || aside != "" || c.Told != nil {
		t.Fatalf("no file: %v, %q, %v, %v", c, aside, why, err)
	}
	known, out := Told{}.Next([]Notice{notice("b", rollover.Warn), notice("a", rollover.Danger)}, daily, start)
	pending := []letter{{"notify[0] (webhook)", start, out[0]}}
	if err := store(path, known, pending); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	c, _, why, err := load(path)
	if why != nil || err != nil {
		t.Fatal(why, err)
	}
	want := contents{fileVersion, []entry{known[notice("a", rollover.Danger).key()], known[notice("b", rollover.Warn).key()]}, pending}
	if diff := cmp.Diff(want, c, cmpopts.IgnoreUnexported(entry{})); diff != "" {
		t.Error(diff)
	}
}

func TestFileThatCannotBeUsedIsMovedAside(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "cut off": `{"version": 1, "told": [`, "no JSON": "\x00\x00\x00", "another version": `{"version": 2}`,
		"no version": `{}`, "another shape": `{"version": 1, "told": {}}`, "two": `{"version": 1}{"version": 1}`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "told.json")
			for _, want := range []string{path + ".corrupt-1", path + ".corrupt-2"} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				c, aside, why, err := load(path)
				if aside != want || why == nil || err != nil || c.Told != nil {
					t.Errorf("%v, %q, %v, %v", c, aside, why, err)
				}
				if kept, err := os.ReadFile(aside); err != nil || string(kept) != text {
					t.Errorf("aside is %q, %v", kept, err)
				}
			}
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Errorf("it is still there: %v", err)
			}
		})
	}
}

func TestFileThatCannotBeReadIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "told.json")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, aside, _, err := load(path); err == nil || aside != "" {
		t.Errorf("a directory was read, or moved to %q", aside)
	}
}

func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".told.json8412", ".told.json", ".told.json8412x", "told.json8412", ".other.json8412"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweep(filepath.Join(dir, "told.json")); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	var names []string
	for _, f := range left {
		names = append(names, f.Name())
	}
	if got := strings.Join(names, " "); err != nil || got != ".other.json8412 .told.json .told.json8412x told.json8412" {
		t.Errorf("left: %s, %v", got, err)
	}
}
