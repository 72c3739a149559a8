package agent

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// Every finding of the rooms below is in the catalogue of the rules, which cannot
// see their constants, and is as bad there as where it is made.
func TestFindingsAreInTheCatalogue(t *testing.T) {
	for _, room := range []struct {
		dir, prefix string
		least       int
		severities  map[string]rollover.Severity
	}{
		{"../../dnsprovider/lookup", "Finding", 20, map[string]rollover.Severity{
			"Info": rollover.Severity(lookup.Info), "Warning": rollover.Severity(lookup.Warning), "Serious": rollover.Severity(lookup.Serious)}},
		{"../../certwatch", "Code", 7, map[string]rollover.Severity{
			"Info": rollover.Severity(certwatch.Info), "Warning": rollover.Severity(certwatch.Warning)}},
	} {
		codes, made := findingsIn(t, room.dir, room.prefix)
		if len(codes) < room.least {
			t.Errorf("%s: only %d codes found", room.dir, len(codes))
		}
		for name, code := range codes {
			e, ok := code.Explain()
			if !ok {
				t.Errorf("%s: %s (%s) is not in the catalogue", room.dir, name, code)
			}
			if len(made[name]) == 0 {
				t.Errorf("%s: %s is never made", room.dir, name)
			}
			if code == rollover.CodeFamilyUntested {
				continue // the rules tell by themselves what they make of it
			}
			for _, severity := range made[name] {
				if room.severities[severity] != e.Severity {
					t.Errorf("%s: %s is made as %s, the catalogue has %s", room.dir, code, severity, e.Severity)
				}
			}
		}
	}
}

// findingsIn reads a room's source: the codes of its findings by the names of
// their constants, and the severities with which findings are made.
func findingsIn(t *testing.T, dir, prefix string) (codes map[string]rollover.Code, made map[string][]string) {
	t.Helper()
	codes, made = map[string]rollover.Code{}, map[string][]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	below, belowErr := filepath.Glob(filepath.Join(dir, "*", "*.go")) // what uses the room's codes
	if err := errors.Join(err, belowErr); err != nil {
		t.Fatal(err)
	}
	files = append(files, below...)
	for _, name := range files {
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
				if value, ok := constant(n); ok && filepath.Base(name) == "finding.go" && strings.HasPrefix(n.Names[0].Name, prefix) {
					codes[n.Names[0].Name] = rollover.Code(value)
				}
			case *ast.CallExpr:
				note(made, n.Args)
			case *ast.CompositeLit:
				note(made, n.Elts)
			}
			return true
		})
	}
	return codes, made
}

// constant is the text of an untyped constant.
func constant(n *ast.ValueSpec) (string, bool) {
	if n.Type != nil || len(n.Values) != 1 {
		return "", false
	}
	lit, ok := n.Values[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// note notes what begins as a finding does: a code, then a severity.
func note(made map[string][]string, args []ast.Expr) {
	if len(args) < 3 {
		return
	}
	code, severity := nameIn(args[0]), nameIn(args[1])
	if code != "" && severity != "" {
		made[code] = append(made[code], severity)
	}
}

// nameIn is the name that an argument or an element is, with or without its field
// and its package.
func nameIn(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.KeyValueExpr:
		return nameIn(e.Value)
	}
	return ""
}
