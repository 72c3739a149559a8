// Package proof holds what is expected at the edges against what shows it: a case a
// line, with the tests by their names, or the reason why there is none. A test that
// is renamed or removed is missed here.
package proof

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTables holds each table to its number of cases, and to tests that there are.
func TestTables(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", "..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	there := testsIn(t, root)
	if len(there) < 500 {
		t.Fatalf("%d tests: this is not the whole tree", len(there))
	}
	for name, cases := range map[string]int{"edges.md": 88, "defects.md": 13} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			rows, wrong := read(string(text))
			wrong = append(wrong, numbered(rows, cases)...)
			tests := map[string]bool{}
			for _, r := range rows {
				wrong = append(wrong, r.judge(there)...)
				for _, ref := range r.tests {
					tests[ref] = true
				}
			}
			for _, w := range wrong {
				t.Error(w)
			}
			shown := 0
			for _, r := range rows {
				if len(r.tests) > 0 {
					shown++
				}
			}
			t.Logf("%d cases, %d of them shown by %d tests", len(rows), shown, len(tests))
		})
	}
}

// TestTablesCanBeWrong holds tables that are wrong to what is said about each.
func TestTablesCanBeWrong(t *testing.T) {
	there := tests{
		"rollover.TestBack":         {"is free": true, "is closed": true},
		"certwatch.TestOrder":       {"LI": true},
		"rollover.FuzzAnything":     {},
		"rollover/tlsa.ExampleThat": {},
	}
	row := func(n any, cells ...string) string {
		line := fmt.Sprintf("| %v |", n)
		for _, c := range cells {
			line += " " + c + " |"
		}
		return line + "\n"
	}
	const head = "# Words\n\n| | Case | Expected | Shown by |\n|-|-|-|-|\n"
	for name, test := range map[string]struct {
		table string
		want  []string
	}{
		"right": {row(1, "a", "b", "`rollover.TestBack/is free`, `certwatch.TestOrder`") + row(2, "a", "b", "cannot apply: nothing listens") + row(3, "a", "b", "`rollover.FuzzAnything`; later: the page, `rollover/tlsa.ExampleThat`"), nil},
		"missing and twice": {row(1, "a", "b", "`rollover.TestBack`") + row(1, "a", "b", "`rollover.TestBack`") + row(3, "a", "b", "`rollover.TestBack`") + row(4, "a", "b", "`rollover.TestBack`"),
			[]string{"1: stands there twice", "2: is missing", "4: there are 3 cases"}},
		"no such test":       {row(1, "a", "b", "`rollover.TestForth`, `rollover/tlsa.TestBack`"), []string{"1: no test rollover.TestForth", "1: no test rollover/tlsa.TestBack", "2: is missing", "3: is missing"}},
		"no such subtest":    {row(1, "a", "b", "`rollover.TestBack/is barred`, `rollover.TestBack/`"), []string{"1: no subtest \"is barred\" of rollover.TestBack", "1: no subtest \"\" of rollover.TestBack", "2: is missing", "3: is missing"}},
		"no reason":          {row(1, "a", "b", "") + row(2, "a", "b", "cannot apply:") + row(3, "a", "b", "`rollover.TestBack`; later: "), []string{"1: neither a test nor a reason", "2: \"cannot apply:\" without a reason", "3: \"later:\" without a reason"}},
		"words in their way": {row(1, "a", "b", "see above") + row(2, "a", "b", "`rollover.TestBack` and others") + row(3, "a", "", "`rollover.TestBack`"), []string{"1: neither a test nor a reason", "1: \"see above\" is none of a test, cannot apply: and later:", "2: \"and others\" is none of a test, cannot apply: and later:", "3: an empty cell"}},
		"no row":             {"| x | a | b | c |\n| 2 | a | b |\n", []string{"line 5: no number \"x\"", "line 6: 3 cells, want 4", "1: is missing", "2: is missing", "3: is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			rows, wrong := read(head + test.table)
			wrong = append(wrong, numbered(rows, 3)...)
			for _, r := range rows {
				wrong = append(wrong, r.judge(there)...)
			}
			sortLines(wrong)
			sortLines(test.want)
			if diff := cmp.Diff(test.want, wrong); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}
