package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rule is one thing that holds everywhere.
type rule struct {
	name   string
	why    string
	broken func(tree) []string
}

var rules = []rule{
	{"imports", "imports point one way, so that each room can be understood and tested alone", imports},
	{"top level", "whoever opens the repository finds the same few names", topLevel},
	{"file length", "a file that fits into the head is 200 lines, and none needs 400", fileLength},
	{"file names", "a file is named after what it holds, and these names hold anything", fileNames},
	{"package docs", "the first thing one asks of a package is what it is for", packageDocs},
	{"clock", "time is an argument; the one clock is read in wire.go", clock},
	{"init", "nothing happens before main, and in no order that the linker chooses", noInit},
	{"exit", "only main ends the process: whoever else does skips every defer", exit},
	{"shell", "commands are argument lists; a shell takes file names apart", shell},
	{"modes", "what is created is its owner's alone from the first moment, and is opened to others once it is whole", modes},
	{"leaks", "a daemon that leaves a goroutine behind each day is not there after a year", leaks},
	{"messages", "whoever reads an error at night learns where, what, why and what to do, always in the same order", messages},
	{"unfinished", "what is not done is not in the tree", unfinished},
	{"foreign words", "the project speaks of itself alone", foreignWords},
}

// topLevel names are fixed; files that begin with a dot may stand beside them.
func topLevel(tr tree) (broken []string) {
	fixed := []string{"cmd", "rollover", "dnsprovider", "certwatch", "examples", "go.mod", "go.sum", "README.md"}
	for _, name := range tr.top {
		if !strings.HasPrefix(name, ".") && !slices.Contains(fixed, name) {
			broken = append(broken, fmt.Sprintf("%s: only %s stand there", name, strings.Join(fixed, ", ")))
		}
	}
	return broken
}

const maxLines = 400

func fileLength(tr tree) (broken []string) {
	for _, s := range tr.sources {
		if n := bytes.Count(s.text, []byte("\n")); n > maxLines && !s.test {
			broken = append(broken, fmt.Sprintf("%s: %d lines", s.path, n))
		}
	}
	return broken
}

func fileNames(tr tree) (broken []string) {
	vague := regexp.MustCompile(`^(utils?|common|types?|managers?|helpers?|misc|shared|base)(_test)?\.go$`)
	for _, s := range tr.sources {
		if vague.MatchString(path.Base(s.path)) {
			broken = append(broken, s.path)
		}
	}
	for _, p := range tr.packages {
		if vague.MatchString(path.Base(p.ImportPath) + ".go") {
			broken = append(broken, p.room())
		}
	}
	return broken
}

func packageDocs(tr tree) (broken []string) {
	for _, p := range tr.packages {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			broken = append(broken, p.room())
		}
	}
	return broken
}

// mains are the processes: ours, and that of somebody who has our packages in theirs.
var mains = []string{"cmd/tlsaroll/main.go", "examples/embed/main.go"}

func clock(tr tree) (broken []string) {
	reads := []string{"Now", "Since", "Until", "Sleep"}
	for _, s := range tr.sources {
		if s.test || s.path == "cmd/tlsaroll/wire.go" || slices.Contains(mains, s.path) || roomOf(s.path, harnesses) != "" {
			continue
		}
		broken = append(broken, s.uses("time", reads)...)
	}
	return broken
}

func exit(tr tree) (broken []string) {
	for _, s := range tr.sources {
		if s.test || slices.Contains(mains, s.path) {
			continue
		}
		broken = append(broken, s.uses("os", []string{"Exit"})...)
		broken = append(broken, s.uses("syscall", []string{"Exit"})...)
		broken = append(broken, s.uses("log", []string{"Fatal", "Fatalf", "Fatalln"})...)
	}
	return broken
}

// uses finds where names of a package are used, under whatever name it is imported.
func (s source) uses(importPath string, names []string) (found []string) {
	local := s.imported(importPath)
	if local == "" {
		return nil
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(names, sel.Sel.Name) {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				found = append(found, fmt.Sprintf("%s: %s.%s", s.at(n), importPath, sel.Sel.Name))
			}
		}
		return true
	})
	if local == "." {
		found = append(found, fmt.Sprintf("%s: %s is imported with a dot", s.path, importPath))
	}
	return found
}

func noInit(tr tree) (broken []string) {
	for _, s := range tr.sources {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				broken = append(broken, s.at(f))
			}
		}
	}
	return broken
}

// shell finds a shell's name followed by -c, in calls and in lists of strings, and
// both in one string.
func shell(tr tree) (broken []string) {
	for _, s := range tr.sources {
		if s.test {
			continue // scripts that play a server's reload may be one
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			var elements []ast.Expr
			switch n := n.(type) {
			case *ast.CallExpr:
				elements = n.Args
			case *ast.CompositeLit:
				elements = n.Elts
			case *ast.BasicLit:
				if text, ok := literal(n); ok && oneLineShell.MatchString(text) {
					broken = append(broken, s.at(n))
				}
			}
			for i := range len(elements) - 1 {
				name, ok := literal(elements[i])
				option, second := literal(elements[i+1])
				if ok && second && shellName.MatchString(name) && strings.HasPrefix(option, "-") && strings.HasSuffix(option, "c") {
					broken = append(broken, s.at(elements[i]))
				}
			}
			return true
		})
	}
	return broken
}

var (
	shellName    = regexp.MustCompile(`^(/usr)?(/bin/)?(ba|da|z|k)?sh$`)
	oneLineShell = regexp.MustCompile(`\b(ba|da|z|k)?sh -[a-z]*c\b`)
)

// open are what may be more than its owner's when it is made, and why.
var open = map[string]string{
	"cmd/tlsaroll/internal/control/listen.go": "the way to the socket, which has rights of its own",
}

// modes finds what creates files and directories with another mode than 0600 and 0700. What
// takes its mode from an argument is listed where that is given.
func modes(tr tree) (broken []string) {
	for _, s := range tr.sources {
		local := s.imported("os")
		if s.test || local == "" || roomOf(s.path, harnesses) != "" || open[s.path] != "" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			x, _ := sel.X.(*ast.Ident)
			mode, _ := call.Args[len(call.Args)-1].(*ast.BasicLit)
			switch {
			case x == nil || x.Name != local:
			case sel.Sel.Name == "Create":
				broken = append(broken, s.at(n)+": os.Create makes it 0666")
			case sel.Sel.Name == "OpenFile", sel.Sel.Name == "WriteFile", sel.Sel.Name == "Mkdir", sel.Sel.Name == "MkdirAll":
				if mode != nil && mode.Value != "0o600" && mode.Value != "0o700" && mode.Value != "0" {
					broken = append(broken, s.at(n)+": os."+sel.Sel.Name+" with mode "+mode.Value)
				}
			}
			return true
		})
	}
	return broken
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// The words are put together here, so that this file may stand among those it reads.
var (
	promise    = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b|(?i)not yet imple` + `mented`)
	incomplete = regexp.MustCompile(`(?i)not imple` + `mented`)
	foreign    = regexp.MustCompile(`/wor` + `k/|/tmp/te` + `am|/far` + `m/|DEVELOP` + `ERS\.md|(?i)\biss` + `ue #?[0-9]+\b`)
)

// unfinished finds promises anywhere, and admissions in what the program says:
// other servers' replies may be spoken of in comments.
func unfinished(tr tree) (broken []string) {
	for _, s := range tr.sources {
		broken = append(broken, lines(s.path, string(s.text), promise)...)
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && incomplete.MatchString(lit.Value) {
				broken = append(broken, fmt.Sprintf("%s: %s", s.at(lit), incomplete.FindString(lit.Value)))
			}
			return true
		})
	}
	return broken
}

func foreignWords(tr tree) (broken []string) {
	for _, f := range tr.texts {
		broken = append(broken, lines(f.path, f.text, foreign)...)
	}
	return broken
}

func lines(name, text string, word *regexp.Regexp) (found []string) {
	for i, line := range strings.Split(text, "\n") {
		if hit := word.FindString(line); hit != "" {
			found = append(found, fmt.Sprintf("%s:%d: %s", name, i+1, hit))
		}
	}
	return found
}
