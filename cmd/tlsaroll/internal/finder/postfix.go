package finder

import (
	"context"
	"encoding/pem"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const postfixDir = "/etc/postfix"

// postfixKeys are the older ways to name a certificate and its key; chain files, where there
// are any, take the place of all of them (postconf(5), smtpd_tls_chain_files).
var postfixKeys = [][2]string{
	{"smtpd_tls_cert_file", "smtpd_tls_key_file"},
	{"smtpd_tls_eccert_file", "smtpd_tls_eckey_file"},
	{"smtpd_tls_dcert_file", "smtpd_tls_dkey_file"},
}

// postfix asks postconf, which knows defaults and what parameters stand for.
func (h Host) postfix(ctx context.Context, note func(string, ...any)) []Server {
	dir := postfixDir
	own := h.Postfix != "" && h.Postfix != dir
	if own {
		dir = h.Postfix
	}
	if !h.has(path.Join(dir, "main.cf")) {
		return nil
	}
	conf := []string{"postconf", "-c", dir}
	names := []string{"myhostname", "smtpd_tls_security_level", "smtpd_use_tls", "tls_server_sni_maps", "inet_interfaces", "multi_instance_directories", "smtpd_tls_chain_files"}
	for _, k := range postfixKeys {
		names = append(names, k[0], k[1])
	}
	text, ok := h.ask(ctx, note, "Postfix", slices.Concat(conf, []string{"-x"}, names)...)
	if !ok {
		return nil
	}
	set := settings(text)
	s := Server{Program: "Postfix", Host: strings.ToLower(set["myhostname"]), Check: [][]string{{"postfix", "check"}}, Reload: [][]string{{"postfix", "reload"}}}
	switch {
	case own:
		s.Config, s.Check, s.Reload = dir, [][]string{{"postfix", "-c", dir, "check"}}, [][]string{{"postfix", "-c", dir, "reload"}}
	case h.systemd():
		s.Reload = [][]string{{"systemctl", "reload", "postfix"}}
	}
	s.Reads = h.postfixReads(set)
	if set["smtpd_tls_security_level"] == "none" || set["smtpd_tls_security_level"] == "" && set["smtpd_use_tls"] != "yes" {
		note("Postfix: smtpd_tls_security_level is not set: it offers no TLS yet")
	}
	if maps := set["tls_server_sni_maps"]; maps != "" {
		note("Postfix: tls_server_sni_maps = %s presents other certificates by name%s, and senders that use DANE ask by the MX host's (RFC 7672, section 8.1): each that has TLSA records needs a lineage of its own, with what the map names as its install: path, and [postmap, -F, %s] before the reload", maps, h.sniNames(maps), maps)
	}
	if others := set["multi_instance_directories"]; others != "" {
		note("Postfix: multi_instance_directories = %s: other instances are not looked at, and what they present is left alone", others)
	}
	if text, ok = h.ask(ctx, note, "Postfix", slices.Concat(conf, []string{"-M"})...); ok {
		s.Ports = postfixPorts(string(text), postfixList(set["inet_interfaces"]))
		for _, own := range postfixOwn(string(text)) {
			note("Postfix: in master.cf %s of its own, which is not looked at: take it out, so that the service presents what main.cf names", own)
		}
	}
	if ok && len(s.Ports) == 0 {
		note("Postfix: it listens for this host alone, and its certificate is left alone: if a proxy here passes mail on to it, name what it reads in install:")
		return nil
	}
	return []Server{s}
}

func (h Host) postfixReads(set map[string]string) (reads []Reads) {
	files := postfixList(set["smtpd_tls_chain_files"])
	for i := 0; i < len(files); i++ {
		r := Reads{Cert: files[i], Key: files[i]}
		switch key, cert := h.holds(files[i]); {
		case key && !cert && i+1 < len(files): // alone in a file, before its chain
			r.Cert = files[i+1]
			i++
		case cert && !key && len(reads) > 0: // goes on with a chain
			continue
		}
		reads = append(reads, r)
	}
	if len(files) > 0 {
		return reads
	}
	for _, k := range postfixKeys {
		if cert := set[k[0]]; cert != "" && cert != "none" {
			reads = append(reads, Reads{Cert: cert, Key: set[k[1]]})
		}
	}
	return reads
}

// postfixList takes apart what commas and white space separate.
func postfixList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// holds reports what is in a file of keys and chains; of one that cannot be read its name tells.
func (h Host) holds(file string) (key, cert bool) {
	text, err := h.read(file)
	if err != nil {
		return true, !strings.HasSuffix(file, ".key") && !strings.Contains(path.Base(file), "privkey")
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return key, cert
		}
		key = key || strings.HasSuffix(block.Type, "PRIVATE KEY")
		cert = cert || block.Type == "CERTIFICATE"
	}
}

// sniNames are those in the sources of maps, as far as they are files.
func (h Host) sniNames(maps string) string {
	var names []string
	for _, m := range postfixList(maps) {
		_, file, _ := strings.Cut(m, ":")
		text, err := h.read(file)
		if err != nil || !path.IsAbs(file) {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 1 && !strings.HasPrefix(f[0], "#") && line[0] != ' ' && line[0] != '\t' {
				names = append(names, f[0])
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// postfixPorts reads master.cf as postconf -M prints it. Listeners without an address of their
// own have those of inet_interfaces.
func postfixPorts(master string, usual []string) (ports []uint16) {
	known := map[string]uint16{"smtp": 25, "submission": 587, "smtps": 465, "submissions": 465}
	for line := range strings.Lines(master) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != "inet" || f[7] != "smtpd" && f[7] != "postscreen" {
			continue
		}
		name := f[0][strings.LastIndex(f[0], ":")+1:]
		at := usual
		if own := strings.TrimSuffix(strings.TrimSuffix(f[0], name), ":"); own != "" {
			at = []string{own}
		}
		if len(at) > 0 && !slices.ContainsFunc(at, reachesOut) {
			continue
		}
		port := known[name]
		if n, err := strconv.ParseUint(name, 10, 16); err == nil {
			port = uint16(n)
		}
		if port != 0 && !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	return ports
}

// postfixOwn are the services of master.cf that do not take their certificates from main.cf,
// as SERVICE has PARAMETER.
func postfixOwn(master string) (own []string) {
	for line := range strings.Lines(master) {
		f := strings.Fields(line)
		if len(f) < 8 || f[7] != "smtpd" && f[7] != "postscreen" && f[7] != "tlsproxy" {
			continue
		}
		for _, m := range ownCertificate.FindAllStringSubmatch(strings.Join(f[8:], " "), -1) {
			own = append(own, f[0]+" has "+m[1])
		}
	}
	return own
}

// ownCertificate is an option that overrides which certificate is presented. An option may
// have braces around it, for white space (master(5)).
var ownCertificate = regexp.MustCompile(`-o (?:\{ ?)?(smtpd_tls_(?:chain_files|(?:ec|d)?cert_file)) ?=`)

// reachesOut reports whether others than this host can reach what listens there.
func reachesOut(address string) bool {
	address = strings.Trim(address, "[]")
	return address != "loopback-only" && address != "localhost" && address != "::1" && address != "127.0.0.1"
}
