package finder

import (
	"cmp"
	"context"
	"net"
	"path"
	"slices"
	"strings"
)

const powerDNSDir = "/etc/powerdns"

// powerDNS reads pdns.conf for the ways by which it takes changes, and asks pdnsutil for zones:
// they are in a database.
func (h Host) powerDNS(ctx context.Context, note func(string, ...any)) (found []Primary) {
	dir := or(h.PowerDNS, powerDNSDir)
	text, err := h.read(path.Join(dir, "pdns.conf"))
	if err != nil {
		return nil
	}
	set := settings(text)
	if more := set["include-dir"]; more != "" {
		for _, file := range h.glob(path.Join(more, "*.conf")) {
			if text, err := h.read(file); err == nil {
				for name, value := range settings(text) {
					set[name] = value
				}
			}
		}
	}
	p := Primary{Server: "PowerDNS", Provider: byAPI}
	switch {
	case isYes(set["api"]):
		p.API = "http://" + net.JoinHostPort(reachable(set["webserver-address"]), cmp.Or(set["webserver-port"], "8081"))
	case isYes(set["dnsupdate"]):
		p.Provider = byUpdate
	}
	util := []string{"pdnsutil"}
	if dir != powerDNSDir {
		util = append(util, "--config-dir="+dir)
	}
	pdnsutil := func(args ...string) (string, bool) {
		out, ok := h.ask(ctx, note, "PowerDNS", append(slices.Clone(util), args...)...)
		return string(out), ok
	}
	for _, kind := range []string{"native", "master"} {
		zones, ok := pdnsutil("list-all-zones", kind)
		if !ok {
			return nil
		}
		for _, zone := range strings.Fields(zones) {
			name, ours := zoneName(zone)
			if !ours || !strings.Contains(zone, ".") { // a word of what it says beside
				continue
			}
			p := p
			p.Zone = name
			if p.Provider == byUpdate {
				keys, _ := pdnsutil("get-meta", zone, allowUpdate)
				for _, key := range strings.FieldsFunc(settings([]byte(keys))[allowUpdate], func(r rune) bool { return r == ',' || r == ' ' }) {
					p.Keys = append(p.Keys, Key{Name: strings.TrimSuffix(key, ".") + "."})
				}
			}
			found = append(found, p)
		}
	}
	return found
}

// allowUpdate is a zone's metadata with the keys that may change it.
const allowUpdate = "TSIG-ALLOW-DNSUPDATE"

func isYes(text string) bool { return text == "yes" || text == "on" || text == "true" || text == "1" }

// reachable is an address at which a server of this host answers that listens there.
func reachable(listens string) string {
	switch listens {
	case "", "0.0.0.0", "::":
		return "127.0.0.1"
	}
	return listens
}
