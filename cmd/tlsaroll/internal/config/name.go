package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/net/idna"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Host brings a host name, in whatever script, into the form of a reference
// identifier: lower case, A-labels, no trailing dot (RFC 5891, section 5).
func Host(s string) (string, error) {
	name, err := aLabels(s)
	if err != nil {
		return "", err
	}
	if name, err = tlsa.CanonicalHost(name); err != nil {
		return "", err
	}
	for label := range strings.SplitSeq(name, ".") {
		if !hostLabel.MatchString(label) {
			return "", fmt.Errorf("name %q: the label %q is not allowed in a host name (hint: use letters, digits and inner hyphens)", s, label)
		}
	}
	return name, nil
}

// aLabels turns what is not ASCII into A-labels, label by label: those that
// begin with an underscore are none, and stand beside them in owner names.
func aLabels(s string) (string, error) {
	labels := strings.Split(s, ".")
	for i, label := range labels {
		if isASCII(label) {
			continue
		}
		a, err := idna.Lookup.ToASCII(label)
		if err != nil {
			return "", fmt.Errorf("name %q: no A-label for %q (hint: write it as xn--…)", s, label)
		}
		labels[i] = a
	}
	return strings.Join(labels, "."), nil
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

var (
	// RFC 1123, section 2.1.
	hostLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	// A lineage's name is a file's name and a metric's label.
	plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	// What useradd takes, upper case as in Debian-exim, or a number.
	account = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.-]*\$?|[0-9]+)$`)
)

// domainName reads a name of any shape into its absolute form.
func (v value) domainName(example string) (string, bool) {
	hint := "write the whole name, as in " + example
	s, ok := v.text(hint)
	if !ok {
		return "", false
	}
	return v.canonical(s, hint)
}

// hostName reads the name of a host, in the form of [Host].
func (v value) hostName(example string) string {
	hint := "write a name alone, as in " + example
	s, ok := v.text(hint)
	if !ok {
		return ""
	}
	name, err := Host(s)
	if err != nil {
		v.failed(err, hint)
	}
	return name
}

func (v value) canonical(s, hint string) (string, bool) {
	name, err := canonicalName(s)
	if err != nil {
		v.failed(err, hint)
		return "", false
	}
	return name, true
}

func canonicalName(s string) (string, error) {
	name, err := aLabels(s)
	if err != nil {
		return "", err
	}
	owner, err := tlsa.ParseOwner(name)
	return owner.String(), err
}

// failed reports an error that may bring its own hint.
func (v value) failed(err error, hint string) {
	what := err.Error()
	if at := strings.LastIndex(what, " (hint: "); at >= 0 && strings.HasSuffix(what, ")") {
		what, hint = what[:at], what[at+len(" (hint: "):len(what)-1]
	}
	v.fail(what, hint)
}

// absolute reads an absolute path, cleaned.
func (v value) absolute(example string) (string, bool) {
	hint := "write it from the root, as in " + example
	s, ok := v.text(hint)
	if !ok {
		return "", false
	}
	switch {
	case strings.ContainsRune(s, 0) || strings.Contains(s, "\n"):
		v.fail(fmt.Sprintf("%q is not a path", s), hint)
	case !filepath.IsAbs(s):
		v.fail(fmt.Sprintf("relative path %q", s), hint)
	case filepath.Clean(s) == "/":
		v.fail("the root directory", hint)
	default:
		return filepath.Clean(s), true
	}
	return "", false
}

// file reads an absolute path into to.
func (f *fields) file(name string, to *string, example string) {
	if v, ok := f.take(name); ok {
		if p, ok := v.absolute(example); ok {
			*to = p
		}
	}
}

// within reports whether path is dir or stands below it.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// sentence lists words as one does: a, b and c.
func sentence(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
