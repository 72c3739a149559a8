package arch

import (
	"go/ast"
	"path"
	"slices"
)

// leaks finds packages in which something starts a goroutine, and whose tests do not ask
// in the end whether one is left.
func leaks(tr tree) (broken []string) {
	starts, tested, asked := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var rooms []string
	for _, s := range tr.sources {
		room := path.Dir(s.path)
		if !slices.Contains(rooms, room) {
			rooms = append(rooms, room)
		}
		starts[room] = starts[room] || s.startsGoroutine()
		tested[room] = tested[room] || s.test
		asked[room] = asked[room] || s.test && s.asksForLeaks()
	}
	for _, room := range rooms {
		if starts[room] && tested[room] && !asked[room] {
			broken = append(broken, room+": no test file calls goleak")
		}
	}
	return broken
}

func (s source) startsGoroutine() (found bool) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = true
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			found = found || ok && (sel.Sel.Name == "Go" || sel.Sel.Name == "AfterFunc")
		}
		return !found
	})
	return found
}

func (s source) asksForLeaks() bool {
	return len(s.uses("go.uber.org/goleak", []string{"VerifyTestMain", "Find"})) > 0
}
