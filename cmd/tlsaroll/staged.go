package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// eccSuffix is what acme.sh adds to the directory of a certificate with an ECDSA key.
const eccSuffix = "_ecc"

// stagedFiles is where each ACME client leaves its newest pair.
func stagedFiles(s config.Staged) certwatch.Files {
	in := func(dir, cert, key string) certwatch.Files {
		return certwatch.Files{Cert: filepath.Join(dir, cert), Key: filepath.Join(dir, key)}
	}
	switch s.Layout {
	case "files":
		return certwatch.Files{Cert: s.Cert, Key: s.Key}
	case "lego":
		name := legoName(s.Name)
		return in(filepath.Join(s.Dir, "certificates"), name+".crt", name+".key")
	case "certbot":
		return in(filepath.Join(s.Dir, "live", s.Name), "fullchain.pem", "privkey.pem")
	case "acme.sh":
		return in(acmeShDir(s), "fullchain.cer", strings.TrimSuffix(s.Name, eccSuffix)+".key")
	case "dehydrated":
		return in(filepath.Join(s.Dir, "certs", s.Name), "fullchain.pem", "privkey.pem")
	}
	return certwatch.Files{}
}

// nextKeyFile is where an ACME client keeps the key of its next certificate, "" for
// clients that keep none: acme.sh beside the key, from version 3.0.5 and with
// --always-force-new-domain-key; dehydrated with PRIVATE_KEY_ROLLOVER=yes.
func nextKeyFile(s config.Staged) string {
	key := stagedFiles(s).Key
	switch s.Layout {
	case "acme.sh":
		return key + ".next"
	case "dehydrated":
		return filepath.Join(filepath.Dir(key), "privkey.roll.pem")
	}
	return ""
}

// legoName is how lego's files for a name are called: a wildcard's star, a port's colon
// and letters that are not ASCII cannot stand there.
func legoName(name string) string {
	name = strings.NewReplacer("*", "_", ":", "-").Replace(name)
	if ascii, err := idna.ToASCII(name); err == nil { // the one that lego calls, too
		return ascii
	}
	return name
}

// acmeShDir is the directory of a name. Without the suffix it is that of the RSA key, but
// where there is none, as acme.sh itself has it; the default key is an ECDSA one.
func acmeShDir(s config.Staged) string {
	dir := filepath.Join(s.Dir, s.Name)
	if strings.HasSuffix(s.Name, eccSuffix) {
		return dir
	}
	if _, err := os.Stat(dir); err != nil {
		return dir + eccSuffix
	}
	return dir
}

// isStaged reports whether a file is one that the client keeps for what is staged: the
// certificate's itself, however it is reached, or another of its names, as those with a
// number or a time to which links lead.
func isStaged(s config.Staged, file string) bool {
	files := stagedFiles(s)
	if files.Cert == "" {
		return false
	}
	if same(files.Cert, file) {
		return true
	}
	var dirs []string
	switch s.Layout {
	case "lego": // all certificates are in one
		return same(strings.TrimSuffix(files.Cert, ".crt")+".pem", file)
	case "certbot":
		dirs = []string{filepath.Dir(files.Cert), filepath.Join(s.Dir, "archive", s.Name)}
	case "acme.sh", "dehydrated":
		dirs = []string{filepath.Dir(files.Cert)}
	}
	return slices.ContainsFunc(dirs, func(dir string) bool { return same(dir, filepath.Dir(file)) })
}

// certbotAgain is what certbot adds to a name when the hosts of its certificate have changed.
var certbotAgain = regexp.MustCompile(`^-[0-9]{4}$`)

// renamed is the name under which certbot goes on with what is staged, if the file is of
// that: then nobody writes what is watched any more.
func renamed(s config.Staged, file string) string {
	name := filepath.Base(filepath.Dir(file))
	rest, ok := strings.CutPrefix(name, s.Name)
	if s.Layout != "certbot" || !ok || !certbotAgain.MatchString(rest) || !same(filepath.Join(s.Dir, "live"), filepath.Dir(filepath.Dir(file))) {
		return ""
	}
	return name
}

// same reports whether two paths are of one file, links on the way followed.
func same(a, b string) bool { return a == b || followed(a) == followed(b) }

// followed is where a path leads, as far as it can be told.
func followed(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	if dir := filepath.Dir(path); dir != path { // the file may be yet to come
		return filepath.Join(followed(dir), filepath.Base(path))
	}
	return path
}
