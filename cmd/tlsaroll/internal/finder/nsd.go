package finder

import (
	"context"
	"strings"
)

const nsdConf = "/etc/nsd/nsd.conf"

// nsd asks nsd-checkconf, which puts included files and patterns together. NSD takes no changes
// over the network, and does not sign.
func (h Host) nsd(ctx context.Context, note func(string, ...any)) (found []Primary) {
	file := or(h.NSD, nsdConf)
	if !h.has(file) {
		return nil
	}
	out, ok := h.ask(ctx, note, "NSD", "nsd-checkconf", "-v", file)
	if !ok {
		return nil
	}
	section, name, follows := "", "", false
	end := func() {
		if zone, ours := zoneName(name); section == "zone:" && ours && !follows {
			found = append(found, Primary{Server: "NSD", Zone: zone})
		}
		name, follows = "", false
	}
	for line := range strings.Lines(string(out)) {
		if line[0] != '\t' && line[0] != ' ' { // a section, or what is none
			end()
			section = strings.TrimSpace(line)
			continue
		}
		switch word, value, _ := strings.Cut(strings.TrimSpace(line), ":"); word {
		case "name":
			name = strings.Trim(strings.TrimSpace(value), `"`)
		case "request-xfr":
			follows = true
		}
	}
	end()
	return found
}
