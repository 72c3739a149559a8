package packages

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rootDirectory is one that packages are installed in: it has what the scripts of packages
// call, and a systemctl that notes what it is called with, and finds a unit enabled if the file
// enabled is there.
type rootDirectory struct {
	*testing.T
	dir    string
	before []string
}

const systemctl = `#!/bin/sh
echo "$*" >>/systemctl.log
[ "$1" != is-enabled ] || [ -e /etc/enabled ]
`

func newRoot(t *testing.T) *rootDirectory {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("TLSAROLL_E2E") == "require" {
			t.Fatal("not root; TLSAROLL_E2E=require forbids leaving it out")
		}
		t.Skip("LEFT OUT: not root, as chroot(2) wants it")
	}
	r := &rootDirectory{T: t, dir: t.TempDir()}
	for _, dir := range []string{"bin", "etc", "usr", "run/systemd/system", "tmp", "dev", "var/tmp", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/lib/rpm"} {
		r.fails(os.MkdirAll(r.at(dir), 0o755))
	}
	r.write("var/lib/dpkg/status", "", 0o644)
	r.write("dev/null", "", 0o666) // a file will do
	for _, program := range []string{"sh", "mkdir", "rm", "rmdir"} {
		r.program(program)
	}
	r.write("bin/systemctl", systemctl, 0o755)
	r.before = r.files()
	return r
}

func (r *rootDirectory) at(name string) string { return filepath.Join(r.dir, name) }

func (r *rootDirectory) fails(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rootDirectory) write(name, text string, mode fs.FileMode) {
	r.Helper()
	r.fails(errors.Join(os.MkdirAll(filepath.Dir(r.at(name)), 0o700), os.WriteFile(r.at(name), []byte(text), mode)))
}

// program puts one of the host's there, with its libraries.
func (r *rootDirectory) program(name string) {
	r.Helper()
	from := strings.TrimSpace(run(r.T, nil, "/bin/sh", "-c", "command -v "+name))
	copied := map[string]string{from: "bin/" + name}
	for word := range strings.FieldsSeq(run(r.T, nil, "ldd", from)) {
		if strings.HasPrefix(word, "/") {
			copied[word] = word
		}
	}
	for from, to := range copied {
		text, err := os.ReadFile(from)
		r.fails(err)
		r.write(to, string(text), 0o755)
	}
}

// files are all there are but the package managers' own, sorted; directories end with a slash.
func (r *rootDirectory) files() (found []string) {
	r.Helper()
	r.fails(filepath.WalkDir(r.dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(r.dir, file)
		switch {
		case name == "var/lib/dpkg" || name == "var/lib/rpm" || name == "systemctl.log":
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
			found = append(found, name+"/")
		default:
			found = append(found, name)
		}
		return err
	}))
	slices.Sort(found)
	return found
}

// added are the files that were not there at first.
func (r *rootDirectory) added() []string {
	r.Helper()
	return slices.DeleteFunc(r.files(), func(name string) bool { return slices.Contains(r.before, name) })
}

// asked wants systemctl called so since the last time.
func (r *rootDirectory) asked(want ...string) {
	r.Helper()
	text, err := os.ReadFile(r.at("systemctl.log"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.Fatal(err)
	}
	if got := strings.Split(strings.TrimSpace(string(text)), "\n"); !slices.Equal(got, want) && (len(want) > 0 || len(text) > 0) {
		r.Errorf("systemctl was called with %q, want %q", got, want)
	}
	r.fails(os.RemoveAll(r.at("systemctl.log")))
}

// whole wants all that a package has to have, with its modes, and nothing else.
func (r *rootDirectory) whole(zsh string) {
	r.Helper()
	want := map[string]fs.FileMode{
		"etc/tlsaroll/":    fs.ModeDir | 0o700,
		"usr/bin/tlsaroll": 0o755,
	}
	for _, name := range []string{
		"lib/systemd/system/tlsaroll.service", "lib/systemd/system/tlsaroll-once.service", "lib/systemd/system/tlsaroll-once.timer",
		"lib/systemd/system/tlsaroll-unprivileged.service", "lib/systemd/system/tlsaroll-installer.service", "lib/systemd/system/tlsaroll-installer.socket", "lib/sysusers.d/tlsaroll.conf",
		"share/doc/tlsaroll/copyright", "share/doc/tlsaroll/tlsaroll.yaml", "share/doc/tlsaroll/examples/dns-hosts/rfc2136.yaml",
		"share/man/man1/tlsaroll.1.gz", "share/man/man1/tlsaroll-check.1.gz", "share/man/man5/tlsaroll.yaml.5.gz", "share/man/man7/tlsaroll-metrics.7.gz", "share/man/man7/tlsaroll-codes.7.gz", "share/man/man7/tlsaroll-safety.7.gz", "share/man/man7/tlsaroll-threats.7.gz", "share/man/man7/tlsaroll-recipes.7.gz",
		"share/bash-completion/completions/tlsaroll", "share/fish/vendor_completions.d/tlsaroll.fish", zsh,
	} {
		want["usr/"+name] = 0o644
	}
	got := map[string]fs.FileMode{}
	for _, name := range r.added() {
		info, err := os.Stat(r.at(name))
		r.fails(err)
		switch {
		case want[name] != 0:
			got[name] = info.Mode()
		case info.IsDir() && strings.HasPrefix(name, "usr/"):
			if info.Mode().Perm() != 0o755 {
				r.Errorf("%s: mode %s", name, info.Mode())
			}
		case strings.HasPrefix(name, "usr/share/doc/tlsaroll/examples/") && info.Mode()&^0o111 == 0o644: // scripts among them
		case info.Mode() != 0o644 || !strings.HasPrefix(name, "usr/lib/systemd/system/tlsaroll") && !strings.HasPrefix(name, "usr/share/man/man1/tlsaroll-") && !strings.HasPrefix(name, "usr/share/man/man7/tlsaroll-"):
			r.Errorf("%s, %s: should it be there?", name, info.Mode())
		}
	}
	for name, mode := range want {
		if got[name] != mode {
			r.Errorf("%s: mode %s, want %s", name, got[name], mode)
		}
	}
}

// used puts there what is on a host where it was in use.
func (r *rootDirectory) used() []string {
	r.Helper()
	r.write("etc/enabled", "", 0o644)
	r.write("etc/tlsaroll/tlsaroll.yaml", "state: /var/lib/tlsaroll\n", 0o600)
	r.write("etc/tlsaroll/tsig.secret", "c2VjcmV0\n", 0o600)
	r.write("var/lib/tlsaroll/journal.db", "", 0o600)
	return []string{"etc/enabled", "etc/tlsaroll/", "etc/tlsaroll/tlsaroll.yaml", "etc/tlsaroll/tsig.secret", "var/lib/tlsaroll/", "var/lib/tlsaroll/journal.db"}
}

// left wants these files, and no more, beside those of the beginning.
func (r *rootDirectory) left(want []string) {
	r.Helper()
	got := slices.DeleteFunc(r.added(), func(name string) bool {
		// Directories that others have files in, too: rpm leaves them.
		return strings.HasPrefix(name, "usr/") && strings.HasSuffix(name, "/") && !strings.Contains(name, "tlsaroll")
	})
	if !slices.Equal(got, want) {
		r.Errorf("left are %q, want %q", got, want)
	}
}
