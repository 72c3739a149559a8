package finder

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// openSMTPD reads smtpd.conf(5): nobody prints it with its macros filled in.
func (h Host) openSMTPD(_ context.Context, note func(string, ...any)) []Server {
	var text []byte
	conf := ""
	for i, file := range []string{"/etc/smtpd.conf", "/etc/mail/smtpd.conf", "/etc/opensmtpd/smtpd.conf"} {
		var err error
		if text, err = h.read(file); err == nil {
			if i > 0 {
				conf = file
			}
			break
		}
	}
	if text == nil {
		return nil
	}
	s := Server{Program: "OpenSMTPD", Host: h.name(), Config: conf, Check: [][]string{{"smtpd", "-n"}}, Reload: [][]string{{"smtpctl", "stop"}, {"smtpd"}}}
	if h.systemd() { // it reads certificates when it starts
		s.Reload = [][]string{{"systemctl", "restart", "opensmtpd"}}
	}
	macros, files, order := map[string]string{}, map[string]Reads{}, []string(nil)
	for _, line := range smtpdLines(string(text)) {
		words := smtpdWords(line, macros)
		switch {
		case len(words) >= 3 && words[1] == "=":
			macros[words[0]] = words[2]
		case len(words) >= 4 && words[0] == "pki":
			r := files[words[1]]
			r.Name = words[1]
			switch words[2] {
			case "cert":
				r.Cert = words[3]
			case "key":
				r.Key = words[3]
			}
			if _, ok := files[words[1]]; !ok {
				order = append(order, words[1])
			}
			files[words[1]] = r
		case len(words) > 2 && words[0] == "listen" && words[1] == "on":
			s.listens(words)
		}
	}
	for _, name := range order {
		if files[name].Cert == "" {
			note("OpenSMTPD: pki %s names no certificate", name)
			continue
		}
		s.Reads = append(s.Reads, files[name])
	}
	slices.Sort(s.Ports)
	s.Ports = slices.Compact(s.Ports)
	return []Server{s}
}

// listens takes in a line "listen on".
func (s *Server) listens(words []string) {
	if words[2] == "socket" || strings.HasPrefix(words[2], "lo") || words[2] == "localhost" {
		return
	}
	var ports []uint16
	encrypted := false
	for i, w := range words {
		switch {
		case w == "port" && i+1 < len(words):
			if n, err := strconv.ParseUint(words[i+1], 10, 16); err == nil {
				ports = []uint16{uint16(n)}
			} else if n, ok := map[string]uint16{"smtp": 25, "submission": 587, "smtps": 465, "submissions": 465}[words[i+1]]; ok {
				ports = []uint16{n}
			}
		case w == "hostname" && i+1 < len(words):
			s.Host = strings.ToLower(words[i+1])
		case w == "tls" || w == "tls-require":
			encrypted = true
			if ports == nil {
				ports = []uint16{25}
			}
		case w == "smtps":
			encrypted = true
			if ports == nil {
				ports = []uint16{465}
			}
		}
	}
	if encrypted {
		s.Ports = append(s.Ports, ports...)
	}
}

// smtpdLines are the lines without comments, those that go on put together.
func smtpdLines(text string) (lines []string) {
	for _, line := range strings.Split(strings.ReplaceAll(text, "\\\n", " "), "\n") {
		line, _, _ = strings.Cut(line, "#")
		lines = append(lines, strings.ReplaceAll(line, "=", " = "))
	}
	return lines
}

// smtpdWords are a line's, with macros put in and without quotes.
func smtpdWords(line string, macros map[string]string) (words []string) {
	for _, w := range strings.Fields(line) {
		w = strings.Trim(w, `"`)
		if name, ok := strings.CutPrefix(w, "$"); ok {
			w = macros[name]
		}
		words = append(words, w)
	}
	return words
}
