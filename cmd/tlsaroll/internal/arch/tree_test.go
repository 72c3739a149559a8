package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const module = "github.com/tlsaroll/tlsaroll"

// tree is a source tree as the rules see it.
type tree struct {
	packages []pkg
	sources  []source // Go files of all packages, tests among them
	texts    []text   // every text file
	top      []string // names at the top level, those that .gitignore names left out
}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string

	CgoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles []string
}

// room is the package's place in the module, "" for its root.
func (p pkg) room() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

// source is a Go file.
type source struct {
	path string // from the root, with slashes
	test bool
	text []byte
	set  *token.FileSet
	file *ast.File
}

// at is the place of a node, for a person to go to.
func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

// imported is the name under which the file uses a package, "" if it does not.
func (s source) imported(importPath string) string {
	for _, i := range s.file.Imports {
		if i.Path.Value != strconv.Quote(importPath) {
			continue
		}
		if i.Name != nil {
			return i.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// text is a file that people read.
type text struct {
	path string
	text string
}

// load reads a tree; go list runs once.
func load(t *testing.T, root string) tree {
	t.Helper()
	var tr tree
	tr.list(t, root)
	for _, p := range tr.packages {
		dir, err := filepath.Rel(root, p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles) {
			tr.sources = append(tr.sources, parse(t, root, path.Join(filepath.ToSlash(dir), name)))
		}
	}
	tr.read(t, root)
	return tr
}

func (tr *tree) list(t *testing.T, root string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=Dir,ImportPath,Doc,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Imports", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		tr.packages = append(tr.packages, p)
	}
}

func parse(t *testing.T, root, name string) source {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	s := source{path: name, test: strings.HasSuffix(name, "_test.go"), text: src, set: token.NewFileSet()}
	if s.file, err = parser.ParseFile(s.set, name, src, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		t.Fatal(err)
	}
	return s
}

// read takes in what is no Go too.
func (tr *tree) read(t *testing.T, root string) {
	t.Helper()
	ignored := ignore(root)
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == root {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		switch {
		case d.Name() == ".git" || ignored(rel):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !strings.ContainsRune(rel, filepath.Separator):
			tr.top = append(tr.top, rel)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		src, err := os.ReadFile(file)
		if err == nil && utf8.Valid(src) {
			tr.texts = append(tr.texts, text{filepath.ToSlash(rel), string(src)})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ignore understands as much of .gitignore as ours needs: names, and names at the root.
func ignore(root string) func(rel string) bool {
	src, _ := os.ReadFile(filepath.Join(root, ".gitignore")) // none: nothing is ignored
	patterns := strings.Fields(string(src))
	return func(rel string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			name := filepath.Base(rel)
			if anchored, ok := strings.CutPrefix(pattern, "/"); ok {
				pattern, name = anchored, rel
			}
			ok, err := filepath.Match(pattern, name)
			return ok && err == nil
		})
	}
}
