package draft

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Draft is a configuration and what goes along with it.
type Draft struct {
	YAML string
	// Lineages are their names.
	Lineages []string
	// Secrets are files that the configuration names and that are not there yet.
	Secrets []string
	// Unfinished are settings that nobody but the operator knows.
	Unfinished []string
	// Moves is set where a server does not yet read what tlsaroll will write: until it does,
	// nothing can be taken over.
	Moves bool
	// Steps are what is to be done before it can run, each with its lines.
	Steps []Step

	zone, key string
	keyStands bool // the primary has it
	// primary is the zone's, if it is on this host.
	primary *finder.Primary
}

// A Step is something that a person does on the host.
type Step struct {
	Title string
	Lines []string
}

// AskCertificate asks which pair is to follow the one that is served, nil where there is no
// doubt.
func (w World) AskCertificate(a Answers) *Question {
	_, q := w.lineages(a)
	return q
}

// AskMail asks who is told when something is wrong. Every domain that takes mail in has a
// postmaster (RFC 5321, section 4.5.1).
func (w World) AskMail(a Answers) Question {
	domain := strings.TrimSuffix(w.zone(a.Hosts).Domain, ".")
	if domain == "" && len(a.Hosts) > 0 {
		_, domain, _ = strings.Cut(a.Hosts[0], ".")
	}
	return Question{Text: "the mail address that is told when something is wrong", Default: "postmaster@" + domain}
}

// Write puts all of it into words. Hosts, provider and mail have been answered.
func (w World) Write(a Answers) Draft {
	var y page
	var d Draft
	w.head(&y, a)
	d = w.provider(&y, d, a)
	lineages, _ := w.lineages(a)
	y.line("")
	y.line("lineages:")
	for i, l := range lineages {
		if i > 0 {
			y.line("")
		}
		d.Lineages = append(d.Lineages, l.name)
		w.lineage(&y, l)
	}
	d.YAML = y.String()
	d.Steps = w.steps(d, a, lineages)
	d.Moves = slices.ContainsFunc(lineages, func(l lineage) bool {
		return slices.ContainsFunc(l.copies(), func(c copyTo) bool { return !c.stands })
	})
	return d
}

// head writes what is not about one certificate.
func (w World) head(y *page, a Answers) {
	y.comment("What tlsaroll init found on this host. Everything not said here has its default; a person may change all of it.")
	for _, note := range w.Notes {
		y.comment("Found, and left out: " + note + ".")
	}
	y.line("")
	y.said("state: /var/lib/tlsaroll", "journal, and copies of all pairs: back it up")
	y.said("listen: 127.0.0.1:9253", "status page and /metrics, for this host alone")
	y.line("")
	if w.Blind == "" {
		y.comment("A resolver on this host that validates DNSSEC: it was tried.")
	} else {
		y.comment("A resolver that validates DNSSEC has to answer here. It does not yet: " + w.Blind + ".")
		y.comment("Debian's unbound is one as it comes.")
	}
	y.line("resolver: " + addressPort(w.Resolver))
	y.line("")
	if a.Mail != "" {
		y.comment("Mail when something is wrong, and again daily while it lasts.")
		y.line("notify:")
		y.line("  - {mail: " + scalar(a.Mail) + "}")
	} else {
		y.comment("Nobody is told when something is wrong: there is no sendmail here. A command may tell, too:")
		y.comment("notify: [[/usr/local/lib/tlsaroll/tell]]")
	}
	if z := w.zone(a.Hosts); z.Private {
		y.line("")
		y.comment("All name servers of the zone have private addresses, so it is not one of the public tree.")
		y.line("zones: {" + scalar(strings.TrimSuffix(z.Zone, ".")) + ": {private: true}}")
	}
}

// addressPort is an address and a port as YAML has it.
func addressPort(at netip.AddrPort) string {
	if at.Addr().Is4() {
		return at.String()
	}
	return strconv.Quote(at.String())
}

// lineage writes one.
func (w World) lineage(y *page, l lineage) {
	y.line("  " + l.name + ":")
	if len(l.places) > 0 {
		y.comment("    An " + l.algorithm + " certificate, in use by " + strings.Join(l.programs(), " and ") + ".")
	}
	w.scheme(y, l)
	y.line("    endpoints:")
	for _, host := range l.hosts {
		for _, port := range l.ports() {
			w.endpoint(y, l, host, port)
		}
	}
	y.line("")
	staged(y, l)
	if len(l.places) == 0 {
		y.line("")
		y.comment("    No mail server's certificate was found: it has to read " + live + "/" + l.name + "/fullchain.pem and privkey.pem.")
		y.comment("    reload: [[systemctl, reload, postfix]]")
		return
	}
	installs(y, l)
}

func (l lineage) programs() (names []string) {
	for _, p := range l.places {
		if !slices.Contains(names, p.server.Program) {
			names = append(names, p.server.Program)
		}
	}
	return names
}

// scheme is what the records that stand are of, as senders know them; 3 1 1 where none do.
func (w World) scheme(y *page, l lineage) {
	var ee, ta bool
	var others []string
	for _, host := range l.hosts {
		for _, port := range l.ports() {
			for _, r := range w.Hosts[host].Records[port] {
				kind := fmt.Sprint(r.Params)
				ee, ta = ee || r.Params == tlsa.EE, ta || r.Params == tlsa.TA
				if r.Params != tlsa.EE && r.Params != tlsa.TA && !slices.Contains(others, kind) {
					others = append(others, kind)
				}
			}
		}
	}
	scheme, why := "ee", "3 1 1, the leaf's key"
	switch {
	case ee && ta:
		scheme, why = "ee+ta", "3 1 1 and 2 1 1, as they stand"
	case ta:
		scheme, why = "ta", "2 1 1, the issuer's key, as it stands"
	case ee:
		why = "3 1 1, the leaf's key, as it stands"
	}
	y.said("    scheme: "+scheme, why)
	if len(others) > 0 {
		y.comment("    Records of other kinds stand, too, and are left alone: " + strings.Join(others, ", ") + ". tlsaroll adopt --record makes one ours.")
	}
}

// endpoint writes one that counts, or as a comment one that may.
func (w World) endpoint(y *page, l lineage, host string, port uint16) {
	url := config.SchemeOf(port) + "://" + host
	stand := len(w.Hosts[host].Records[port])
	records := "no TLSA record stands there yet"
	switch {
	case w.Hosts[host].Zone == "":
		records = "whether TLSA records stand is not known"
	case stand == 1:
		records = "1 TLSA record stands"
	case stand > 1:
		records = fmt.Sprintf("%d TLSA records stand", stand)
	}
	if port == 25 || stand > 0 || !l.smtp {
		y.said("      - "+url, fmt.Sprintf("port %d; %s", port, records))
		return
	}
	y.said("      # - "+url, fmt.Sprintf("port %d is served, too; %s", port, records))
}

// staged writes where new pairs come from.
func staged(y *page, l lineage) {
	if l.pair == nil {
		y.comment("    No ACME client here keeps a certificate for it: hand one in with tlsaroll rollover " + l.name + " --cert FILE --key FILE,")
		y.comment("    or have tlsaroll order them itself (acme:).")
		return
	}
	y.comment("    What " + l.pair.Client + " leaves: " + l.why + ". Nobody but tlsaroll reads it from now on.")
	switch usual := usualDir(l.pair.Client); {
	case l.pair.Client == "lego":
		y.line("    staged: {lego: " + scalar(l.pair.Dir) + ", name: " + scalar(l.pair.Name) + "}")
	case l.pair.Dir != usual:
		y.line("    staged: {" + l.pair.Client + ": " + scalar(l.pair.Name) + ", dir: " + scalar(l.pair.Dir) + "}")
	default:
		y.line("    staged: {" + l.pair.Client + ": " + scalar(l.pair.Name) + "}")
	}
}

// usualDir is where the configuration looks for a client's files unless it says otherwise.
func usualDir(client string) string {
	return map[string]string{"certbot": "/etc/letsencrypt", "acme.sh": "/root/.acme.sh", "dehydrated": "/var/lib/dehydrated"}[client]
}

// servers are those of a lineage, each once.
func (l lineage) servers() (out []finder.Server) {
	for _, p := range l.places {
		if !slices.ContainsFunc(out, func(s finder.Server) bool { return s.Program == p.server.Program }) {
			out = append(out, p.server)
		}
	}
	return out
}
