package draft

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
)

// maxCandidates is how many names are looked up: a certificate may have a hundred.
const maxCandidates = 12

// Candidates are the names that this host may be known by: those with which its servers greet,
// and those in the certificates that they read.
func Candidates(f finder.Found) (names []string) {
	add := func(name string) {
		host, err := config.Host(name)
		if err == nil && strings.Contains(host, ".") && !slices.Contains(names, host) && len(names) < maxCandidates {
			names = append(names, host)
		}
	}
	for _, s := range f.Servers {
		add(s.Host)
	}
	add(f.Name)
	for _, s := range f.Servers {
		for _, r := range s.Reads {
			if r.Leaf != nil {
				for _, name := range r.Leaf.DNSNames {
					add(name)
				}
			}
		}
	}
	return names
}

// AskHosts asks for the names that TLSA records are to stand at.
func (w World) AskHosts() Question {
	q := Question{Text: "the mail host's name, as MX records have it", Option: "--host NAME"}
	greets := w.greets()
	if len(w.Servers) == 0 {
		q.Default, q.Guess = w.Name, "no mail server was found here: no Postfix, Exim, OpenSMTPD or Dovecot"
		return q
	}
	var mx, local []string
	for _, name := range Candidates(w.Found) {
		if !slices.Contains(w.Hosts[name].MX, name) {
			continue
		}
		mx = append(mx, name)
		if name == greets || slices.ContainsFunc(w.Hosts[name].Addresses, func(a netip.Addr) bool { return slices.Contains(w.Local, a) }) {
			local = append(local, name)
		}
	}
	switch {
	case len(local) > 0:
		q.Default = strings.Join(local, " ")
	case len(mx) == 1:
		q.Default = mx[0]
	case len(mx) > 1:
		q.Default, q.Guess = mx[0], "which MX host is this? its certificate is for "+strings.Join(mx, ", ")
	case greets == "":
		q.Guess = "no mail server here has a full name of its own"
	case !w.covered(greets):
		q.Default, q.Guess = greets, greets+" is what the mail server greets with, but no MX record names it, nor does the certificate that is served"
	default:
		q.Default = greets
		if known := w.Hosts[greets]; len(known.MX) > 0 && w.smtp() {
			q.Guess = greets + " is what the mail server greets with, and the mail of " + strings.TrimSuffix(known.Domain, ".") + " goes to " + strings.Join(known.MX, ", ")
		}
	}
	return q
}

// greets is the full name with which the first server greets, or that of its certificate where
// it has none and there is one name alone.
func (w World) greets() string {
	for _, s := range w.Servers {
		if host, err := config.Host(s.Host); err == nil && strings.Contains(host, ".") {
			return host
		}
	}
	for _, s := range w.Servers {
		for _, r := range s.Reads {
			if r.Leaf != nil && len(r.Leaf.DNSNames) == 1 && !strings.HasPrefix(r.Leaf.DNSNames[0], "*") && strings.Contains(r.Leaf.DNSNames[0], ".") {
				return r.Leaf.DNSNames[0]
			}
		}
	}
	return w.Name
}

// covered reports whether a certificate that is read is for a host.
func (w World) covered(host string) bool {
	return slices.ContainsFunc(w.Servers, func(s finder.Server) bool {
		return slices.ContainsFunc(s.Reads, func(r finder.Reads) bool { return r.Leaf != nil && r.Leaf.VerifyHostname(host) == nil })
	})
}

// smtp reports whether mail comes in here.
func (w World) smtp() bool {
	return slices.ContainsFunc(w.Servers, func(s finder.Server) bool { return slices.Contains(s.Ports, 25) })
}
