package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
	"github.com/tlsaroll/tlsaroll/rollover"
)

func (r *reader) readLineages(root *fields) (lineages []Lineage) {
	const example = "write lineages: {mx1: {endpoints: [smtp://mx1.example.org], …}}"
	v, ok := root.take("lineages")
	if !ok {
		if !root.has("lineages") {
			root.fail("no lineages", example)
		}
		return nil
	}
	f, ok := v.mapping(example)
	if !ok {
		return nil
	}
	if len(f.names) == 0 {
		v.fail("no lineages", example)
	}
	for _, v := range f.all() {
		if v.plainName("lineage") {
			if l, ok := v.readLineage(); ok {
				lineages = append(lineages, l)
			}
		}
	}
	return lineages
}

func (v value) readLineage() (Lineage, bool) {
	l := Lineage{
		Name: v.name(), Scheme: rollover.Scheme{EE: true}, TA: rollover.Intermediate,
		TTL: time.Hour, Deadline: rollover.DeadlineAuto, Hook: true, Timeout: time.Minute,
	}
	f, ok := v.mapping("write " + l.Name + ": {endpoints: [smtp://mx1.example.org], …}")
	if !ok {
		return l, false
	}
	f.readAssociations(&l)
	f.readTTLs(&l)
	choice(&f, "deadline", &l.Deadline, rollover.DeadlineAuto, rollover.DeadlineWait, rollover.DeadlineSwap)
	f.readEndpoints(&l)
	f.readSource(&l)
	if i, ok := f.take("install"); ok {
		for _, item := range i.list() {
			if install, ok := item.readInstall(l.Name); ok {
				l.Install = append(l.Install, install)
			}
		}
	}
	f.commands("check", &l.Check)
	f.commands("reload", &l.Reload)
	f.duration("timeout", &l.Timeout, span{time.Second, time.Hour})
	f.done()
	return l, true
}

// readAssociations reads what says which associations a certificate gets.
func (f *fields) readAssociations(l *Lineage) {
	if v, ok := f.take("scheme"); ok {
		const hint = "a + set of ee, ta and standby, as in ee+ta"
		if s, ok := v.text(hint); ok {
			switch scheme, err := rollover.ParseScheme(s); {
			case err != nil:
				v.failed(err, hint)
			case scheme.Standby && !scheme.EE:
				// The 3 1 1 of a key that is not in use would be the only one, and who goes by
				// that combination finds no match (RFC 7671, section 8).
				v.fail(fmt.Sprintf("scheme %q: standby needs ee, or no 3 1 1 matches what is served", s), "write ee+"+s)
			default:
				l.Scheme = scheme
			}
		}
	}
	without := func(v value) {
		if !l.Scheme.TA {
			v.warn("has no effect: the scheme "+l.Scheme.String()+" publishes no 2 1 1", "write scheme: "+l.Scheme.String()+"+ta, or take this out")
		}
	}
	choice(f, "ta", &l.TA, rollover.Intermediate, rollover.Root)
	if f.has("ta") {
		without(f.values["ta"])
	}
	v, ok := f.take("issuers")
	if !ok {
		return
	}
	for _, item := range v.list() {
		if name, ok := item.issuers(); ok && slices.Contains(l.Issuers, name) {
			item.fail(name+" is given twice", "keep one")
		} else if ok {
			l.Issuers = append(l.Issuers, name)
		}
	}
	if len(l.Issuers) > 0 {
		without(v)
	}
}

// issuers reads what names CA certificates: a file's path, or a known set.
func (v value) issuers() (string, bool) {
	const hint = "write the absolute path of a file of CA certificates"
	s, ok := v.text(hint)
	switch {
	case !ok:
		return "", false
	case strings.Contains(s, "/"):
		return v.absolute("/etc/tlsaroll/issuer.pem")
	case slices.Contains(v.IssuerSets, s):
		return s, true
	case len(v.IssuerSets) == 0:
		v.fail(fmt.Sprintf("no set of issuers is called %q", s), hint)
	default:
		v.fail(fmt.Sprintf("no set of issuers is called %q", s), suggest.Hint(s, v.IssuerSets, hint+", or one of "))
	}
	return "", false
}

func (f *fields) readTTLs(l *Lineage) {
	if v, ok := f.ttl("ttl", &l.TTL); ok {
		switch {
		case l.TTL > day:
			v.warn("every wait is a multiple of this", "write 1h")
		case l.TTL < 5*time.Minute:
			v.warn("resolvers may not get the answer and its signatures in so short a time (RFC 6781, section 4.4.1)", "write 1h")
		}
	}
	f.ttl("known-ttl", &l.KnownTTL)
}

func (f *fields) readEndpoints(l *Lineage) {
	whole := ""
	if p, ok := f.take("provider"); ok {
		whole = p.provider()
	}
	const example = "write endpoints: [smtp://mx1.example.org]"
	v, ok := f.take("endpoints")
	if !ok {
		if !f.has("endpoints") {
			f.lacks("no endpoints", example)
		}
		return
	}
	items := v.list()
	if len(items) == 0 {
		v.fail("no endpoints", example)
	}
	for _, item := range items {
		e, ok := item.endpoint()
		if !ok {
			continue
		}
		if slices.ContainsFunc(l.Endpoints, func(have Endpoint) bool { return have.URL == e.URL }) {
			item.fail(e.URL+" is given twice", "keep one")
			continue
		}
		if e.Provider == "" {
			e.Provider = whole
		}
		if e.Provider == "" {
			e.Provider = item.providerFor(e.Host)
		}
		item.sameProvider(e)
		l.Endpoints = append(l.Endpoints, e)
	}
	if n, ok := f.take("nodes"); ok {
		for _, item := range n.list() {
			if a, ok := item.address(); ok {
				l.Nodes = append(l.Nodes, a)
			}
		}
	}
	if i, ok := f.take("ignore"); ok {
		for _, item := range i.list() {
			if name, ok := item.domainName("_465._tcp.mx1.example.org"); ok {
				l.Ignore = append(l.Ignore, name)
			}
		}
	}
}

// readSource reads where the lineage's pairs come from.
func (f *fields) readSource(l *Lineage) {
	var sources []string
	if v, ok := f.take("staged"); ok {
		v.readStaged(l)
	}
	if v, ok := f.take("acme"); ok {
		v.readACME(l)
	}
	f.readSelfSigned(l)
	for _, key := range []string{"staged", "acme", "issue"} {
		if f.has(key) {
			sources = append(sources, key)
		}
	}
	f.readNames(l)
	f.flag("hook", &l.Hook)
	switch {
	case len(sources) > 1:
		f.lacks("certificates come from more than one place, "+sentence(sources), "keep one")
	case len(sources) == 0 && !l.Hook:
		f.lacks("certificates come from nowhere", "write staged, acme or issue, or hook: true")
	}
}

// readSelfSigned reads that the lineage's certificates have no CA, and how they are made.
func (f *fields) readSelfSigned(l *Lineage) {
	v, ok := f.take("issue")
	if ok {
		const hint = "write issue: self-signed, or acme: {…}"
		if s, ok := v.text(hint); ok && s != "self-signed" {
			v.fail(fmt.Sprintf("unknown issue %q", s), hint)
		}
		l.SelfSigned, l.KeyType, l.Lifetime = true, certwatch.EC256, 90*day
		if l.Scheme.TA {
			v.fail("a self-signed certificate has no issuer, and the scheme "+l.Scheme.String()+" publishes its 2 1 1", "write scheme: ee, or acme: {…}")
		}
	}
	choice(f, "key-type", &l.KeyType, certwatch.KeyTypes()...)
	f.duration("lifetime", &l.Lifetime, span{10 * time.Second, 10 * 365 * day})
	for _, key := range []string{"key-type", "lifetime"} {
		switch {
		case !f.has(key) || l.SelfSigned:
		case key == "key-type" && len(l.ACME) > 0:
			f.values[key].warn("has no effect here: the key is "+string(l.ACME[0].KeyType)+", as acme says", "write it under acme, at each CA")
		case key == "lifetime" || !l.Scheme.Standby:
			f.values[key].warn("has no effect without issue: self-signed", "take it out: whoever issues says it")
		}
	}
}
