package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	maxSize = 1 << 20 // a thousand lineages are a third of it

	// What a parser that calls itself for each level can bear by far, and more than
	// any key needs.
	maxFlowDepth   = 16
	maxBlockColumn = 128
)

// parse returns the one document in src, nil if there is none. Everything it
// finds wrong is in found; a document with findings is not to be read.
func parse(src []byte) (doc ast.Node, found []Located) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if found = checkText(src); found != nil {
		return nil, found
	}
	defer func() { // the library has met fuzzers before, and its own bugs
		if recover() != nil {
			doc, found = nil, []Located{{Line: 1, Column: 1, What: "not readable as YAML", Hint: "halve the file until the line is found"}}
		}
	}()
	tokens := lexer.Tokenize(string(src))
	if found = checkDepth(tokens); found != nil {
		return nil, found
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // reader reports those, all of them
	if err != nil {
		return nil, []Located{syntaxError(err)}
	}
	for _, d := range file.Docs {
		switch {
		case d.Body == nil:
		case d.Body.Type() == ast.DirectiveType:
		case doc != nil:
			at := d.Body.GetToken().Position
			if d.Start != nil {
				at = d.Start.Position
			}
			return nil, []Located{{Line: at.Line, Column: at.Column, What: "a second document", Hint: "a configuration is one document: take the line --- out"}}
		default:
			doc = d.Body
		}
	}
	return doc, nil
}

// checkText finds what is no text that YAML may hold, and tabs in the
// indentation, which look right and are not.
func checkText(src []byte) (found []Located) {
	for i, line := range bytes.Split(src, []byte("\n")) {
		add := func(column int, what, hint string) {
			found = append(found, Located{Line: i + 1, Column: column, What: what, Hint: hint})
		}
		indent := len(line) - len(bytes.TrimLeft(line, " \t"))
		if at := bytes.IndexByte(line[:indent], '\t'); at >= 0 && len(bytes.TrimSpace(line)) > 0 {
			add(at+1, "a tab in the indentation", "use blanks")
		}
		for at, rest := 0, line; len(rest) > 0; at++ {
			r, size := utf8.DecodeRune(rest)
			if r == utf8.RuneError && size == 1 {
				add(at+1, "not UTF-8", "save the file as UTF-8")
				break
			}
			if (r < ' ' && r != '\t' && r != '\r') || r == 0x7f {
				add(at+1, fmt.Sprintf("control character %U", r), "take it out")
				break
			}
			rest = rest[size:]
		}
	}
	return found
}

// checkDepth refuses what is nested deeper than any configuration is: the parser
// calls itself for every level.
func checkDepth(tokens token.Tokens) []Located {
	flow := 0
	for _, t := range tokens {
		column := 0
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			column = t.Position.Column
		case token.MappingValueType:
			if flow == 0 && t.Prev != nil {
				column = t.Prev.Position.Column
			}
		}
		if flow > maxFlowDepth || column > maxBlockColumn {
			return []Located{{Line: t.Position.Line, Column: t.Position.Column, What: "nested too deeply", Hint: "no key stands that deep: check brackets and indentation"}}
		}
	}
	return nil
}

// syntaxError takes the parser's message, never its excerpt of the file: a
// secret could stand there.
func syntaxError(err error) Located {
	l := Located{Line: 1, Column: 1, What: "no YAML", Hint: "check the indentation"}
	var y yaml.Error
	if !errors.As(err, &y) {
		return l
	}
	if t := y.GetToken(); t != nil && t.Position != nil {
		l.Line, l.Column = max(1, t.Position.Line), max(1, t.Position.Column)
	}
	l.What = strings.ToLower(y.GetMessage())
	for part, hint := range map[string]string{
		"could not find end character":    "close the quotes",
		"mapping value is not allowed":    "put the value in quotes, or check the indentation",
		"reserved character":              "put the value in quotes",
		"sequence end token":              "close the bracket",
		"',' or '}' must be specified":    "close the brace",
		"could not find flow map content": "close the brace",
		"escape character":                "use single quotes, or write two backslashes",
		"cannot start any token":          "put the value in quotes",
		"anchor":                          "put a value that begins with & in quotes",
		"alias":                           "put a value that begins with * in quotes",
	} {
		if strings.Contains(l.What, part) {
			l.Hint = hint
		}
	}
	return l
}
