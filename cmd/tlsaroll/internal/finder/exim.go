package finder

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// exim asks Exim itself, by the name that it has here.
func (h Host) exim(ctx context.Context, note func(string, ...any)) []Server {
	if !h.has("/etc/exim4") && !h.has("/etc/exim") {
		return nil
	}
	program := "exim"
	if h.has("/usr/sbin/exim4") {
		program = "exim4"
	}
	text, ok := h.ask(ctx, note, "Exim", program, "-bP", "primary_hostname", "tls_certificate", "tls_privatekey", "daemon_smtp_ports", "tls_on_connect_ports")
	if !ok {
		return nil
	}
	set := settings(text)
	s := Server{Program: "Exim", Host: strings.ToLower(set["primary_hostname"]), Check: [][]string{{program, "-bV"}}}
	for _, list := range []string{set["daemon_smtp_ports"], set["tls_on_connect_ports"]} {
		for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r == ':' || r == ' ' || r == ',' }) {
			n, err := strconv.ParseUint(word, 10, 16)
			port := map[string]uint16{"smtp": 25, "submission": 587, "smtps": 465, "ssmtp": 465, "submissions": 465}[word]
			if err == nil {
				port = uint16(n)
			}
			if port != 0 {
				s.Ports = append(s.Ports, port)
			}
		}
	}
	slices.Sort(s.Ports)
	s.Ports = slices.Compact(s.Ports)
	if strings.Contains(set["tls_certificate"]+set["tls_privatekey"], "$") {
		note("Exim: tls_certificate is worked out for each connection, so which file it reads cannot be told")
		return []Server{s}
	}
	certs, keys := eximList(set["tls_certificate"]), eximList(set["tls_privatekey"])
	for i, cert := range certs {
		r := Reads{Cert: cert, Key: cert}
		if i < len(keys) {
			r.Key = keys[i]
		}
		s.Reads = append(s.Reads, r)
	}
	return []Server{s}
}

// eximList takes a list of files apart.
func eximList(text string) (files []string) {
	for _, f := range strings.Split(text, ":") {
		if f = strings.TrimSpace(f); f != "" {
			files = append(files, f)
		}
	}
	return files
}
