package breakages

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A breakage is one guard or timing that is left out or made worse.
type breakage struct {
	name string // what is broken, in words
	file string // from the root of the module
	was  string // source that stands in it exactly once
	is   string // what stands there instead
	by   catch
	also []catch
	why  string // the rule that it breaks
}

// A catch is a test that fails with a breakage, and passes without.
type catch struct {
	pkg, test string
	says      string // what its failure says, among other things
	flags     string // for it
	hangs     bool   // it need not end: the breakage is one of liveness
}

// String is the test's name with that of its package.
func (c catch) String() string { return path.Base(c.pkg) + "." + c.test }

// catches are all tests that have to notice.
func (b *breakage) catches() []catch { return append([]catch{b.by}, b.also...) }

// chaos catches without having been told what to look for: the random worlds of
// package sim, in which servers lag and vanish, people edit zones and processes
// crash, with the invariant asserted at every handshake.
func chaos(says string) []catch {
	return []catch{{pkg: "rollover/internal/sim", test: "TestRandomWorlds", says: says, flags: "-worlds=60 -test.failfast"}}
}

// orderly catches likewise, in worlds where nobody breaks anything by hand.
func orderly(says string) []catch {
	return []catch{{pkg: "rollover/internal/sim", test: "TestOrderlyWorlds", says: says, flags: "-worlds=120 -test.failfast"}}
}

const invariant = "invariant broken"

// A room is a part of the table.
type room struct {
	title     string
	breakages []breakage
}

func rooms() []room {
	return []room{
		{"Waiting: what may be held in some cache, and for how long", waiting()},
		{"Swapping, and going back", swapping()},
		{"Publishing", publishing()},
		{"Retiring", retiring()},
		{"What a person's words may do", orders()},
		{"Matching", matching()},
		{"Deciding, remembering and acting", acting()},
		{"Installing", installing()},
		{"Looking at DNS", asking()},
		{"Looking at endpoints and files", reading()},
		{"Writing", writing()},
	}
}

// all breakages, room by room.
func all() []breakage {
	var bs []breakage
	for _, r := range rooms() {
		bs = append(bs, r.breakages...)
	}
	return bs
}

// mostSpread is how many breakages of one package a spread has.
const mostSpread = 1

// spread has breakages of a few files of each package, one of each, for the test named
// for it: worlds that may notice, too, take their time.
func spread() []breakage {
	files := map[string]bool{}
	dirs := map[string][]breakage{}
	for _, b := range all() {
		if !files[b.file] {
			files[b.file], b.also = true, nil
			dir := path.Dir(b.file)
			dirs[dir] = append(dirs[dir], b)
		}
	}
	var out []breakage
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		bs := dirs[dir]
		n := min(len(bs), mostSpread)
		for i := range n {
			out = append(out, bs[i*len(bs)/n])
		}
	}
	return out
}

// broken is the source with the breakage in it.
func (b *breakage) broken(root string) ([]byte, error) {
	src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(b.file)))
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(src, []byte(b.was)); n != 1 || b.was == b.is {
		return nil, fmt.Errorf("%s: stands there %d times, want once, and something else instead:\n%s", b.file, n, b.was)
	}
	out := bytes.Replace(src, []byte(b.was), []byte(b.is), 1)
	if _, err := parser.ParseFile(token.NewFileSet(), b.file, out, parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	return out, nil
}

// TestBreakagesStand holds the list to the source: what is to be broken is still
// there, once, and the tests that are to notice are there too.
func TestBreakagesStand(t *testing.T) {
	bs := all()
	random, tests := 0, map[string]map[string]bool{}
	seen := map[string]bool{}
	for i := range bs {
		b := &bs[i]
		if seen[b.name] || b.name == "" || b.why == "" {
			t.Errorf("%q: there twice, or without a name or a reason", b.name)
		}
		seen[b.name] = true
		if _, err := b.broken(root(t)); err != nil {
			t.Errorf("%s: %v (hint: the source has changed: break it as it is now)", b.name, err)
		}
		for _, c := range b.catches() {
			if tests[c.pkg] == nil {
				tests[c.pkg] = testsIn(t, filepath.Join(root(t), filepath.FromSlash(c.pkg)))
			}
			if !tests[c.pkg][c.test] || c.says == "" && !c.hangs {
				t.Errorf("%s: no %s in %s, or nothing that it says", b.name, c.test, c.pkg)
			}
			if c.test == "TestRandomWorlds" {
				random++
			}
		}
	}
	if len(bs) < 60 || random < 10 {
		t.Errorf("%d breakages, %d of them for the random worlds: this is not the whole list", len(bs), random)
	}
}

// testsIn are the names of the tests in a directory.
func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}

// root of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
