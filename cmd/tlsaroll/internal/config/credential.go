package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
)

// maxSecret is more than any key or token.
const maxSecret = 64 << 10

// secret reads NAME-file, NAME-env or NAME-credential. The value returned is the
// place that names it.
func (f *fields) secret(name string, required bool) (Secret, value, bool) {
	ways := []string{name + "-file", name + "-env", name + "-credential"}
	var given []string
	var at value
	written := false
	for _, way := range ways {
		written = written || f.has(way)
		if v, ok := f.take(way); ok {
			given, at = append(given, way), v
		}
	}
	if v, ok := f.values[name]; ok {
		f.asked = append(f.asked, name)
		v.lacks("a secret does not stand in the configuration", "put it into a file of mode 0600, and that file's path under "+ways[0])
		return Secret{}, v, false
	}
	switch len(given) {
	case 0:
		if required && !written {
			f.lacks("no "+name, "write one of "+strings.Join(ways, ", "))
		}
		return Secret{}, at, false
	case 1:
	default:
		at.lacks("the secret is given more than once, as "+sentence(given), "keep one")
		return Secret{}, at, false
	}
	var text []byte
	var ok bool
	switch given[0] {
	case ways[0]:
		text, ok = at.secretFile()
	case ways[1]:
		text, ok = at.secretEnv()
	default:
		text, ok = at.credential()
	}
	return NewSecret(text), at, ok
}

// What stands under these keys may be the secret itself, by mistake. So nothing that is
// said quotes it before it has turned out to be a name.

// secretEnv reads the environment variable that v names.
func (v value) secretEnv() ([]byte, bool) {
	name, ok := v.text("write the variable's name")
	if !ok {
		return nil, false
	}
	if v.SkipSecrets {
		return nil, true
	}
	s, ok := v.LookupEnv(strings.TrimPrefix(name, "$"))
	const hint = "set it where tlsaroll is started, as with EnvironmentFile= in the unit"
	switch {
	case !ok:
		v.fail("no such environment variable", hint)
		return nil, false
	case strings.TrimSpace(s) == "":
		v.fail("the environment variable "+name+" is empty", hint)
		return nil, false
	}
	return []byte(strings.TrimSpace(s)), true
}

// credential reads the systemd credential that v names.
func (v value) credential() ([]byte, bool) {
	name, ok := v.text("write the credential's name")
	if !ok {
		return nil, false
	}
	if strings.ContainsAny(name, "/\x00") || name == "." || name == ".." {
		v.fail("not the name of a credential", "write its name alone, as in LoadCredential=NAME:PATH")
		return nil, false
	}
	if v.SkipSecrets {
		return nil, true
	}
	dir, _ := v.LookupEnv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		v.fail("no credentials: CREDENTIALS_DIRECTORY is not set", "write LoadCredential=NAME:/path/of/the/secret in the unit, or name a file")
		return nil, false
	}
	return v.readSecret(filepath.Join(dir, name), "write LoadCredential=NAME:/path/of/the/secret in the unit")
}

// secretFile reads the file that v names.
func (v value) secretFile() ([]byte, bool) {
	const hint = "write the path of a file that holds the secret alone, as in /etc/tlsaroll/secret"
	path, ok := v.text(hint)
	if !ok {
		return nil, false
	}
	if !filepath.IsAbs(path) {
		v.fail("not an absolute path", hint)
		return nil, false
	}
	if v.SkipSecrets {
		return nil, true
	}
	return v.readSecret(path, "")
}

// readSecret reads a file that few may read. What it says never quotes the file.
func (v value) readSecret(path, hint string) ([]byte, bool) {
	file, err := v.Open(path)
	if err != nil {
		v.unreadable(path, hint, err)
		return nil, false
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		v.unreadable(path, hint, err)
		return nil, false
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		v.fail(path+" is not a file", "name a file that holds the secret alone")
		return nil, false
	case mode.Perm()&0o006 != 0:
		v.fail(path+" is open to everyone on this host", "chmod 600 "+path+", and make a new secret if others have been here")
		return nil, false
	case mode.Perm()&0o060 != 0:
		v.warn(path+" is open to its group", "chmod 600 "+path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		v.unreadable(path, hint, err)
		return nil, false
	}
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		v.fail(path+" is empty", "put the secret there, and nothing else")
		return nil, false
	case len(text) > maxSecret:
		v.fail(path+" is larger than any secret", "name a file that holds the secret alone")
		return nil, false
	}
	return text, true
}

func (v value) unreadable(path, hint string, err error) {
	what := cause(err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		what, hint = path+": "+what, "the file must belong to the user that tlsaroll runs as"
	case hint == "" && errors.Is(err, fs.ErrNotExist):
		hint = "put the secret there, mode 0600"
	case hint == "":
		hint = "check the file"
	}
	v.fail(what, hint)
}

// cause is what went wrong with a file, without the operation and the path,
// in words that do not depend on the platform.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, syscall.EISDIR):
		return "a directory"
	}
	return err.Error()
}
