package finder

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	keySecret = regexp.MustCompile(`secret\s+"?([^"\s;]+)"?;`)
	// keyLine is the comment that keymgr begins with, and what dig and nsupdate take by -y.
	keyLine = regexp.MustCompile(`(?m)^(?:#\s*)?(hmac-[a-z0-9-]+):([^:\s]+):(\S+)\s*$`)
	// keyItem is one of Knot's, up to the next one or the next section.
	keyItem = regexp.MustCompile(`(?m)^\s*-\s+id:\s*(\S+)\s*\n((?:[ \t]+[a-z-]+:[^\n]*\n?)+)`)
	keyPart = regexp.MustCompile(`(?m)^\s*(algorithm|secret):\s*(\S+)`)
)

// A TSIGKey is a key with its secret, in base64.
type TSIGKey struct {
	Key
	Secret string
}

// String leaves the secret out.
func (k TSIGKey) String() string { return k.Name }

// GoString does, too.
func (k TSIGKey) GoString() string { return k.Name }

// ReadTSIG finds a key in a file of a host, as tsig-keygen, keymgr and the configurations of
// BIND and Knot have it. Where name is "" there has to be one alone.
func (h Host) ReadTSIG(file, name string) (TSIGKey, error) {
	text, err := h.read(file)
	if err != nil {
		return TSIGKey{}, fmt.Errorf("%s: %w", file, cause(err))
	}
	key, err := parseTSIG(string(text), name)
	if err != nil {
		return TSIGKey{}, fmt.Errorf("%s: %w", file, err)
	}
	key.File = file
	return key, nil
}

func parseTSIG(text, name string) (TSIGKey, error) {
	var found []TSIGKey
	add := func(k TSIGKey) {
		k.Name = keyName(strings.Trim(k.Name, `"'`)) + "."
		k.Algorithm = strings.ToLower(strings.TrimSuffix(k.Algorithm, "."))
		if k.Secret != "" && !slices.ContainsFunc(found, func(f TSIGKey) bool { return f.Name == k.Name }) {
			found = append(found, k)
		}
	}
	bind := uncommented(text)
	for _, m := range keyClause.FindAllStringSubmatchIndex(bind, -1) {
		body, k := clause(bind[m[1]:]), TSIGKey{Key: Key{Name: bind[m[2]:m[3]]}}
		if a := keyAlgorithm.FindStringSubmatch(body); a != nil {
			k.Algorithm = a[1]
		}
		if s := keySecret.FindStringSubmatch(body); s != nil {
			k.Secret = s[1]
		}
		add(k)
	}
	for _, m := range keyItem.FindAllStringSubmatch(text, -1) {
		k := TSIGKey{Key: Key{Name: m[1], Algorithm: "hmac-sha256"}}
		for _, part := range keyPart.FindAllStringSubmatch(m[2], -1) {
			if part[1] == "secret" {
				k.Secret = strings.Trim(part[2], `"'`)
			} else {
				k.Algorithm = part[2]
			}
		}
		add(k)
	}
	for _, m := range keyLine.FindAllStringSubmatch(text, -1) {
		add(TSIGKey{Key{Name: m[2], Algorithm: m[1]}, m[3]})
	}
	return theKey(found, name)
}

// comment is one of named.conf, or a text in quotes, which may look like one.
var comment = regexp.MustCompile(`(?s)"[^"]*"|/\*.*?\*/|(?m:(?://|#)[^\n]*)`)

// uncommented is a text in BIND's form without what it does not count: an older secret, say.
func uncommented(text string) string {
	return comment.ReplaceAllStringFunc(text, func(part string) string {
		if strings.HasPrefix(part, `"`) {
			return part
		}
		return " "
	})
}

// theKey is the one of a name, or the only one.
func theKey(found []TSIGKey, name string) (TSIGKey, error) {
	var names []string
	for _, k := range found {
		if keyName(k.Name) == keyName(name) {
			return k, nil
		}
		names = append(names, k.Name)
	}
	switch {
	case len(found) == 0:
		return TSIGKey{}, errors.New("no TSIG key in it (hint: tsig-keygen prints one as it is wanted)")
	case name != "":
		return TSIGKey{}, fmt.Errorf("no TSIG key %s in it, but %s", name, strings.Join(names, ", "))
	case len(found) > 1:
		return TSIGKey{}, fmt.Errorf("several TSIG keys in it: %s (hint: put the one for TLSA records into a file of its own)", strings.Join(names, ", "))
	}
	return found[0], nil
}
