package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

const commandExample = "[systemctl, reload, postfix]"

// commands reads a list of argument lists into to.
func (f *fields) commands(name string, to *[][]string) {
	v, ok := f.take(name)
	if !ok {
		return
	}
	if words, ok := v.words(); ok {
		v.fail("not a list of argument lists", "write ["+argumentList(words)+"]")
		return
	}
	for _, item := range v.list() {
		if c, ok := item.command(); ok {
			*to = append(*to, c)
		}
	}
}

// words takes apart what was meant as one command, written as a string or as a
// single list.
func (v value) words() ([]string, bool) {
	if s, ok := v.scalarText(); ok {
		return strings.Fields(s), true
	}
	var words []string
	for _, item := range v.list() {
		s, ok := item.scalarText()
		if !ok {
			return nil, false
		}
		words = append(words, strings.Fields(s)...)
	}
	return words, len(words) > 0
}

// command reads one argument list.
func (v value) command() ([]string, bool) {
	s, ok := v.node.(*ast.SequenceNode)
	if !ok {
		if words, ok := v.words(); ok {
			v.fail("not an argument list", "write "+argumentList(words))
		} else {
			v.fail("not an argument list", "write "+commandExample)
		}
		return nil, false
	}
	if len(s.Values) == 0 {
		v.fail("an empty argument list", "write "+commandExample)
		return nil, false
	}
	args, whole := make([]string, 0, len(s.Values)), true
	for i, item := range v.items(s) {
		arg, ok := item.scalarText()
		if !ok || (i == 0 && arg == "") {
			item.fail("no argument", "write "+commandExample)
		}
		args, whole = append(args, arg), whole && ok && (i > 0 || arg != "")
	}
	if whole && len(args) == 1 && len(strings.Fields(args[0])) > 1 {
		v.fail("one argument where several are meant", "write "+argumentList(strings.Fields(args[0])))
		return nil, false
	}
	if whole && strings.Contains(args[0], "/") && !strings.HasPrefix(args[0], "/") {
		v.fail(fmt.Sprintf("relative path %q", args[0]), "write it from the root, or the name alone to have it looked up in PATH")
		return nil, false
	}
	return args, whole && len(args) == len(s.Values)
}

// argumentList writes a command as a YAML list.
func argumentList(args []string) string {
	if len(args) == 0 {
		return commandExample
	}
	quoted := make([]string, len(args))
	for i, a := range args {
		if quoted[i] = a; strings.ContainsAny(a, ",[]{}:#&*!|>'\"%@`\\") {
			quoted[i] = strconv.Quote(a)
		}
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
