package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// messages finds errors that are not of the form `where: what: cause (hint: what to do)`,
// and hints of whatever is said that are not of theirs.
func messages(tr tree) (broken []string) {
	for _, s := range tr.sources {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			fault := ""
			switch n := n.(type) {
			case *ast.CallExpr:
				if s.makesError(n) && len(n.Args) > 0 {
					fault = misshapen(spoken(n.Args[0]))
				}
			case *ast.BasicLit:
				if said, ok := literal(n); ok {
					fault = mistold(said)
				}
			}
			if fault != "" {
				broken = append(broken, fmt.Sprintf("%s: %s", s.at(n), fault))
			}
			return true
		})
	}
	return broken
}

func (s source) makesError(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	of, ok := sel.X.(*ast.Ident)
	return ok && (of.Name == s.imported("fmt") && sel.Sel.Name == "Errorf" || of.Name == s.imported("errors") && sel.Sel.Name == "New")
}

// unread stands for a part of a message that is no literal.
const unread = "%v"

// spoken is a message as far as the source tells it.
func spoken(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return spoken(e.X)
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return spoken(e.X) + spoken(e.Y)
		}
	}
	if s, ok := literal(e); ok {
		return s
	}
	return unread
}

var (
	firstWord = regexp.MustCompile(`^[\pL\pN]+`)
	question  = regexp.MustCompile(`^(is|are|was|were|does|do|did|has|have|can|which|what) \pL+.* \pL+`)
	hint      = regexp.MustCompile(`\(hint: (.*)\)$`)
	// orders begin like questions.
	orders = regexp.MustCompile(`^(do not|have (it|the|a|that|this|one|an)) `)
	// apology is what every error says of itself anyway.
	apology = regexp.MustCompile(`^(error|failed|unable|cannot)\b|\b(failed|unable) to\b`)
)

// misshapen says what is wrong with the form of a message, "" if nothing is.
func misshapen(message string) string {
	switch letters := []rune(firstWord.FindString(message)); {
	case message == "":
		return "it says nothing"
	case len(letters) > 1 && unicode.IsUpper(letters[0]) && !slices.ContainsFunc(letters[1:], unicode.IsUpper):
		return fmt.Sprintf("%q begins with a capital, and is neither a name nor an acronym", string(letters))
	case strings.HasSuffix(message, ".") || strings.HasSuffix(message, "!"):
		return fmt.Sprintf("%q ends like a sentence", message)
	case message != strings.TrimSpace(message):
		return fmt.Sprintf("%q has blanks around it", message)
	case apology.MatchString(message):
		return fmt.Sprintf("%q says that it is an error: say what and why", message)
	}
	switch {
	case strings.Count(message, "(") != strings.Count(message, ")"):
		return fmt.Sprintf("%q leaves a bracket open", message)
	case strings.Contains(message, "hint") && !hint.MatchString(message):
		return fmt.Sprintf("%q has a hint that is not its last part, in brackets", message)
	}
	return ""
}

// mistold says what is wrong with the hint of a message, "" if nothing is or there is none.
func mistold(message string) string {
	told := hint.FindStringSubmatch(message)
	switch {
	case told == nil:
		return ""
	case strings.HasSuffix(told[1], "."):
		return fmt.Sprintf("%q has a hint that ends like a sentence", message)
	case question.MatchString(told[1]) && !orders.MatchString(told[1]) && !strings.Contains(told[1], "?"):
		return fmt.Sprintf("%q asks without a question mark", message)
	}
	return ""
}
