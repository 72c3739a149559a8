package finder

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

const namedConf = "/etc/bind/named.conf"

// A Primary is a zone that this host's BIND is the primary of.
type Primary struct {
	Zone string // with its final dot
	// Keys may change its TLSA records, by its update-policy, or all of it, by allow-update.
	Keys []string
}

var (
	zoneClause = regexp.MustCompile(`(?m)^\s*zone "([^"]+)"(?: in| IN)? \{`)
	zoneType   = regexp.MustCompile(`(?m)^\s*type (?:primary|master);`)
	grant      = regexp.MustCompile(`grant "?([^"\s]+)"? ([^;]*);`)
	updateKey  = regexp.MustCompile(`key "([^"]+)"`)
	updaters   = regexp.MustCompile(`allow-update \{([^}]*)\}`)
)

// primaries asks named-checkconf, which puts included files together and hides secrets.
func (h Host) primaries(ctx context.Context, note func(string, ...any)) (found []Primary) {
	file := namedConf
	if h.BIND != "" {
		file = h.BIND
	}
	if !h.has(file) {
		return nil
	}
	out, ok := h.ask(ctx, note, "BIND", "named-checkconf", "-p", "-x", file)
	if !ok {
		return nil
	}
	text := string(out)
	for _, m := range zoneClause.FindAllStringSubmatchIndex(text, -1) {
		body := clause(text[m[1]:])
		if !zoneType.MatchString(body) {
			continue
		}
		p := Primary{Zone: strings.TrimSuffix(strings.ToLower(text[m[2]:m[3]]), ".") + "."}
		if p.Zone == "." || p.Zone == "localhost." || strings.HasSuffix(p.Zone, "in-addr.arpa.") || strings.HasSuffix(p.Zone, "ip6.arpa.") {
			continue
		}
		for _, g := range grant.FindAllStringSubmatch(body, -1) {
			if rule := strings.Fields(strings.ReplaceAll(g[2], `"`, "")); mayChangeTLSA(rule) {
				p.Keys = append(p.Keys, g[1])
			}
		}
		for _, u := range updaters.FindAllStringSubmatch(body, -1) {
			for _, k := range updateKey.FindAllStringSubmatch(u[1], -1) {
				p.Keys = append(p.Keys, k[1])
			}
		}
		found = append(found, p)
	}
	return found
}

// mayChangeTLSA reports whether the rule of a grant, from its type on, lets a key change TLSA
// records and no more: who may change everything is a person.
func mayChangeTLSA(rule []string) bool {
	return len(rule) > 1 && rule[0] != "local" && slices.Contains(rule[1:], "TLSA")
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
