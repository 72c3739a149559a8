package hello

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
)

// versions descends: each offer goes no further than to the version before the one that
// the last got, until nothing is left. A server of today takes two and turns one down.
func (l *look) versions() error {
	for newest := uint16(tls.VersionTLS13); newest >= ssl30; newest-- {
		a, taken, err := l.ask(l.of(newest))
		if err == nil && !taken && newest == tls.VersionTLS13 {
			// It may want what no server should: key shares in the first ClientHello.
			o := l.of(newest)
			o.shares = true
			if a, taken, err = l.ask(o); taken {
				l.shares = a.version == tls.VersionTLS13
			}
		}
		switch {
		case err != nil:
			return err
		case taken:
			l.Versions = append([]uint16{a.version}, l.Versions...)
			newest = a.version
		case len(l.Versions) > 0:
			return nil // what it could fall back to was offered
		}
	}
	return nil
}

// of offers everything that there is up to a version.
func (l *look) of(newest uint16) offer {
	o := offer{newest: newest, oldest: tls.VersionTLS10, groups: curves, shares: l.shares}
	for _, f := range families {
		if f.exchange != later || newest == tls.VersionTLS13 {
			o.suites = append(o.suites, f.suites...)
		}
	}
	if newest == tls.VersionTLS13 {
		o.groups = slices.Concat(groups13, curves)
	}
	return o
}

// exactly offers everything of one version.
func (l *look) exactly(version uint16) offer {
	o := l.of(version)
	if version == tls.VersionTLS13 {
		o.oldest, o.groups = version, groups13
		o.suites = slices.Clone(families[0].suites)
	}
	return o
}

// taken makes an offer that only one version answers.
func (l *look) taken(o offer) (answer, bool, error) {
	a, taken, err := l.ask(o)
	return a, taken && a.version == o.newest, err
}

// all asks for everything but the versions, which are known: in the newest one before TLS
// 1.3 and in that. Older ones are bad enough by themselves, and a default Postfix would
// be asked forty times more.
func (l *look) all() error {
	l.Suites, l.OwnOrder = map[uint16][]uint16{}, map[uint16]bool{}
	l.Groups, l.Hashes = []string{}, []string{}
	old, newest := uint16(0), uint16(0)
	for _, v := range l.Versions {
		if newest = v; v < tls.VersionTLS13 {
			old = v
		}
	}
	if old != 0 {
		if err := each(old, l.suites, l.order, l.curves, l.hashes, l.compression); err != nil {
			return err
		}
	}
	if newest == tls.VersionTLS13 { // its groups come last
		return each(newest, l.suites, l.order, l.groups13)
	}
	return nil
}

// each asks questions of one version.
func each(v uint16, questions ...func(uint16) error) error {
	for _, ask := range questions {
		if err := ask(v); err != nil {
			return fmt.Errorf("%s: %w", versionName(v), err)
		}
	}
	return nil
}

func versionName(v uint16) string {
	if v == ssl30 {
		return "SSL 3.0"
	}
	return tls.VersionName(v)
}

// suites takes away the suite that the server chose until it takes none of the rest.
func (l *look) suites(v uint16) error {
	o := l.exactly(v)
	for len(o.suites) > 0 {
		a, taken, err := l.taken(o)
		if err != nil {
			return err
		}
		if !taken {
			break
		}
		if v < tls.VersionTLS13 {
			l.first(a)
			l.Groups = with(l.Groups, a.group)
		}
		l.Suites[v] = append(l.Suites[v], a.suite)
		o.suites = slices.DeleteFunc(o.suites, func(s uint16) bool { return s == a.suite })
	}
	if l.Suites[v] == nil {
		return errors.New("the server took it before, and takes it no more")
	}
	return nil
}

// first takes what any answer before TLS 1.3 shows.
func (l *look) first(a answer) {
	l.Hashes = with(l.Hashes, a.hash)
	if l.SecureRenegotiation == nil {
		l.SecureRenegotiation = &a.secureRenegotiation
	}
	if l.ExtendedMasterSecret == nil && a.version == tls.VersionTLS12 {
		l.ExtendedMasterSecret = &a.extendedMasterSecret
	}
}

// with adds a name that is not there.
func with(names []string, name string) []string {
	if name == "" || slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// order offers the last choice before the first: who takes the first has an order of its
// own. Neighbours would not do, as some servers hold a few suites to be equal.
func (l *look) order(v uint16) error {
	suites := l.Suites[v]
	if len(suites) < 2 {
		return nil
	}
	o := l.exactly(v)
	best, worst := suites[0], suites[len(suites)-1]
	o.suites = []uint16{worst, best}
	a, taken, err := l.taken(o)
	if err == nil && taken {
		l.OwnOrder[v] = a.suite == best
	}
	return err
}

// having are those of the suites taken in a version whose family is wanted.
func (l *look) having(v uint16, want func(family) bool) (suites []uint16) {
	for _, s := range l.Suites[v] {
		if f, ok := familyOf(s); ok && want(f) {
			suites = append(suites, s)
		}
	}
	return suites
}

// curves takes away the curve that the server chose until it takes none of the rest.
func (l *look) curves(v uint16) error {
	o := l.exactly(v)
	o.suites = l.having(v, func(f family) bool { return f.exchange == curve })
	return l.groupsOf(o)
}

func (l *look) groups13(v uint16) error {
	o := l.exactly(v)
	o.suites = l.Suites[v]
	return l.groupsOf(o)
}

func (l *look) groupsOf(o offer) error {
	if o.newest == ssl30 || len(o.suites) == 0 {
		return nil // no extension to name them in, or no suite to need them
	}
	o.groups = slices.Clone(o.groups)
	for len(o.groups) > 0 {
		a, taken, err := l.taken(o)
		i := slices.IndexFunc(o.groups, func(g group) bool { return g.name == a.group })
		if err != nil || !taken || i < 0 {
			return err
		}
		l.Groups = with(l.Groups, a.group)
		o.groups = slices.Delete(o.groups, i, i+1)
	}
	return nil
}

// hashes offers those alone that a server must not sign with any more (RFC 9155), and
// SHA-224. What it signs with of its own choice was seen along with the suites.
func (l *look) hashes(v uint16) error {
	o := l.exactly(v)
	o.suites = l.having(v, func(f family) bool { return f.signature != "" })
	if v != tls.VersionTLS12 || len(o.suites) == 0 {
		return nil // no extension to name them in, or nothing is signed
	}
	for _, hash := range []string{"sha224", "sha1", "md5"} {
		o.schemes = schemesOf[hash]
		a, taken, err := l.taken(o)
		if err != nil {
			return err
		}
		if taken {
			l.Hashes = with(l.Hashes, a.hash) // some sign with what they like
		}
	}
	return nil
}

// compression is what TLS had until CRIME.
func (l *look) compression(v uint16) error {
	o := l.exactly(v)
	o.suites, o.compressed = l.Suites[v], true
	a, taken, err := l.taken(o)
	if err == nil && taken {
		l.Compression = &a.compressed
	}
	return err
}
