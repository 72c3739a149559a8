package breakages

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var document = flag.Bool("document", false, "write the tables of the package documentation anew")

// TestDocumented holds the tables in the package documentation to the list.
func TestDocumented(t *testing.T) {
	src, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	const last = "package breakages\n"
	text, ok := bytes.CutSuffix(src, []byte(last))
	if !ok {
		t.Fatal("doc.go does not end with its package clause")
	}
	if i := bytes.Index(text, []byte("//\n// # ")); i >= 0 {
		text = text[:i]
	}
	want := string(text) + tables() + last
	if *document {
		if err := os.WriteFile("doc.go", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(src) {
		t.Errorf("the tables of the documentation are not those of the lists (hint: go test ./rollover/internal/breakages -document); they are to be:\n%s", tables())
	}
}

// tables say which test catches which breakage.
func tables() string {
	var out strings.Builder
	for _, r := range rooms() {
		width := 0
		for _, b := range r.breakages {
			width = max(width, len(b.name))
		}
		fmt.Fprintf(&out, "//\n// # %s\n//\n", r.title)
		for _, b := range r.breakages {
			fmt.Fprintf(&out, "//\t%-*s  %s", width, b.name, b.by)
			for _, c := range b.also {
				fmt.Fprintf(&out, ", %s", c)
			}
			out.WriteString("\n")
		}
	}
	return out.String()
}
