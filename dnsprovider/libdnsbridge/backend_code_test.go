package libdnsbridge_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
)

// TestSetRecordsIsOutOfReach: what a module could lose records with is neither in the interface
// nor in the code.
func TestSetRecordsIsOutOfReach(t *testing.T) {
	backend := reflect.TypeFor[libdnsbridge.Backend]()
	var methods []string
	for method := range backend.Methods() {
		methods = append(methods, method.Name)
	}
	if want := []string{"AppendRecords", "DeleteRecords", "GetRecords"}; !slices.Equal(methods, want) {
		t.Errorf("a backend has %v, want %v", methods, want)
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		read++
		ast.Inspect(parsed, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && (id.Name == "SetRecords" || id.Name == "RecordSetter") {
				t.Errorf("%s has %s in its code", f.Name(), id.Name)
			}
			return true
		})
	}
	if read < 5 {
		t.Errorf("%d files: this is not the package", read)
	}
}
