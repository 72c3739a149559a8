package draft

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
)

// lineage is the certificates that some servers read in the same place.
type lineage struct {
	name      string
	algorithm string
	hosts     []string
	places    []place
	pair      *finder.Pair // nil: no ACME client keeps it
	why       string       // this pair
	smtp      bool         // a server of it takes mail in
	read      []string     // files that any server here reads
}

// place is one certificate of one server.
type place struct {
	server finder.Server
	reads  finder.Reads
}

// lineages are the certificates in use at some hosts. The question is not nil where it is a
// guess which pair is to follow one that is served.
func (w World) lineages(a Answers) (out []lineage, open *Question) {
	for _, s := range w.Servers {
		for _, r := range s.Reads {
			mute := !slices.ContainsFunc(s.Ports, func(port uint16) bool { return config.SchemeOf(port) != "" })
			if r.Leaf == nil {
				continue
			}
			key := sameAs(r)
			i := slices.IndexFunc(out, func(l lineage) bool { return sameAs(l.places[0].reads) == key })
			if i < 0 {
				i = len(out)
				out = append(out, lineage{algorithm: finder.Algorithm(r.Leaf)})
			}
			out[i].places = append(out[i].places, place{s, r})
			out[i].smtp = out[i].smtp || slices.Contains(s.Ports, 25) || mute && s.Program != "Dovecot" // it has to be looked at somewhere
		}
	}
	out = slices.DeleteFunc(out, func(l lineage) bool { return len(l.ports()) == 0 })
	if w.smtp() {
		out = slices.DeleteFunc(out, func(l lineage) bool { return !l.smtp && len(w.standing(l, a.Hosts)) == 0 })
	}
	slices.SortStableFunc(out, func(a, b lineage) int { return strings.Compare(a.algorithm, b.algorithm) }) // so that RSA, the older one, has the longer name
	if len(out) == 0 {
		out = []lineage{{smtp: true}}
	}
	read := w.read()
	for i := range out {
		l := &out[i]
		l.hosts = w.hostsOf(*l, a.Hosts)
		l.name, l.read = nameOf(out[:i], *l), read
		if q := w.choosePair(l, a); q != nil && open == nil {
			open = q
		}
	}
	return out, open
}

// read are the files that servers read.
func (w World) read() (files []string) {
	for _, s := range w.Servers {
		for _, r := range s.Reads {
			files = append(files, r.Cert, r.Key)
		}
	}
	return files
}

// sameAs is equal for copies of one certificate, older and newer ones.
func sameAs(r finder.Reads) string {
	names := slices.Clone(r.Leaf.DNSNames)
	slices.Sort(names)
	return finder.Algorithm(r.Leaf) + " " + strings.Join(names, " ")
}

// hostsOf are the hosts of a lineage's endpoints: those asked for, where mail comes in; of
// another one those of its own names at which records stand.
func (w World) hostsOf(l lineage, hosts []string) []string {
	if own := w.standing(l, hosts); !l.smtp && len(own) > 0 {
		return own
	}
	return hosts
}

// standing are the names of a certificate that have records for a port of its servers.
func (w World) standing(l lineage, hosts []string) (names []string) {
	for _, p := range l.places {
		for _, name := range append(slices.Clone(hosts), p.reads.Leaf.DNSNames...) {
			stand := slices.ContainsFunc(p.server.Ports, func(port uint16) bool { return len(w.Hosts[name].Records[port]) > 0 })
			if stand && p.reads.Leaf.VerifyHostname(name) == nil && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// nameOf is the first label of the first host, or what a lineage is called already; a second one of the same name gets its key's
// kind added.
func nameOf(before []lineage, l lineage) string {
	name := "mx"
	if len(l.hosts) > 0 {
		name, _, _ = strings.Cut(l.hosts[0], ".")
	}
	for _, p := range l.places {
		if kept := liveName(p.reads.Cert); kept != "" {
			name = kept
		}
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(before, func(b lineage) bool { return b.name == name })
	}
	if taken(name) {
		name += "-" + strings.ToLower(l.algorithm)
	}
	for n, plain := 2, name; taken(name); n++ {
		name = fmt.Sprintf("%s-%d", plain, n)
	}
	return name
}

// choosePair finds what is to follow the certificate that is served.
func (w World) choosePair(l *lineage, a Answers) *Question {
	if p, ok := w.named(*l, a.Certs); ok {
		l.pair, l.why = p, "as you chose"
		return nil
	}
	if len(l.places) == 0 {
		return w.coveringPair(l)
	}
	first := l.places[0]
	for _, p := range l.places {
		if p.reads.Kept != nil {
			l.pair, l.why = p.reads.Kept, p.server.Program+" reads its files now"
			return nil
		}
	}
	for i, p := range w.Pairs {
		if bytes.Equal(p.Leaf.Raw, first.reads.Leaf.Raw) {
			l.pair, l.why = &w.Pairs[i], first.server.Program+" serves this certificate"
			return nil
		}
	}
	same := w.pairsThat(func(p finder.Pair) bool { return sameAs(finder.Reads{Leaf: p.Leaf}) == sameAs(first.reads) })
	if len(same) == 1 {
		l.pair, l.why = same[0], "it is for the same names as what "+first.server.Program+" serves"
		return nil
	}
	if len(same) > 1 {
		return whichPair(l, same)
	}
	return w.coveringPair(l)
}

// coveringPair goes by the hosts' names alone.
func (w World) coveringPair(l *lineage) *Question {
	covers := w.pairsThat(func(p finder.Pair) bool {
		return len(l.hosts) > 0 && !slices.ContainsFunc(l.hosts, func(host string) bool { return p.Leaf.VerifyHostname(host) != nil })
	})
	switch len(covers) {
	case 0:
		return nil
	case 1:
		l.pair, l.why = covers[0], "the only one here that is for "+strings.Join(l.hosts, ", ")
		return nil
	}
	return whichPair(l, covers)
}

func whichPair(l *lineage, from []*finder.Pair) *Question {
	var names []string
	for _, p := range from {
		names = append(names, fmt.Sprintf("%s (%s)", p, finder.Algorithm(p.Leaf)))
	}
	l.pair = from[0]
	l.why = "the first of " + strings.Join(names, ", ")
	return &Question{
		Text:    "the certificate for " + strings.Join(l.hosts, ", ") + ": " + strings.Join(names, ", "),
		Default: from[0].String(), Guess: "several certificates are for " + strings.Join(l.hosts, ", ") + ": " + strings.Join(names, ", "),
		Option: "--cert CLIENT:NAME",
	}
}

// named is the pair that a person chose for a lineage: of several the one with the same kind
// of key.
func (w World) named(l lineage, certs []string) (*finder.Pair, bool) {
	chosen := w.pairsThat(func(p finder.Pair) bool { return slices.Contains(certs, p.String()) })
	for _, p := range chosen {
		if l.algorithm == finder.Algorithm(p.Leaf) {
			return p, true
		}
	}
	if len(chosen) == 1 {
		return chosen[0], true
	}
	return nil, false
}

func (w World) pairsThat(fit func(finder.Pair) bool) (out []*finder.Pair) {
	for i, p := range w.Pairs {
		if fit(p) {
			out = append(out, &w.Pairs[i])
		}
	}
	return out
}

// ports are those of a lineage's services that have a scheme, each once.
func (l lineage) ports() (ports []uint16) {
	for _, p := range l.places {
		for _, port := range p.server.Ports {
			if config.SchemeOf(port) != "" && !slices.Contains(ports, port) {
				ports = append(ports, port)
			}
		}
	}
	if l.smtp && !slices.Contains(ports, 25) {
		ports = append(ports, 25)
	}
	slices.Sort(ports)
	return ports
}
