package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
)

// maxAliases bounds how often *aliases are followed, so that aliases of aliases
// cannot make a small file a large one.
const maxAliases = 10_000

// reader goes through a document and collects what is wrong with it.
type reader struct {
	Loader
	anchors  map[string]ast.Node
	followed int

	errors, warnings []Located

	seen      map[string]value // by path: what was read, for findings that need two places
	providers map[string]bool  // every name that stands under providers
	zoned     []Provider       // those that could be read
	owners    map[string]owner // by host and port: whose RRset it is
	claims    []claim          // files that someone writes
	keys      map[string]bool  // every key that anything asked for
}

// value is a node of the document and the way there.
type value struct {
	*reader
	node ast.Node
	path string
	key  *ast.MappingValueNode // nil in a list
}

// fail and warn take a sentence and the hint that mends it.
func (v value) fail(what, hint string) { v.errors = append(v.errors, v.located(what, hint)) }
func (v value) warn(what, hint string) { v.warnings = append(v.warnings, v.located(what, hint)) }

func (v value) located(what, hint string) Located {
	l := Located{Line: 1, Column: 1, Path: v.path, What: what, Hint: hint}
	if t := start(v.node).GetToken(); t != nil && t.Position != nil {
		l.Line, l.Column = t.Position.Line, t.Position.Column
	}
	return l
}

// lacks reports something that should stand below v, at v's key: that is where
// one looks for it.
func (v value) lacks(what, hint string) {
	if v.key != nil {
		v.node = v.key.Key
	}
	v.fail(what, hint)
}

// start is the node that begins what n is: block collections have their first
// colon or dash as token.
func start(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key
		}
	case *ast.MappingValueNode:
		return n.Key
	}
	return n
}

// resolve takes anchors, aliases and tags off a node.
func (v value) resolve() (value, bool) {
	for {
		switch n := v.node.(type) {
		case *ast.AnchorNode:
			v.node = n.Value
		case *ast.TagNode:
			if tag := n.GetToken().Value; tag != "!!str" && tag != "!!map" && tag != "!!seq" && tag != "!!int" && tag != "!!bool" {
				v.fail(fmt.Sprintf("unknown tag %q", tag), "take it out")
				return v, false
			}
			v.node = n.Value
		case *ast.AliasNode:
			name := n.Value.GetToken().Value
			target, ok := v.anchors[name]
			if !ok {
				v.fail(fmt.Sprintf("no anchor &%s above", shown(name)), "put a value that begins with * in quotes")
				return v, false
			}
			if v.followed++; v.followed > maxAliases {
				if v.followed == maxAliases+1 {
					v.fail("too many aliases", "write the values out")
				}
				return v, false
			}
			v.node = target
		case nil, *ast.NullNode:
			v.lacks("empty", "give it a value, or take the key out")
			return v, false
		default:
			return v, true
		}
	}
}

// anchorFinder notes every anchored node.
type anchorFinder map[string]ast.Node

func (f anchorFinder) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok && a.Name != nil && a.Value != nil {
		f[a.Name.GetToken().Value] = a.Value
	}
	return f
}

func (v value) isMapping() bool {
	switch v.node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

func (v value) isEmpty() bool {
	s, ok := v.node.(*ast.SequenceNode)
	return ok && len(s.Values) == 0
}

// list is the items of a list, or one value as the list of itself.
func (v value) list() []value {
	v, ok := v.resolve()
	if !ok {
		return nil
	}
	s, ok := v.node.(*ast.SequenceNode)
	if !ok {
		return []value{v}
	}
	return v.items(s)
}

func (v value) items(s *ast.SequenceNode) []value {
	items := make([]value, 0, len(s.Values))
	for i, n := range s.Values {
		item := value{v.reader, n, v.path + "[" + strconv.Itoa(i) + "]", nil}
		if n == nil {
			v.fail("an empty item", "give it a value, or take the dash out")
			continue
		}
		if item, ok := item.resolve(); ok {
			items = append(items, item)
		}
	}
	return items
}

// fields is a mapping that is being read key by key.
type fields struct {
	value
	values map[string]value
	names  []string // in the order of the file
	asked  []string
}

// mapping reads v as a mapping; example is the hint if it is none.
func (v value) mapping(example string) (fields, bool) {
	f := fields{value: v, values: map[string]value{}}
	v, ok := v.resolve()
	if !ok {
		return f, false
	}
	f.node = v.node
	switch n := v.node.(type) {
	case *ast.MappingNode:
		f.add(n.Values, map[*ast.MappingValueNode]bool{})
	case *ast.MappingValueNode:
		f.add([]*ast.MappingValueNode{n}, map[*ast.MappingValueNode]bool{})
	default:
		v.fail("not a mapping of keys to values", example)
		return f, false
	}
	return f, true
}

// add takes in entries; a merge key gives what is not written out.
func (f *fields) add(entries []*ast.MappingValueNode, within map[*ast.MappingValueNode]bool) {
	var merged []*ast.MappingValueNode
	for _, e := range entries {
		if e.Key.IsMergeKey() {
			merged = append(merged, e)
			continue
		}
		name := keyName(e)
		child := value{f.reader, e.Value, name, e}
		if f.path != "" {
			child.path = f.path + "." + name
		}
		if first, twice := f.values[name]; twice {
			if len(within) == 0 {
				at := first.key.Key.GetToken().Position
				child.lacks(fmt.Sprintf("the key is given twice, first in line %d", at.Line), "keep one")
			}
			continue
		}
		f.values[name] = child
		f.names = append(f.names, name)
	}
	for _, e := range merged {
		if within[e] {
			continue // an anchor merged into itself
		}
		within[e] = true
		from := value{f.reader, e.Value, f.path + ".<<", e}
		for _, v := range from.list() {
			switch n := v.node.(type) {
			case *ast.MappingNode:
				f.add(n.Values, within)
			case *ast.MappingValueNode:
				f.add([]*ast.MappingValueNode{n}, within)
			default:
				v.fail("no mapping to merge", "write <<: *anchor")
			}
		}
		delete(within, e)
	}
}

// take returns the value of a key, false where there is none. Every key that may
// stand is asked for, before [fields.done].
func (f *fields) take(name string) (value, bool) {
	if !f.has(name) {
		return value{}, false
	}
	v, ok := f.values[name].resolve()
	if ok {
		f.seen[v.path] = v
	}
	return v, ok
}

// has reports whether a key stands there, whatever its value is.
func (f *fields) has(name string) bool {
	f.asked = append(f.asked, name)
	f.reader.keys[name] = true
	_, ok := f.values[name]
	return ok
}

// all gives every entry of a mapping whose keys are names.
func (f *fields) all() []value {
	f.asked = append(f.asked, f.names...)
	values := make([]value, 0, len(f.names))
	for _, name := range f.names {
		if v, ok := f.values[name].resolve(); ok {
			f.seen[v.path] = v
			values = append(values, v)
		}
	}
	return values
}

// name is the key that v stands under.
func (v value) name() string { return keyName(v.key) }

func keyName(e *ast.MappingValueNode) string {
	if k, ok := e.Key.(*ast.MappingKeyNode); ok && k.Value != nil { // ? name
		return k.Value.GetToken().Value
	}
	return e.Key.GetToken().Value
}

// done reports the keys that nothing asked for.
func (f *fields) done() {
	for _, name := range f.names {
		if slices.Contains(f.asked, name) {
			continue
		}
		v := f.values[name]
		v.path = strings.TrimSuffix(v.path, name) + shown(name)
		v.lacks("unknown key", suggest.Hint(name, slices.Sorted(maps.Keys(set(f.asked))), "known here: "))
	}
}

func set(words []string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}
