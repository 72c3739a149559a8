package proof

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// tests are those of the tree by "room.TestName", each with the words that may be names
// of its subtests: those that stand in it and in what it uses.
type tests map[string]map[string]bool

var testName = regexp.MustCompile(`^(Test|Fuzz|Example)([^a-z]|$)`)

// suite is where the subtests of every provider's test are named.
const suite = "dnsprovider/providertest"

// testsIn reads all test files below a directory.
func testsIn(t *testing.T, root string) tests {
	t.Helper()
	rooms := map[string]*room{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		dir = filepath.ToSlash(dir)
		if d.IsDir() || !strings.HasSuffix(path, ".go") || !strings.HasSuffix(path, "_test.go") && dir != suite {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if rooms[dir] == nil {
			rooms[dir] = &room{decls: map[string][]ast.Node{}}
		}
		rooms[dir].take(file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all := tests{}
	for dir, r := range rooms {
		for name := range r.decls {
			if testName.MatchString(name) {
				words := map[string]bool{}
				r.gather(name, words, map[string]bool{})
				if words[suite] && rooms[suite] != nil {
					rooms[suite].gather("tests", words, map[string]bool{})
				}
				all[dir+"."+name] = words
			}
		}
	}
	return all
}

// A room is what is declared in the test files of a directory, by name. Names of an
// internal and an external test package share it.
type room struct {
	decls map[string][]ast.Node
}

func (r *room) take(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			r.decls[d.Name.Name] = append(r.decls[d.Name.Name], d)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					for _, n := range v.Names {
						r.decls[n.Name] = append(r.decls[n.Name], v)
					}
				}
			}
		}
	}
}

// gather collects the strings in a declaration, and in those that it uses.
func (r *room) gather(name string, words, seen map[string]bool) {
	if seen[name] {
		return
	}
	seen[name] = true
	for _, d := range r.decls[name] {
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					words[s] = true
				}
			case *ast.Ident:
				r.gather(n.Name, words, seen)
				if n.Name == "providertest" {
					words[suite] = true
				}
			}
			return true
		})
	}
}

// lacks says why a reference is to no test, "" if it is to one.
func (ts tests) lacks(ref string) string {
	name, subtests, has := strings.Cut(ref, "/")
	for has && !strings.Contains(name, ".Test") && !strings.Contains(name, ".Fuzz") && !strings.Contains(name, ".Example") {
		var more string // of the room
		more, subtests, has = strings.Cut(subtests, "/")
		name += "/" + more
	}
	words, there := ts[name]
	if !there {
		return "no test " + name
	}
	if has && !words[subtests] {
		for part := range strings.SplitSeq(subtests, "/") { // a subtest of a subtest
			if !words[part] {
				return fmt.Sprintf("no subtest %q of %s", part, name)
			}
		}
	}
	return ""
}
