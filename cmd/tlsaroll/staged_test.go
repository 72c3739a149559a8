package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// TestStagedFiles holds where clients leave what is called so. acme.sh has a directory
// for each kind of key, and takes the one that there is.
func TestStagedFiles(t *testing.T) {
	d := newDesk(t)
	for _, dir := range []string{"acme/rsa.example.org", "acme/dual.example.org", "acme/dual.example.org_ecc", "acme/ecdsa.example.org_ecc"} {
		if err := os.MkdirAll(d.path(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for staged, want := range map[string]certwatch.Files{
		"lego: DIR/lego, name: mx1.example.org":         {Cert: "lego/certificates/mx1.example.org.crt", Key: "lego/certificates/mx1.example.org.key"},
		`lego: DIR/lego, name: "*.example.org"`:         {Cert: "lego/certificates/_.example.org.crt", Key: "lego/certificates/_.example.org.key"},
		`lego: DIR/lego, name: "mx1.example.org:8443"`:  {Cert: "lego/certificates/mx1.example.org-8443.crt", Key: "lego/certificates/mx1.example.org-8443.key"},
		"lego: DIR/lego, name: mx1.bücher.example":      {Cert: "lego/certificates/mx1.xn--bcher-kva.example.crt", Key: "lego/certificates/mx1.xn--bcher-kva.example.key"},
		"certbot: mx1.example.org":                      {Cert: "/etc/letsencrypt/live/mx1.example.org/fullchain.pem", Key: "/etc/letsencrypt/live/mx1.example.org/privkey.pem"},
		"certbot: mx1.example.org-0001, dir: DIR/le":    {Cert: "le/live/mx1.example.org-0001/fullchain.pem", Key: "le/live/mx1.example.org-0001/privkey.pem"},
		"acme.sh: rsa.example.org, dir: DIR/acme":       {Cert: "acme/rsa.example.org/fullchain.cer", Key: "acme/rsa.example.org/rsa.example.org.key"},
		"acme.sh: dual.example.org, dir: DIR/acme":      {Cert: "acme/dual.example.org/fullchain.cer", Key: "acme/dual.example.org/dual.example.org.key"},
		"acme.sh: dual.example.org_ecc, dir: DIR/acme":  {Cert: "acme/dual.example.org_ecc/fullchain.cer", Key: "acme/dual.example.org_ecc/dual.example.org.key"},
		"acme.sh: ecdsa.example.org, dir: DIR/acme":     {Cert: "acme/ecdsa.example.org_ecc/fullchain.cer", Key: "acme/ecdsa.example.org_ecc/ecdsa.example.org.key"},
		"acme.sh: yet.to.come, dir: DIR/acme":           {Cert: "acme/yet.to.come_ecc/fullchain.cer", Key: "acme/yet.to.come_ecc/yet.to.come.key"},
		`acme.sh: "*.example.org_ecc", dir: DIR/acme`:   {Cert: "acme/*.example.org_ecc/fullchain.cer", Key: "acme/*.example.org_ecc/*.example.org.key"},
		"dehydrated: star_example_org":                  {Cert: "/var/lib/dehydrated/certs/star_example_org/fullchain.pem", Key: "/var/lib/dehydrated/certs/star_example_org/privkey.pem"},
		"cert: /etc/ssl/mx1.crt, key: /etc/ssl/mx1.key": {Cert: "/etc/ssl/mx1.crt", Key: "/etc/ssl/mx1.key"},
	} {
		for _, path := range []*string{&want.Cert, &want.Key} {
			if !strings.HasPrefix(*path, "/") {
				*path = filepath.Join(d.dir, *path)
			}
		}
		if got := stagedFiles(d.staged(t, staged)); got != want {
			t.Errorf("%s: %+v\nwant %+v", staged, got, want)
		}
	}
}

// staged reads what a lineage's staged: says.
func (d *desk) staged(t *testing.T, text string) config.Staged {
	t.Helper()
	d.configure(t, "staged.yaml", "  mx1: {endpoints: [smtp://mx1.example.org], staged: {"+text+"}}\n")
	cfg, _, err := config.System(config.RFC2136()).Load(d.path("staged.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Lineages[0].Staged
}

// TestIsStaged tells the files that a client keeps for one lineage from those of another.
func TestIsStaged(t *testing.T) {
	d := newDesk(t)
	for _, dir := range []string{"le/live/mx1", "acme/mx1_ecc", "acme/mx1"} {
		if err := os.MkdirAll(d.path(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("le", d.path("letsencrypt")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		staged, file string
		want         bool
	}{
		{"lego: DIR/lego, name: mx1", "lego/certificates/mx1.crt", true},
		{"lego: DIR/lego, name: mx1", "lego/certificates/mx1.pem", true},
		{"lego: DIR/lego, name: mx1", "lego/certificates/mx2.crt", false},
		{"lego: DIR/lego, name: mx1", "lego/certificates/mx1.crt.crt", false},
		{"certbot: mx1, dir: DIR/le", "le/live/mx1/fullchain.pem", true},
		{"certbot: mx1, dir: DIR/le", "letsencrypt/live/mx1/fullchain.pem", true},
		{"certbot: mx1, dir: DIR/letsencrypt", "le/archive/mx1/fullchain12.pem", true},
		{"certbot: mx1, dir: DIR/le", "le/live/mx1-0001/fullchain.pem", false},
		{"acme.sh: mx1, dir: DIR/acme", "acme/mx1/fullchain.cer", true},
		{"acme.sh: mx1, dir: DIR/acme", "acme/mx1_ecc/fullchain.cer", false},
		{"acme.sh: mx1_ecc, dir: DIR/acme", "acme/mx1_ecc/mx1.cer", true},
		{"dehydrated: mx1, dir: DIR/de", "de/certs/mx1/fullchain-17.pem", true},
		{"dehydrated: mx1, dir: DIR/de", "de/certs/fullchain-17.pem", false},
		{"cert: DIR/le/live/mx1/fullchain.pem, key: DIR/le/live/mx1/privkey.pem", "letsencrypt/live/mx1/fullchain.pem", true},
		{"cert: DIR/ssl/mx1.pem, key: DIR/ssl/mx1.key", "ssl/mx2.pem", false},
	} {
		staged := d.staged(t, strings.ReplaceAll(test.staged, "DIR", d.dir))
		if got := isStaged(staged, d.path(test.file)); got != test.want {
			t.Errorf("{%s}: %s: %t", test.staged, test.file, got)
		}
	}
	if isStaged(config.Staged{}, d.path("le/live/mx1/fullchain.pem")) {
		t.Error("where nothing is staged, nothing is")
	}
}
