package finder

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"
)

const dovecotConf = "/etc/dovecot/dovecot.conf"

// dovecotKeys are how releases name a certificate and its key, and a second one: 2.4 and 2.3.
var dovecotKeys = [][2]string{
	{"ssl_server_cert_file", "ssl_server_key_file"}, {"ssl_server_alt_cert_file", "ssl_server_alt_key_file"},
	{"ssl_cert", "ssl_key"}, {"ssl_alt_cert", "ssl_alt_key"},
}

// dovecotListeners are the ports of listeners that say none: 2.4 does not print what is usual.
var dovecotListeners = map[string]string{"imap": "143", "imaps": "993", "pop3": "110", "pop3s": "995", "submission": "587", "submissions": "465", "sieve": "4190"}

// dovecot asks doveconf.
func (h Host) dovecot(ctx context.Context, note func(string, ...any)) []Server {
	file := dovecotConf
	own := h.Dovecot != "" && h.Dovecot != file
	if own {
		file = h.Dovecot
	}
	if !h.has(file) {
		return nil
	}
	text, ok := h.ask(ctx, note, "Dovecot", "doveconf", "-c", file, "-a")
	if !ok {
		return nil
	}
	set := dovecotSettings(text)
	if set["ssl"] == "no" {
		return nil
	}
	s := Server{Program: "Dovecot", Check: [][]string{{"doveconf", "-n"}}, Reload: [][]string{{"doveadm", "reload"}}}
	switch {
	case own:
		s.Config, s.Check, s.Reload = file, [][]string{{"doveconf", "-c", file, "-n"}}, [][]string{{"doveadm", "-c", file, "reload"}}
	case h.systemd():
		s.Reload = [][]string{{"systemctl", "reload", "dovecot"}}
	}
	for _, k := range dovecotKeys {
		cert := strings.TrimSpace(strings.TrimPrefix(set[k[0]], "<"))
		if cert == "" {
			continue
		}
		key := strings.TrimSpace(strings.TrimPrefix(set[k[1]], "<"))
		if !path.IsAbs(key) { // it is hidden unless asked for by name
			key = h.dovecotKey(ctx, note, file, k[1])
		}
		s.Reads = append(s.Reads, Reads{Cert: cert, Key: key, Name: k[0]})
	}
	for _, section := range dovecotOwn(string(text)) {
		note("Dovecot: %s has a certificate of its own, which is not looked at: if TLSA records stand for it, it needs a lineage of its own", section)
	}
	s.Ports = dovecotPorts(string(text), set["protocols"])
	return []Server{s}
}

// dovecotKey is the path of a key. A key that stands in the configuration itself is let fall.
func (h Host) dovecotKey(ctx context.Context, note func(string, ...any), file, name string) string {
	text, ok := h.ask(ctx, note, "Dovecot", "doveconf", "-c", file, "-P", name)
	if !ok {
		return ""
	}
	key, isFile := strings.CutPrefix(dovecotSettings(text)[name], "<")
	if !isFile && !strings.HasSuffix(name, "_file") || !path.IsAbs(key) {
		return ""
	}
	return key
}

// dovecotSettings are those outside of sections. Since 2.4 settings whose names begin alike may
// be printed as a section, and lists of words as one of what is on.
func dovecotSettings(text []byte) map[string]string {
	set := settings(text)
	section, depth := "", 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutSuffix(line, "{"); ok {
			section = strings.TrimSpace(name)
			depth++
			continue
		}
		if line == "}" {
			depth--
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok || depth != 1:
		case section == "ssl_server":
			set[section+"_"+name] = value
		case section == "protocols" && value == "yes":
			set[section] += " " + name
		}
	}
	return set
}

// dovecotOwn are the sections for some names, addresses or protocols that have certificates.
func dovecotOwn(text string) (own []string) {
	var sections []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		outer, _, _ := strings.Cut(outermost(sections), " ")
		switch name, opens := strings.CutSuffix(line, "{"); {
		case opens:
			sections = append(sections, strings.TrimSpace(name))
		case line == "}":
			sections = sections[:max(0, len(sections)-1)]
		case slices.Contains([]string{"local_name", "local", "remote", "protocol"}, outer):
			name, value, _ := strings.Cut(line, "=")
			if name = strings.TrimSpace(name); sections[len(sections)-1] == "ssl_server" {
				name = "ssl_server_" + name
			}
			is := func(k [2]string) bool { return k[0] == name }
			if strings.TrimSpace(value) != "" && slices.ContainsFunc(dovecotKeys, is) && !slices.Contains(own, sections[0]) {
				own = append(own, sections[0])
			}
		}
	}
	return own
}

// dovecotPorts are those of the listeners whose protocol is on.
func dovecotPorts(text, protocols string) (ports []uint16) {
	on := strings.Fields(strings.Trim(protocols, `"`))
	var sections []string
	port := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		listener, within := "", len(sections) == 2
		if within {
			listener, within = strings.CutPrefix(sections[1], "inet_listener ")
		}
		switch name, opens := strings.CutSuffix(line, "{"); {
		case opens:
			sections, port = append(sections, strings.TrimSpace(name)), ""
		case line == "}":
			protocol, login := strings.CutSuffix(strings.TrimPrefix(outermost(sections), "service "), "-login")
			if protocol == "managesieve" {
				protocol = "sieve"
			}
			n, err := strconv.ParseUint(or(port, dovecotListeners[listener]), 10, 16)
			if within && login && err == nil && n != 0 && slices.Contains(on, protocol) {
				ports = append(ports, uint16(n))
			}
			sections = sections[:max(0, len(sections)-1)]
		case within && strings.HasPrefix(line, "port = "):
			port = strings.TrimPrefix(line, "port = ")
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// outermost is the outermost section, "" outside of all.
func outermost(sections []string) string {
	if len(sections) == 0 {
		return ""
	}
	return sections[0]
}
