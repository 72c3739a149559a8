package draft

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// steps are all that is to be done by hand, in order.
func (w World) steps(d Draft, a Answers, lineages []lineage) (steps []Step) {
	if w.Blind != "" {
		steps = append(steps, Step{"Have a validating resolver answer at " + w.Resolver.String() + ":", []string{"apt-get install unbound"}})
	}
	if w.zone(a.Hosts).Security == "insecure" && d.primary != nil {
		steps = append(steps, d.signZone())
	}
	if a.Provider == "rfc2136" && !d.keyStands && len(d.Secrets) > 0 {
		steps = append(steps, d.makeKey())
	}
	if d.primary != nil && d.primary.Provider == a.Provider && a.Provider == "powerdns" && d.primary.API == "" {
		steps = append(steps, Step{"Turn on PowerDNS' HTTP API, in /etc/powerdns/pdns.conf, with a key of your own:", []string{"api=yes", "api-key=KEY", "", "systemctl restart pdns"}})
	}
	for _, file := range d.Secrets {
		steps = append(steps, Step{"Put the secret alone into " + file + " (it is taken from the terminal; end with Ctrl-D):", []string{
			"install -m 0600 /dev/stdin " + Quoted(file),
		}})
	}
	if len(d.Unfinished) > 0 {
		steps = append(steps, Step{"Put your own " + strings.Join(d.Unfinished, ", ") + " into the configuration; this says where they come from:", []string{"tlsaroll provider list " + a.Provider}})
	}
	for _, copies := range byServer(lineages) {
		if slices.ContainsFunc(copies, func(c copyTo) bool { return !c.stands }) {
			steps = append(steps, move(copies))
		}
	}
	if dirs := w.closed(lineages); len(dirs) > 0 {
		steps = append(steps, Step{"Let the daemon's unit write there:", []string{
			"install -d /etc/systemd/system/tlsaroll.service.d",
			"printf '[Service]\\nReadWritePaths=%s\\n' " + Quoted(strings.Join(dirs, " ")) + " > /etc/systemd/system/tlsaroll.service.d/init.conf",
			"systemctl daemon-reload",
		}})
	}
	if clients := hooked(lineages); len(clients) > 0 {
		steps = append(steps, Step{"If " + strings.Join(clients, " or ") + " has a hook that copies files or reloads a mail server, take it out: tlsaroll does that, when DNS allows it.", nil})
	}
	return steps
}

// byServer are all copies, those of one server together: its configuration is changed once.
func byServer(lineages []lineage) (out [][]copyTo) {
	for _, l := range lineages {
		for _, c := range l.copies() {
			i := slices.IndexFunc(out, func(of []copyTo) bool { return of[0].server.Program == c.server.Program })
			if i < 0 {
				i, out = len(out), append(out, nil)
			}
			out[i] = append(out[i], c)
		}
	}
	return out
}

// move has a server read copies of its own, with what it serves now.
func move(copies []copyTo) Step {
	var lines []string
	for _, c := range copies {
		if c.stands {
			continue
		}
		for _, line := range c.make() {
			if !slices.Contains(lines, line) { // a directory may be for two
				lines = append(lines, line)
			}
		}
	}
	s := copies[0].server
	conf, settings := settingsOf(copies)
	lines = append(append(lines, "", "# "+conf), settings...)
	lines = append(lines, "")
	if s.Program == "Exim" && debian(s) {
		lines = append(lines, "update-exim4.conf")
	}
	for _, argv := range slices.Concat(s.Check, s.Reload) {
		var words []string
		for _, w := range argv {
			words = append(words, Quoted(w))
		}
		lines = append(lines, strings.Join(words, " "))
	}
	switch { // Exim watches its certificates, and reads its configuration when it starts
	case s.Program != "Exim":
	case debian(s):
		lines = append(lines, "systemctl restart exim4")
	default:
		lines = append(lines, "systemctl restart exim")
	}
	return Step{"Give " + s.Program + " files of its own, with what it serves now:", lines}
}

// make fills a copy.
func (c copyTo) make() []string {
	cert, key := Quoted(c.reads.Cert), Quoted(cmp.Or(c.reads.Key, "KEY"))
	if c.file != "" { // in one step, as the server reads it already where this is done again
		next, both := Quoted(c.file+".new"), key+" "+cert
		if c.reads.Combined() {
			both = cert
		}
		return []string{
			"install -d -m 0700 " + Quoted(path.Dir(c.file)),
			"install -m 0600 /dev/null " + next,
			"cat " + both + " > " + next + " && mv " + next + " " + Quoted(c.file),
		}
	}
	owner, mode := c.owner()
	user, group, _ := strings.Cut(owner, ":")
	as, dirMode := "-o "+user+" -g "+group+" ", "0700"
	if mode == "0640" {
		dirMode = "0750"
	}
	return []string{
		"install -d -m 0755 " + Quoted(path.Dir(c.dir)),
		"install -d " + as + "-m " + dirMode + " " + Quoted(c.dir),
		"install " + as + "-m " + mode + " " + cert + " " + Quoted(path.Join(c.dir, "fullchain.pem")),
		"install " + as + "-m " + mode + " " + key + " " + Quoted(path.Join(c.dir, "privkey.pem")),
	}
}

// settingsOf are the lines for a server's configuration, and where they go.
func settingsOf(copies []copyTo) (file string, lines []string) {
	var files []string
	for _, c := range copies {
		chain, key := path.Join(c.dir, "fullchain.pem"), path.Join(c.dir, "privkey.pem")
		switch c.server.Program {
		case "Postfix":
			files = append(files, c.file)
			file = path.Join(cmp.Or(c.server.Config, "/etc/postfix"), "main.cf") + ": this takes the place of smtpd_tls_cert_file, smtpd_tls_key_file and their like"
			command := "postconf -e "
			if c.server.Config != "" {
				command = "postconf -c " + Quoted(c.server.Config) + " -e "
			}
			lines = []string{command + Quoted("smtpd_tls_chain_files = "+strings.Join(files, ", "))}
		case "Dovecot":
			file = cmp.Or(c.server.Config, "/etc/dovecot/conf.d/10-ssl.conf")
			from := "<"
			if strings.HasSuffix(c.reads.Name, "_file") { // since 2.4
				from = ""
			}
			lines = append(lines, c.reads.Name+" = "+from+chain, strings.Replace(c.reads.Name, "cert", "key", 1)+" = "+from+key)
		case "Exim":
			files = append(files, c.dir)
			if !debian(c.server) {
				file = "/etc/exim/exim.conf"
				lines = []string{"tls_certificate = " + eximFiles(files, "fullchain.pem"), "tls_privatekey = " + eximFiles(files, "privkey.pem")}
				continue
			}
			file = "/etc/exim4/exim4.conf.localmacros"
			lines = []string{"MAIN_TLS_ENABLE = yes", "MAIN_TLS_CERTIFICATE = " + eximFiles(files, "fullchain.pem"), "MAIN_TLS_PRIVATEKEY = " + eximFiles(files, "privkey.pem")}
		default:
			file = cmp.Or(c.server.Config, "/etc/smtpd.conf")
			lines = append(lines, `pki `+c.reads.Name+` cert "`+chain+`"`, `pki `+c.reads.Name+` key "`+key+`"`)
		}
	}
	return file, lines
}

// eximFiles is a list of files as Exim has it.
func eximFiles(dirs []string, name string) string {
	var files []string
	for _, dir := range dirs {
		files = append(files, path.Join(dir, name))
	}
	return strings.Join(files, " : ")
}

// hooked are the clients whose certificates are taken over.
func hooked(lineages []lineage) (clients []string) {
	seen := map[string]bool{}
	for _, l := range lineages {
		if l.pair != nil && !seen[l.pair.Client] {
			seen[l.pair.Client] = true
			clients = append(clients, l.pair.Client)
		}
	}
	return clients
}
