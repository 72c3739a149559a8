package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
)

// claim is a file or directory that someone writes.
type claim struct {
	path    string
	lineage string
	install bool // by us; else by the ACME client
	at      value
}

// readInstall reads one extra copy.
func (v value) readInstall(lineage string) (Install, bool) {
	i := Install{Mode: 0o600}
	const example = "write {path: /etc/postfix/tls/mx1.pem, content: [key, chain]}, or {dir: /etc/dovecot/tls/mx1}"
	f, ok := v.mapping(example)
	if !ok {
		return i, false
	}
	hasPath, hasDir := f.has("path"), f.has("dir")
	f.file("path", &i.Path, "/etc/postfix/tls/mx1.pem")
	f.file("dir", &i.Dir, "/etc/dovecot/tls/mx1")
	switch {
	case hasPath && hasDir:
		v.fail("both path and dir", "keep path for one file, or dir for a directory of them")
	case !hasPath && !hasDir:
		v.fail("neither path nor dir", example)
	}
	f.readContent(&i, hasDir && !hasPath)
	f.readOwner(&i)
	f.readMode(&i)
	f.done()
	for _, key := range []string{"path", "dir"} {
		if path := i.Path + i.Dir; path != "" && hasPath != hasDir && f.has(key) {
			v.claims = append(v.claims, claim{path: path, lineage: lineage, install: true, at: f.values[key]})
		}
	}
	return i, hasPath != hasDir
}

// readContent reads what stands in an installed file.
func (f *fields) readContent(i *Install, dir bool) {
	const hint = "write a list of key, chain, cert and ca, as in [key, chain]"
	v, ok := f.take("content")
	if !ok {
		if !dir {
			i.Content = []string{"key", "chain"} // as Postfix wants it
		}
		return
	}
	if dir {
		v.lacks("a directory holds fullchain.pem, privkey.pem and combined.pem", "take content out")
		return
	}
	parts := []string{"key", "chain", "cert", "ca"}
	for _, item := range v.list() {
		s, ok := item.text(hint)
		switch {
		case !ok:
		case !slices.Contains(parts, s):
			item.fail(fmt.Sprintf("unknown part %q", s), suggest.Hint(s, parts, "write one of "))
		case slices.Contains(i.Content, s):
			item.fail(s+" is given twice", "keep one")
		default:
			i.Content = append(i.Content, s)
		}
	}
	if has := func(s string) bool { return slices.Contains(i.Content, s) }; has("chain") && (has("cert") || has("ca")) {
		v.fail("chain is the leaf and the CA certificates already", "write chain alone, or cert and ca")
	}
	if v.isEmpty() {
		v.fail("an empty list", hint)
	}
}

func (f *fields) readOwner(i *Install) {
	const hint = `write user:group, as in "root:root"`
	v, ok := f.take("owner")
	if !ok {
		return
	}
	s, ok := v.text(hint)
	if !ok {
		return
	}
	user, group, both := strings.Cut(s, ":")
	if !both || !account.MatchString(user) || !account.MatchString(group) {
		v.fail(fmt.Sprintf("%q is not a user:group", s), hint)
		return
	}
	i.User, i.Group = user, group
}

var octal = regexp.MustCompile(`^(0o?)?[0-7]{3}$`)

func (f *fields) readMode(i *Install) {
	const hint = `write octal digits, as in "0600"`
	v, ok := f.take("mode")
	if !ok {
		return
	}
	s, ok := v.text(hint)
	if !ok {
		return
	}
	if !octal.MatchString(s) {
		v.fail(fmt.Sprintf("%q is not a mode", s), hint)
		return
	}
	n, err := strconv.ParseUint(s[len(s)-3:], 8, 32)
	if err != nil {
		v.fail(fmt.Sprintf("%q is not a mode", s), hint)
		return
	}
	i.Mode = uint32(n)
	key := i.Dir != "" || slices.Contains(i.Content, "key")
	switch {
	case i.Mode&0o002 != 0:
		v.fail("everyone on this host could write it", hint)
	case key && i.Mode&0o004 != 0:
		v.fail("everyone on this host could read the key", `write "0600", or "0640" and the server's group as owner`)
	case i.Mode&0o111 != 0:
		v.fail("a certificate is nothing to execute", hint)
	case i.Mode&0o400 == 0:
		v.fail("not even the owner could read it", hint)
	}
}

// checkClaims reports files that two would write. The ACME client must not write
// what servers read: then nothing could wait for DNS.
func (r *reader) checkClaims(c *Config) {
	for n, a := range r.claims {
		if !a.install {
			if within(a.path, c.State) {
				a.at.fail(a.path+" is in the state directory", "have the ACME client write elsewhere: it must not write the live files")
			}
			continue
		}
		if within(a.path, c.State) || within(c.State, a.path) {
			a.at.fail(a.path+" is in the way of the state directory", "servers may read "+c.State+"/live/"+a.lineage+" itself; install copies elsewhere")
			continue
		}
		for m, b := range r.claims {
			if m == n || !within(a.path, b.path) && !within(b.path, a.path) {
				continue
			}
			if !b.install {
				a.at.fail(a.path+" is the ACME client's own ("+b.at.path+")", "install elsewhere: the ACME client must not write the live files")
			} else if m < n {
				a.at.fail(a.path+" is installed already ("+b.at.path+")", "every copy has its own path")
			}
		}
	}
}
