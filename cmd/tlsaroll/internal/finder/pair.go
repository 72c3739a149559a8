package finder

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A Pair is a certificate that an ACME client keeps, with its key.
type Pair struct {
	Client string // as the configuration calls it: lego, certbot, acme.sh or dehydrated
	Dir    string // the client's
	Name   string // and its name for the certificate
	Cert   string // the chain's file
	Key    string
	Leaf   *x509.Certificate
}

// String is what a person calls it, and --cert takes.
func (p Pair) String() string { return p.Client + ":" + p.Name }

// Keeps reports whether a file is one that the client writes for this certificate, however it
// is reached.
func (p Pair) Keeps(h Host, file string) bool {
	to := h.Follow(file)
	dirs := []string{h.Follow(path.Dir(p.Cert))}
	switch p.Client {
	case "lego": // all certificates are in one directory
		return strings.TrimSuffix(to, path.Ext(to)) == strings.TrimSuffix(h.Follow(p.Cert), ".crt")
	case "certbot":
		dirs = append(dirs, h.Follow(path.Join(p.Dir, "archive", p.Name)))
	}
	return slices.Contains(dirs, path.Dir(to))
}

// layouts are where clients keep certificates unless they are told otherwise, and where
// their packages have them.
var layouts = []struct {
	client string
	dirs   []string
	chain  string // below the directory
}{
	{"lego", []string{"/var/lib/lego", "/etc/lego", "/root/.lego"}, "certificates/*.crt"},
	{"certbot", []string{"/etc/letsencrypt"}, "live/*/fullchain.pem"},
	{"acme.sh", []string{"/root/.acme.sh", "/etc/acme.sh", "/var/lib/acme.sh"}, "*/fullchain.cer"},
	{"dehydrated", []string{"/var/lib/dehydrated", "/etc/dehydrated"}, "certs/*/fullchain.pem"},
}

// pairs are all of them, with a note for those that have ended: a server may read one.
func (h Host) pairs(note func(string, ...any)) (found []Pair) {
	var closed []string
	for _, l := range layouts {
		dirs := l.dirs
		if l.client == "lego" && h.Lego != "" {
			dirs = []string{h.Lego}
		}
		for _, dir := range dirs {
			if at := path.Join(dir, strings.TrimSuffix(path.Dir(l.chain), "*")); h.closed(at) {
				closed = append(closed, at)
			}
			for _, file := range h.glob(path.Join(dir, l.chain)) {
				if strings.HasSuffix(file, ".issuer.crt") {
					continue
				}
				leaf, err := h.Leaf(file)
				if err != nil {
					note("%s: %s: %v", l.client, file, err)
					continue
				}
				p := named(Pair{Client: l.client, Dir: dir, Cert: file, Leaf: leaf})
				if h.ended(p) {
					note("%s: %s: ended on %s", l.client, file, leaf.NotAfter.UTC().Format("2006-01-02"))
				}
				found = append(found, p)
			}
		}
	}
	if len(closed) > 0 {
		note("ACME clients: %s may not be read by this user, so that certificates there are not found: root may", strings.Join(closed, ", "))
	}
	return found
}

func (h Host) ended(p Pair) bool { return p.Leaf.NotAfter.Before(h.Now) }

// closed reports whether a directory may not be listed.
func (h Host) closed(dir string) bool {
	_, err := fs.ReadDir(h.Files, within(dir))
	return errors.Is(err, fs.ErrPermission)
}

// named adds what follows from the file's path.
func named(p Pair) Pair {
	switch p.Client {
	case "lego":
		p.Name = strings.TrimSuffix(path.Base(p.Cert), ".crt")
		p.Key = strings.TrimSuffix(p.Cert, ".crt") + ".key"
	case "acme.sh":
		p.Name = path.Base(path.Dir(p.Cert))
		p.Key = path.Join(path.Dir(p.Cert), strings.TrimSuffix(p.Name, "_ecc")+".key")
	default:
		p.Name = path.Base(path.Dir(p.Cert))
		p.Key = path.Join(path.Dir(p.Cert), "privkey.pem")
	}
	return p
}

// Leaf is the first certificate of a file in PEM; keys in it are passed over.
func (h Host) Leaf(file string) (*x509.Certificate, error) {
	text, err := h.read(file)
	if err != nil {
		return nil, cause(err)
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, errors.New("no certificate in it")
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
}

// Algorithm is the kind of a certificate's key, as people call it.
func Algorithm(c *x509.Certificate) string {
	switch c.PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA"
	case *ecdsa.PublicKey:
		return "ECDSA"
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "other"
}
