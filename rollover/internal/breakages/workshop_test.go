package breakages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWorkshop breaks a small module in every way, so that it can be seen that a
// breakage which nobody notices is noticed.
func TestWorkshop(t *testing.T) {
	w := &workshop{root: t.TempDir(), dir: t.TempDir(), patience: 3 * time.Second}
	for name, text := range map[string]string{
		"go.mod":             "module example.org/door\n\ngo 1.26\n",
		"door/door.go":       "package door\n\nfunc open(key int) bool {\n\treturn key == 7 || false\n}\n",
		"door/door_test.go":  "package door\n\nimport \"testing\"\n\nfunc TestLocked(t *testing.T) {\n\tif open(8) {\n\t\tt.Error(\"open to everybody\")\n\t}\n}\n\nfunc TestOpens(t *testing.T) {\n\tif !open(7) {\n\t\t<-t.Context().Done()\n\t}\n}\n",
		"door/other_test.go": "package door\n\nimport \"testing\"\n\nfunc TestLeftOut(t *testing.T) {\n\tt.Skip()\n}\n",
	} {
		file := filepath.Join(w.root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	locked, opens := catch{pkg: "door", test: "TestLocked", says: "open to everybody"}, catch{pkg: "door", test: "TestOpens", says: "-"}
	for _, tt := range []struct {
		name, was, is string
		by            catch
		want          string
	}{
		{"caught", "key == 7", "key > 0", locked, ""},
		{"not caught", " || false", "", locked, "TestLocked does not notice"},
		{"does not compile", "key == 7", "kay == 7", locked, "it cannot be compiled"},
		{"is no Go", "key == 7", "key ==", locked, "expected operand"},
		{"is not there", "key == 9", "true", locked, "stands there 0 times"},
		{"is there twice", "e", "", locked, "stands there 6 times"},
		{"changes nothing", "key == 7", "key == 7", locked, "something else instead"},
		{"caught for another reason", "key == 7", "key > 0", catch{pkg: "door", test: "TestLocked", says: "ajar"}, `TestLocked fails, and does not say "ajar"`},
		{"no such test", "key == 7", "key > 0", catch{pkg: "door", test: "TestShut", says: "x"}, "there is no TestShut"},
		{"ends the process", "return key == 7", "panic(key)\n\treturn key == 7", locked, "does not say"},
		{"hangs", "key == 7", "key == 9", opens, "TestOpens does not end"},
		{"hangs, and may", "key == 7", "key == 9", catch{pkg: "door", test: "TestOpens", hangs: true}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := w.caught(t.Context(), &breakage{name: tt.name, file: "door/door.go", was: tt.was, is: tt.is, by: tt.by})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("unbroken", func(t *testing.T) {
		t.Parallel()
		for tests, want := range map[string]string{"TestLocked TestOpens": "", "TestLocked TestLeftOut": "TestLeftOut was not run, or left out"} {
			err := w.passes(t.Context(), catch{pkg: "door"}, strings.Fields(tests))
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", tests, err, want)
			}
		}
	})
}
