package failpoint_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../../.."

// listed are the names in points.txt.
func listed(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("points.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			names = append(names, line)
		}
	}
	return names
}

// TestListAndSourceAgree: each point stands once in the list, and in the source.
func TestListAndSourceAgree(t *testing.T) {
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !marks(call.Fun) {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: a point whose name is not written there", path)
				return true
			}
			var name string
			name, err = strconv.Unquote(lit.Value)
			found = append(found, name)
			return true
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	want := listed(t)
	slices.Sort(want)
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("points.txt -, source +:\n%s", diff)
	}
	if unique := slices.Compact(slices.Clone(want)); len(unique) != len(want) || len(want) < 40 {
		t.Errorf("%d names, %d of them differ", len(want), len(unique))
	}
}

// marks reports whether a function is the one that marks a point: Here, or the stash's
// own passing, which cannot import it.
func marks(f ast.Expr) bool {
	switch f := f.(type) {
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		return ok && x.Name == "failpoint" && f.Sel.Name == "Here"
	case *ast.Ident:
		return f.Name == "passing"
	}
	return false
}

// TestNothingIsShipped: the program as it is released has no point in it, nor the name
// of the variable that wants one.
func TestNothingIsShipped(t *testing.T) {
	wanted := append(listed(t), "TLSAROLL_FAILPOINTS")
	shipped, tagged := build(t), build(t, "-tags=failpoints")
	for _, name := range wanted {
		if bytes.Contains(shipped, []byte(name)) {
			t.Errorf("%q is in the program", name)
		}
		if !bytes.Contains(tagged, []byte(name)) {
			t.Errorf("%q is not in the program with points, so that the test proves nothing", name)
		}
	}
}

func build(t *testing.T, options ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "tlsaroll")
	args := slices.Concat([]string{"build", "-trimpath", "-o", out}, options, []string{"./cmd/tlsaroll"})
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, text)
	}
	program, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return program
}
