package finder

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"
)

const namedConf = "/etc/bind/named.conf"

var (
	zoneClause   = regexp.MustCompile(`(?m)^\s*zone "([^"]+)"(?: in| IN)? \{`)
	zoneType     = regexp.MustCompile(`(?m)^\s*type (?:primary|master);`)
	grant        = regexp.MustCompile(`grant "?([^"\s]+)"? ([^;]*);`)
	updateKey    = regexp.MustCompile(`(!?)key "([^"]+)"`)
	updaters     = regexp.MustCompile(`allow-update \{([^}]*)\}`)
	keyClause    = regexp.MustCompile(`(?m)^\s*key\s+"?([^"\s{]+)"?\s*\{`)
	keyAlgorithm = regexp.MustCompile(`algorithm\s+"?([^"\s;]+)"?;`)
)

// bind asks named-checkconf, which puts included files together and hides secrets.
func (h Host) bind(ctx context.Context, note func(string, ...any)) (found []Primary) {
	file := or(h.BIND, namedConf)
	if !h.has(file) {
		return nil
	}
	out, ok := h.ask(ctx, note, "BIND", "named-checkconf", "-p", "-x", file)
	if !ok {
		return nil
	}
	text := string(out)
	keys := keyClauses(text).in(h, file)
	for _, m := range zoneClause.FindAllStringSubmatchIndex(text, -1) {
		body := clause(text[m[1]:])
		name, ours := zoneName(text[m[2]:m[3]])
		if !ours || !zoneType.MatchString(body) {
			continue
		}
		p := Primary{Server: "BIND", Zone: name, Provider: byUpdate}
		for _, g := range grant.FindAllStringSubmatch(body, -1) {
			if rule := strings.Fields(strings.ReplaceAll(g[2], `"`, "")); mayChangeTLSA(rule) {
				p.Keys = append(p.Keys, keys.named(g[1]))
			}
		}
		for _, u := range updaters.FindAllStringSubmatch(body, -1) {
			for _, k := range updateKey.FindAllStringSubmatch(u[1], -1) {
				if k[1] == "" { // or it may not
					p.Keys = append(p.Keys, keys.named(k[2]))
				}
			}
		}
		if slices.ContainsFunc(found, func(f Primary) bool { return f.Zone == name }) {
			note("BIND: the zone %s is in more than one view, and which one a change reaches is up to named.conf: it has to be the one that the world sees", strings.TrimSuffix(name, "."))
			continue
		}
		found = append(found, p)
	}
	return found
}

// keyring has what is known of keys, by name without the final dot.
type keyring map[string]Key

// named is a key as somebody calls it.
func (r keyring) named(name string) Key {
	k := r[keyName(name)]
	k.Name = name
	return k
}

func keyName(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// in finds for each key a file that has its secret, among those of a directory.
func (r keyring) in(h Host, file string) keyring {
	dir := path.Dir(file)
	for _, file := range slices.Concat([]string{file}, h.glob(path.Join(dir, "*.key")), h.glob(path.Join(dir, "*.conf*")), h.glob(path.Join(dir, "keys", "*"))) {
		for name, k := range r {
			if k.File != "" {
				continue
			}
			if _, err := h.ReadTSIG(file, name); err == nil {
				k.File = file
				r[name] = k
			}
		}
	}
	return r
}

// keyClauses are the keys that a text in BIND's form defines.
func keyClauses(text string) keyring {
	ring := keyring{}
	for _, m := range keyClause.FindAllStringSubmatchIndex(text, -1) {
		k := Key{Name: text[m[2]:m[3]]}
		if a := keyAlgorithm.FindStringSubmatch(clause(text[m[1]:])); a != nil {
			k.Algorithm = strings.ToLower(a[1])
		}
		ring[keyName(k.Name)] = k
	}
	return ring
}

// mayChangeTLSA reports whether the rule of a grant, from its type on, lets a key change TLSA
// records and no more: who may change everything is a person.
func mayChangeTLSA(rule []string) bool {
	return len(rule) > 1 && rule[0] != "local" && slices.ContainsFunc(rule[1:], func(kind string) bool {
		kind, _, _ = strings.Cut(kind, "(") // how many of them, since 9.20
		return strings.EqualFold(kind, "TLSA")
	})
}

// clause is a text up to the brace that ends what began before it.
func clause(text string) string {
	depth := 1
	for i, r := range text {
		switch r {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return text[:i]
			}
		}
	}
	return text
}
