package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Whoever does what a hint says gets no second error: the commands exist, and so do their
// options. The same holds for what explain tells to do, and for the pages of commands.
func TestHintsCanBeTyped(t *testing.T) {
	root := newProgram(world{lookupEnv: os.LookupEnv, now: time.Now}).rootCommand()
	told := map[string][]string{}
	for where, said := range hints(t) {
		told[where] = said
	}
	for _, e := range rollover.Codes() {
		told["explain "+string(e.Code)] = []string{e.Do}
	}
	for _, c := range root.Commands() {
		told[c.Name()+" --help"] = []string{c.Long, c.Example}
	}
	calls := 0
	for where, said := range told {
		for _, call := range callInText.FindAllString(strings.Join(said, "\n"), -1) {
			calls++
			if fault := untypable(root, strings.Fields(call)); fault != "" {
				t.Errorf("%s: %q: %s", where, call, fault)
			}
		}
	}
	if calls < 100 {
		t.Errorf("only %d calls found", calls)
	}
}

// subjects are words after the program's name in sentences of which it is the subject.
var subjects = []string{"does", "ends", "itself", "keeps", "makes", "must", "never", "on", "publishes", "runs", "tells", "that"}

// callInText is a call within a sentence, up to what parts it from the next words.
var callInText = regexp.MustCompile(`\btlsaroll [a-z][a-z-]*((?: (?:--[a-z][a-z-]*(?:=[a-z]+)?|[A-Za-z0-9%./][^ ,;:)\n]*|"[^"]*"))*)`)

func untypable(root *cobra.Command, words []string) string {
	c, _, err := root.Find(words[1:2])
	switch {
	case slices.Contains(subjects, words[1]):
		return ""
	case err != nil || c == root:
		return "no such command"
	}
	for _, w := range words[2:] {
		name, ok := strings.CutPrefix(w, "--")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, "=")
		name = strings.TrimRight(name, `."'`)
		if c.Flags().Lookup(name) == nil && c.InheritedFlags().Lookup(name) == nil {
			return "it has no --" + name
		}
	}
	return ""
}

// hints are those in the sources of the module, by place.
func hints(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir("../..", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "lab" || d.Name() == "testdata" || d.Name() == "examples"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if said, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(said, "tlsaroll ") {
					where := file + ":" + strconv.Itoa(set.Position(lit.Pos()).Line)
					_, hint, ok := strings.Cut(said, "(hint: ")
					if !ok && strings.HasPrefix(said, "tlsaroll ") { // handed on as a hint
						hint = said
					}
					found[where] = append(found[where], hint)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Every page says what each option is for, shows a value in the way in which the command takes
// it, and has defaults as people write them.
func TestOptionsOnPages(t *testing.T) {
	for _, c := range newProgram(world{lookupEnv: os.LookupEnv, now: time.Now}).rootCommand().Commands() {
		if c.Hidden {
			continue
		}
		page := manual(c)
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			switch value, what := pflag.UnquoteUsage(f); {
			case len(what) < 8:
				t.Errorf("%s --%s: %q says nothing", c.Name(), f.Name, what)
			case f.Value.Type() != "bool" && value != "" && f.NoOptDefVal != "" && !strings.Contains(page, "--"+f.Name+"[="+value+"]\n"):
				t.Errorf("%s --%s: the page does not show the equals sign", c.Name(), f.Name)
			}
		})
		if strings.Contains(page, "m0s)") || strings.Contains(page, "(default: 0") {
			t.Errorf("%s: its page has a default that people do not write so", c.Name())
		}
	}
}
