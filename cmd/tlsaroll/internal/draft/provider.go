package draft

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
)

// nameServers are what the names of a DNS host's servers end with or begin with; the servers
// of a zone tell who can change it.
var nameServers = []struct{ begins, ends, kind string }{
	{"", ".ns.cloudflare.com.", "cloudflare"},
	{"", ".desec.io.", "desec"},
	{"", ".desec.org.", "desec"},
	{"", ".azure-dns.com.", "azure"},
	{"", ".azure-dns.net.", "azure"},
	{"", ".azure-dns.org.", "azure"},
	{"", ".azure-dns.info.", "azure"},
	{"ns-cloud-", ".googledomains.com.", "googleclouddns"},
	{"ns-", ".awsdns-", "route53"},
	{"", ".gandi.net.", "gandi"},
	{"", ".ns.hetzner.com.", "hetzner"},
	{"", ".ns.hetzner.de.", "hetzner"},
	{"", ".infomaniak.com.", "infomaniak"},
	{"", ".inwx.de.", "inwx"},
	{"", ".inwx.eu.", "inwx"},
	{"", ".inwx.com.", "inwx"},
	{"", ".ovh.net.", "ovh"},
	{"", ".ovh.ca.", "ovh"},
	{"", ".anycast.me.", "ovh"},
	{"", ".transip.net.", "transip"},
	{"", ".transip.nl.", "transip"},
	{"", ".transip.eu.", "transip"},
}

// hostedBy is the type of provider whose servers a zone has, "" where they are not all of one.
func hostedBy(servers []string) (kind string) {
	for _, s := range servers {
		i := slices.IndexFunc(nameServers, func(n struct{ begins, ends, kind string }) bool {
			return strings.HasPrefix(s, n.begins) && (strings.HasSuffix(s, n.ends) || strings.HasSuffix(n.ends, "-") && strings.Contains(s, n.ends))
		})
		if i < 0 || kind != "" && kind != nameServers[i].kind {
			return ""
		}
		kind = nameServers[i].kind
	}
	return kind
}

// zone is the one that holds the first host whose zone is known.
func (w World) zone(hosts []string) HostDNS {
	for _, host := range hosts {
		if d := w.Hosts[host]; d.Zone != "" {
			return d
		}
	}
	return HostDNS{}
}

// elsewhere reports whether the records of some host are not in the zone of the first one, or
// not in the host's own: then the zones are left to be found in DNS.
func (w World) elsewhere(hosts []string) bool {
	return slices.ContainsFunc(hosts, func(host string) bool {
		d := w.Hosts[host]
		return d.Alias != "" || d.Zone != w.zone(hosts).Zone
	})
}

// primaryHere is the name server of this host that is a zone's primary.
func (w World) primaryHere(zone string) (p finder.Primary, ok bool) {
	for _, p := range w.Primaries {
		if p.Zone == zone {
			return p, true
		}
	}
	return finder.Primary{}, false
}

// AskProvider asks who changes the zone.
func (w World) AskProvider(a Answers) Question {
	d := w.zone(a.Hosts)
	zone := strings.TrimSuffix(d.Zone, ".")
	apart := slices.ContainsFunc(a.Hosts, func(host string) bool { return !slices.Equal(w.Hosts[host].Servers, d.Servers) })
	q := Question{Text: "who changes the zone " + zone + ": " + strings.Join(w.typeNames(), ", "), Option: "--provider TYPE"}
	p, here := w.primaryHere(d.Zone)
	switch kind := hostedBy(d.Servers); {
	case a.TSIG != "":
		q.Default = "rfc2136"
	case zone == "":
		q.Text = "who changes the zone of " + strings.Join(a.Hosts, ", ") + ": " + strings.Join(w.typeNames(), ", ")
		q.Default, q.Guess = "manual", "the zone of "+strings.Join(a.Hosts, ", ")+" was not found in DNS, so who changes it cannot be told"
	case apart:
		q.Default, q.Guess = "manual", "the TLSA records of "+strings.Join(a.Hosts, ", ")+" are in zones with different servers, and whether one provider changes them all cannot be told"
	case here && p.Provider == "":
		q.Default, q.Guess = "manual", p.Server+" on this host is the primary of "+zone+", and takes no changes over the network: exec, if a program makes its zone file; manual, if a person does"
	case here:
		q.Default = p.Provider
	case kind != "" && slices.Contains(w.typeNames(), kind):
		q.Default = kind
	case w.has(w.secretFile("rfc2136", "secret")):
		q.Default = "rfc2136"
	default:
		q.Default = "manual"
		q.Guess = "who changes the zone " + zone + " cannot be told by its servers, " + strings.Join(undotted(d.Servers), ", ") +
			": rfc2136, if " + strings.TrimSuffix(d.Primary, ".") + " takes dynamic updates; manual, if a person does"
	}
	return q
}

// whyProvider is the reason for a provider, for the comment.
func (w World) whyProvider(kind string, d HostDNS) string {
	p, here := w.primaryHere(d.Zone)
	switch {
	case here && kind == p.Provider:
		return p.Server + " on this host is the zone's primary"
	case here && p.Provider == "":
		return p.Server + " on this host is the zone's primary, and takes no changes over the network"
	case hostedBy(d.Servers) == kind:
		return "the zone's servers are " + strings.Join(undotted(d.Servers), ", ")
	case kind == "rfc2136" && w.has(w.secretFile(kind, "secret")):
		return "its key is there"
	}
	return "as you chose"
}

// WrongProvider says what is wrong with a type that somebody named, "" if nothing is.
func (w World) WrongProvider(kind string) (what, hint string) {
	if slices.Contains(w.typeNames(), kind) {
		return "", ""
	}
	return "there is no provider of type " + kind, suggest.Hint(kind, w.typeNames(), "there are: ")
}

func (w World) typeNames() (names []string) {
	for _, t := range w.Types {
		names = append(names, t.Name)
	}
	return names
}

func (w World) has(file string) bool { return w.Has != nil && w.Has(file) }

// secretFile is where a provider's secret is looked for: beside the configuration.
func (w World) secretFile(kind, setting string) string {
	name := kind + "." + setting
	if kind == "rfc2136" {
		name = "tsig.secret"
	}
	return filepath.Join(filepath.Dir(w.File), name)
}

// provider writes a provider, and says what it still lacks.
func (w World) provider(y *page, d Draft, a Answers) Draft {
	z := w.zone(a.Hosts)
	d.zone = strings.TrimSuffix(z.Zone, ".")
	if p, here := w.primaryHere(z.Zone); here {
		d.primary = &p
	}
	y.line("")
	y.comment("Who changes the zone: " + w.whyProvider(a.Provider, z) + ".")
	switch z.Security {
	case "insecure":
		y.comment("The zone is not signed, and TLSA records in it would vouch for nothing (RFC 8314, section 4.5.4): sign it first.")
	case "bogus", "indeterminate":
		y.comment("The zone's signatures do not verify, or cannot be had: mend that first, tlsaroll check says what is wrong.")
	}
	y.line("providers:")
	y.line("  " + a.Provider + ":")
	y.line("    type: " + a.Provider)
	if w.elsewhere(a.Hosts) {
		y.comment("    No zone: the TLSA records are in more than one, or behind aliases, and it is found for each.")
		z.Primary = ""
	} else if d.zone != "" {
		y.line("    zone: " + scalar(d.zone))
	}
	i := slices.IndexFunc(w.Types, func(t config.ProviderType) bool { return t.Name == a.Provider })
	if i < 0 {
		return d
	}
	switch a.Provider {
	case "rfc2136":
		w.dynamic(y, &d, z, a)
	case "manual":
		if a.Mail != "" {
			y.said("    mail: "+scalar(a.Mail), "who is told which records to add and to remove")
		} else {
			y.comment("    tlsaroll status says which records to add and to remove; a command may tell, too:")
			y.comment("    tell: [/usr/local/lib/tlsaroll/tell]")
		}
		if z.Primary != "" {
			y.comment("    It is seen at the primary, " + strings.TrimSuffix(z.Primary, ".") + "; where that one is hidden, name another server of the zone.")
			y.comment("    server: ns1.example.org")
		}
	default:
		w.settings(y, &d, w.Types[i], z)
	}
	return d
}

// settings writes what a provider cannot do without.
func (w World) settings(y *page, d *Draft, t config.ProviderType, z HostDNS) {
	p, here := w.primaryHere(z.Zone)
	here = here && p.Provider == t.Name
	for _, s := range t.Settings {
		switch {
		case !s.Required:
		case here && s.Name == "server":
			y.said("    server: "+scalar(cmp.Or(p.API, "http://127.0.0.1:8081")), "its HTTP API")
		case s.Kind == config.Credential || s.Kind == config.Base64:
			file := w.secretFile(t.Name, s.Name)
			y.said("    "+s.Name+"-file: "+scalar(file), "the secret alone, mode 0600")
			d.lacks(w, file)
		default:
			example := s.Example
			if s.Kind != config.Argv {
				example = scalar(example)
			}
			y.said("    "+s.Name+": "+example, "put yours here")
			d.Unfinished = append(d.Unfinished, s.Name)
		}
	}
}

func (d *Draft) lacks(w World, file string) {
	if !w.has(file) {
		d.Secrets = append(d.Secrets, file)
	}
}

func undotted(names []string) (out []string) {
	for _, n := range names {
		out = append(out, strings.TrimSuffix(n, "."))
	}
	return out
}
