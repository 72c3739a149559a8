package lab

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/miekg/dns"
)

// A Key is a TSIG key, hmac-sha256. It prints as its name alone.
type Key struct {
	Name       string // absolute, as "tlsaroll.example.org."
	Algorithm  string // "hmac-sha256"
	SecretFile string // the secret in base64, mode 0600
	secret     string
}

// String is the key's name.
func (k Key) String() string { return k.Name }

// GoString keeps the secret out of %#v.
func (k Key) GoString() string { return k.Name }

func newKey256(name, dir string) (Key, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return Key{}, err
	}
	k := Key{
		Name: name, Algorithm: "hmac-sha256",
		SecretFile: filepath.Join(dir, strings.TrimSuffix(name, ".")+".secret"),
		secret:     base64.StdEncoding.EncodeToString(raw),
	}
	return k, os.WriteFile(k.SecretFile, []byte(k.secret+"\n"), 0o600)
}

// sign prepares m and the client for a signed exchange.
func (k Key) sign(m *dns.Msg, now int64) map[string]string {
	m.SetTsig(k.Name, dns.HmacSHA256, 300, now)
	return map[string]string{k.Name: k.secret}
}

// clause is the key in BIND's configuration.
func (k Key) clause() string {
	return fmt.Sprintf("key %q { algorithm %s; secret %q; };\n", k.Name, k.Algorithm, k.secret)
}
