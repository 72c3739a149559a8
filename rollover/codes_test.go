package rollover

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every code is explained once, and used by the rules, but for what looks come
// across and what is told of the process, of keys, by audits and of a host; the table explains
// no others.
func TestCodes(t *testing.T) {
	used := map[string]int{}
	values := map[string]string{}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if id, ok := n.Type.(*ast.Ident); ok && id.Name == "Code" {
					values[n.Names[0].Name] = strings.Trim(n.Values[0].(*ast.BasicLit).Value, `"`)
				}
			case *ast.Ident:
				if !strings.HasPrefix(name, "codes") && name != "reason.go" {
					used[n.Name]++
				}
			}
			return true
		})
	}
	if len(values) < 40 {
		t.Fatalf("only %d codes found", len(values))
	}
	var explained []string
	for _, e := range Codes() {
		if !slices.Contains([]Severity{Info, Warn, Danger}, e.Severity) {
			t.Errorf("%s has severity %q", e.Code, e.Severity)
		}
		if e.Person && e.Severity == Info {
			t.Errorf("%s needs a person, and is no more than %s", e.Code, e.Severity)
		}
		if slices.Contains(explained, string(e.Code)) {
			t.Errorf("%s is explained twice", e.Code)
		}
		explained = append(explained, string(e.Code))
		for _, text := range []string{e.Means, e.Shows, e.Clears, e.Do} {
			if len(text) < 8 || !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q is no sentence", e.Code, text)
			}
		}
	}
	if !slices.IsSorted(explained) {
		t.Error("the table is not sorted by code")
	}
	for name, value := range values {
		if !slices.Contains(explained, value) {
			t.Errorf("%s (%s) is not explained", name, value)
		}
		if used[name] == 0 && !slices.ContainsFunc(slices.Concat(processCodes, keyCodes, auditCodes, stsCodes, hereCodes), func(e Explanation) bool { return string(e.Code) == value }) {
			t.Errorf("%s is never used", name)
		}
	}
	if len(explained) != len(values)+len(findingCodes) {
		t.Errorf("%d codes are explained, %d exist", len(explained), len(values)+len(findingCodes))
	}
	if _, ok := Code("no-such-code").Explain(); ok || Code("no-such-code").Severity() != Warn || Code("no-such-code").NeedsPerson() {
		t.Error("an unknown code is explained")
	}
}
