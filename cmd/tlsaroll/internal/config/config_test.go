package config

import (
	"io/fs"
	"strings"
	"testing/fstest"
)

// world is a loader of files and variables that exist only here.
func world() Loader {
	files := fstest.MapFS{
		"etc/tlsaroll/tsig.secret":   {Data: []byte("c2VjcmV0IGtleSBub2JvZHkgc2VlcyE=\n"), Mode: 0o600},
		"etc/tlsaroll/group":         {Data: []byte("c2VjcmV0IGtleSBub2JvZHkgc2VlcyE=\n"), Mode: 0o640},
		"etc/tlsaroll/world":         {Data: []byte("c2VjcmV0IGtleSBub2JvZHkgc2VlcyE=\n"), Mode: 0o644},
		"etc/tlsaroll/password":      {Data: []byte("hunter2, not base64\n"), Mode: 0o600},
		"etc/tlsaroll/tsig.key":      {Data: []byte("key \"k\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n"), Mode: 0o600},
		"etc/tlsaroll/eab.hmac":      {Data: []byte("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W=\n"), Mode: 0o600},
		"etc/tlsaroll/smtp.password": {Data: []byte("hunter2\n"), Mode: 0o600},
		"etc/tlsaroll/slack.url":     {Data: []byte("https://hooks.example.org/hunter2\n"), Mode: 0o600},
		"etc/tlsaroll/matrix.token":  {Data: []byte("hunter2\n"), Mode: 0o600},
		"etc/tlsaroll/ntfy.token":    {Data: []byte("hunter2\n"), Mode: 0o600},
		"etc/tlsaroll/empty":         {Data: []byte("\n"), Mode: 0o600},
		"etc/tlsaroll/large":         {Data: []byte(strings.Repeat("A", maxSecret+1)), Mode: 0o600},
		"etc/resolv.conf":            {Data: []byte("search example.org\nnameserver 127.0.0.1\n"), Mode: 0o644},
		"run/credentials/tsig":       {Data: []byte("c2VjcmV0IGtleSBub2JvZHkgc2VlcyE="), Mode: 0o400},
	}
	env := map[string]string{
		"TSIG": "c2VjcmV0IGtleSBub2JvZHkgc2VlcyE=", "PASSWORD": "hunter2", "TOKEN": "hunter2", "EMPTY": " ",
		"CREDENTIALS_DIRECTORY": "/run/credentials",
	}
	return Loader{
		Open: func(name string) (fs.File, error) {
			if name == "/etc/tlsaroll/denied" {
				return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
			}
			return files.Open(strings.TrimPrefix(name, "/"))
		},
		LookupEnv:     func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		ProviderTypes: []ProviderType{RFC2136()},
		RefusedTypes:  map[string]Refusal{"netcup": {"its interface deletes the wrong record", "use exec"}},
		IssuerSets:    []string{"letsencrypt", "letsencrypt-ecdsa", "letsencrypt-rsa"},
	}
}

// with is a loader that also has one more file.
func (l Loader) with(name string, src []byte) Loader {
	open := l.Open
	files := fstest.MapFS{strings.TrimPrefix(name, "/"): {Data: src, Mode: 0o644}}
	l.Open = func(n string) (fs.File, error) {
		if n == name {
			return files.Open(strings.TrimPrefix(name, "/"))
		}
		return open(n)
	}
	return l
}
