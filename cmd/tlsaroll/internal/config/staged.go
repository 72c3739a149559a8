package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// readStaged reads where an ACME client leaves the pairs of a lineage.
func (v value) readStaged(l *Lineage) {
	const example = "write staged: {cert: /path/of/the.crt, key: /path/of/the.key}, or {certbot: NAME}"
	f, ok := v.mapping(example)
	if !ok {
		return
	}
	var given []string
	for _, key := range []string{"cert", "key", "lego", "certbot", "acme.sh", "dehydrated"} {
		if f.has(key) {
			given = append(given, key)
		}
	}
	s := &l.Staged
	switch {
	case len(given) == 0:
		f.lacks("says nothing of where pairs are", example)
	case slices.Equal(given, []string{"cert", "key"}):
		s.Layout = "files"
		f.file("cert", &s.Cert, "/var/lib/lego/certificates/mx1.example.org.crt")
		f.file("key", &s.Key, "/var/lib/lego/certificates/mx1.example.org.key")
		if s.Cert != "" && s.Cert == s.Key {
			f.values["key"].fail("the same file as cert", "name the file that holds the key alone")
		}
	case len(given) > 1:
		f.lacks("more than one place, "+sentence(given), "keep one")
	case given[0] == "cert" && l.Scheme.Standby: // the key is the one that was made ahead
		s.Layout = "files"
		f.file("cert", &s.Cert, "/var/lib/lego/certificates/mx1.example.org.crt")
	case given[0] == "cert":
		f.lacks("no key", "write key: and the file of the key beside cert; or a scheme with standby, and have the certificate ordered with tlsaroll next-key --csr")
	case given[0] == "key":
		f.lacks("no cert", "write cert: and the file of the chain beside key")
	case given[0] == "lego":
		s.Layout = "lego"
		f.file("lego", &s.Dir, "/var/lib/lego")
		if !f.has("name") {
			f.lacks("no name", "write name: mx1.example.org, as lego's files are called")
		} else if n, ok := f.take("name"); ok {
			s.Name = n.certName()
		}
	default:
		s.Layout, s.Dir = given[0], clientDir(given[0])
		if n, ok := f.take(given[0]); ok {
			s.Name = n.certName()
		}
		f.file("dir", &s.Dir, s.Dir)
	}
	f.done()
	for _, path := range s.paths() {
		if path != "" {
			v.claims = append(v.claims, claim{path: path, lineage: l.Name, at: v})
		}
	}
}

// clientDir is where a client keeps certificates unless it is told otherwise.
func clientDir(layout string) string {
	switch layout {
	case "certbot":
		return "/etc/letsencrypt"
	case "acme.sh":
		return "/root/.acme.sh"
	}
	return "/var/lib/dehydrated"
}

// certName reads a client's name for a certificate, which becomes part of a path.
func (v value) certName() string {
	const hint = "write the name that the client lists, as in mx1.example.org"
	s, ok := v.text(hint)
	if ok && (strings.ContainsAny(s, "/\x00\n") || strings.HasPrefix(s, ".")) {
		v.fail(fmt.Sprintf("%q is not the name of a certificate", s), hint)
		return ""
	}
	return s
}

// paths are the files and directories that the client writes.
func (s Staged) paths() []string {
	switch s.Layout {
	case "":
		return nil
	case "files":
		return slices.DeleteFunc([]string{s.Cert, s.Key}, func(path string) bool { return path == "" })
	case "lego":
		return []string{filepath.Join(s.Dir, "certificates")}
	case "certbot":
		return []string{filepath.Join(s.Dir, "live"), filepath.Join(s.Dir, "archive")}
	case "dehydrated":
		return []string{filepath.Join(s.Dir, "certs")}
	}
	return []string{s.Dir}
}
