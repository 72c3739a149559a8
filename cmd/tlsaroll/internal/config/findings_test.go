package config

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write what is found into the files of testdata/bad and testdata/warn; read the difference before committing it")

const want = "# want: "

// TestBad loads files that are wrong in one way each. A file begins with
// everything that is to be said about it.
func TestBad(t *testing.T) {
	eachFile(t, "testdata/bad/*.yaml", func(_ []Located, err error) (found []Located) {
		var all Errors
		if err != nil && !errors.As(err, &all) {
			t.Fatalf("%T is not Errors: %v", err, err)
		}
		return all
	})
}

// TestWarn loads files that work, and are worth a word.
func TestWarn(t *testing.T) {
	eachFile(t, "testdata/warn/*.yaml", func(warnings []Located, err error) []Located {
		if err != nil {
			t.Error(err)
		}
		return warnings
	})
}

// TestGood loads files with nothing to say about.
func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files:", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, warnings, err := world().with("/"+file, src).Load("/" + file)
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v\n%v", file, err, warnings)
		}
	}
}

func eachFile(t *testing.T, pattern string, findings func([]Located, error) []Located) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal("no files:", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			load := func(src []byte) string {
				_, warnings, err := world().with("/c.yaml", src).Load("/c.yaml")
				var b strings.Builder
				for _, l := range findings(warnings, err) {
					if l.Hint == "" {
						t.Errorf("no hint in %q", l.Error())
					}
					if strings.Contains(l.Error(), "hunter2") || strings.Contains(l.Error(), "c2VjcmV0") {
						t.Errorf("a secret in %q", l.Error())
					}
					b.WriteString(want + strings.TrimPrefix(l.Error(), "/c.yaml:") + "\n")
				}
				return b.String()
			}
			head, body := split(src)
			got := load(src)
			if *rewrite {
				head = got
				if head = load([]byte(head + body)); head != got { // as many lines, so the places hold now
					head = load([]byte(head + body))
				}
				if err := os.WriteFile(file, []byte(head+body), 0o644); err != nil {
					t.Fatal(err)
				}
				got = head
			}
			if got == "" {
				t.Error("nothing is found")
			}
			if diff := cmp.Diff(head, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// split parts the lines that say what is wanted from the rest.
func split(src []byte) (head, body string) {
	rest := src
	for bytes.HasPrefix(rest, []byte(want)) {
		_, rest, _ = bytes.Cut(rest, []byte("\n"))
	}
	return string(src[:len(src)-len(rest)]), string(rest)
}
