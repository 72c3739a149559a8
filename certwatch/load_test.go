package certwatch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// later is a clock by which files that the test has just written are old.
func later() time.Time { return time.Now().Add(30 * time.Second) }

// staged writes a pair as an ACME client does.
func staged(t testing.TB, h hierarchy) Files {
	t.Helper()
	dir := t.TempDir()
	return Files{
		Cert: write(t, dir+"/mx1.crt", chainPEM(h.leaf, h.intermediate), 0o644),
		Key:  write(t, dir+"/mx1.key", keyPEM(t, h.leaf), 0o600),
	}
}

func TestLoad(t *testing.T) {
	h := issue(t)
	f := staged(t, h)
	want := pairFor(t, h.leaf, h.intermediate)
	combined := Files{Cert: write(t, t.TempDir()+"/mx1.pem", append(keyPEM(t, h.leaf), chainPEM(h.leaf, h.intermediate)...), 0o600)}

	for name, files := range map[string]Files{
		"two files":             f,
		"combined":              combined,
		"combined, named twice": {combined.Cert, combined.Cert},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Reader{Quiet: DefaultQuiet, Now: later}.Load(files)
			if err != nil {
				t.Fatal(err)
			}
			if p.ID() != want.ID() || len(p.Findings) > 0 {
				t.Errorf("got %s with %v, want %s", p.ID(), p.Findings, want.ID())
			}
		})
	}
}

// TestLoadRefuses has the exact sentence for each trouble with files. DIR in a
// sentence is the test's directory.
func TestLoadRefuses(t *testing.T) {
	h, other := issue(t), issue(t)
	tests := []struct {
		name   string
		change func(t *testing.T, dir string)
		kind   error
		want   string
	}{
		{"no certificate file", func(t *testing.T, dir string) { remove(t, dir+"/mx1.crt") }, fs.ErrNotExist,
			"DIR/mx1.crt: no such file or directory (hint: has the ACME client issued a certificate yet? is the path right?)"},
		{"no key file", func(t *testing.T, dir string) { remove(t, dir+"/mx1.key") }, fs.ErrNotExist,
			"DIR/mx1.key: no such file or directory (hint: has the ACME client issued a certificate yet? is the path right?)"},
		{"a link to nowhere", func(t *testing.T, dir string) { relink(t, "gone.pem", dir+"/mx1.crt") }, fs.ErrNotExist,
			"DIR/mx1.crt: DIR/gone.pem: no such file or directory (hint: has the ACME client issued a certificate yet? is the path right?)"},
		{"links in a circle", func(t *testing.T, dir string) { relink(t, "mx1.crt", dir+"/mx1.crt") }, unix.ELOOP,
			"DIR/mx1.crt: too many levels of symbolic links"},
		{"directory", func(t *testing.T, dir string) { remove(t, dir+"/mx1.crt"); mkdir(t, dir+"/mx1.crt") }, ErrNotRegular,
			"DIR/mx1.crt: a directory, want a file"},
		{"pipe", func(t *testing.T, dir string) {
			remove(t, dir+"/mx1.key")
			if err := unix.Mkfifo(dir+"/mx1.key", 0o600); err != nil {
				t.Fatal(err)
			}
		}, ErrNotRegular, "DIR/mx1.key: a pipe, want a file"},
		{"huge", func(t *testing.T, dir string) {
			if err := os.Truncate(dir+"/mx1.crt", maxFile+1); err != nil {
				t.Fatal(err)
			}
		}, ErrTooLarge, "DIR/mx1.crt: larger than 1048576 octets (hint: is this a certificate file?)"},
		{"key open to everybody", func(t *testing.T, dir string) { chmod(t, dir+"/mx1.key", 0o644) }, ErrExposed,
			"DIR/mx1.key: mode 0644 opens the private key to everybody on this host (hint: chmod 600 DIR/mx1.key; if others had access, issue with a new key)"},
		{"combined file open to everybody", func(t *testing.T, dir string) {
			write(t, dir+"/mx1.crt", append(keyPEM(t, h.leaf), chainPEM(h.leaf, h.intermediate)...), 0o604)
		}, ErrExposed,
			"DIR/mx1.crt: mode 0604 opens the private key to everybody on this host (hint: chmod 600 DIR/mx1.crt; if others had access, issue with a new key)"},
		{"key of another pair", func(t *testing.T, dir string) { write(t, dir+"/mx1.key", keyPEM(t, other.leaf), 0o600) }, ErrMismatch,
			`DIR/mx1.crt: the private key does not fit the certificate of "mx1.example.org" (hint: certificate and key come from different orders; give the files of one order, or issue again)`},
		{"torn", func(t *testing.T, dir string) {
			if err := os.Truncate(dir+"/mx1.crt", 100); err != nil {
				t.Fatal(err)
			}
		}, ErrDamaged, "DIR/mx1.crt: line 1: the certificate that begins here has no end"},
		{"truncated to nothing", func(t *testing.T, dir string) { write(t, dir+"/mx1.key", nil, 0o600) }, ErrNoKey,
			"DIR/mx1.key: no private key (hint: give the file that begins with -----BEGIN PRIVATE KEY-----, or a combined one)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := staged(t, h)
			dir := filepath.Dir(f.Cert)
			tt.change(t, dir)
			_, err := Reader{Quiet: DefaultQuiet, Now: later}.Load(f)
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.ReplaceAll(err.Error(), dir, "DIR"); got != tt.want {
				t.Errorf("got\n %s\nwant\n %s", got, tt.want)
			}
			if !errors.Is(err, tt.kind) {
				t.Errorf("%#v is no %v", err, tt.kind)
			}
			// The same trouble in files that are young may be half a write.
			_, err = Reader{Quiet: time.Hour, Now: time.Now}.Load(f)
			var unsettled *UnsettledError
			if errors.Is(tt.kind, unix.ELOOP) {
				return
			}
			if !errors.As(err, &unsettled) || !errors.Is(err, ErrUnsettled) {
				t.Fatalf("young files: %v, want an UnsettledError", err)
			}
			if wait := time.Until(unsettled.Until); wait < 59*time.Minute || wait > time.Hour {
				t.Errorf("to be looked at again in %v, want within the quiet time of an hour", wait)
			}
		})
	}
	if _, err := Load(Files{}); err == nil || err.Error() != "certificate: no path given" {
		t.Errorf("no path: %v", err)
	}
}

func TestLoadWarns(t *testing.T) {
	h := issue(t)
	tests := []struct {
		name      string
		cert, key os.FileMode
		want      string
	}{
		{"key open to its group", 0o644, 0o640, "DIR/mx1.key: mode 0640 opens the private key to the file's group (hint: chmod 600 DIR/mx1.key, unless a server needs it)"},
		{"certificate open for writing", 0o666, 0o600, "DIR/mx1.crt: mode 0666 lets everybody on this host change the certificate (hint: chmod 644 DIR/mx1.crt)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := staged(t, h)
			chmod(t, f.Cert, tt.cert)
			chmod(t, f.Key, tt.key)
			p, err := Load(f)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Findings) != 1 || p.Findings[0].Severity != Warning {
				t.Fatalf("findings %v, want one warning", p.Findings)
			}
			if got := strings.ReplaceAll(p.Findings[0].Text, filepath.Dir(f.Cert), "DIR"); got != tt.want {
				t.Errorf("got\n %s\nwant\n %s", got, tt.want)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("SKIPPED: root may read everything; run the tests as another user, too")
	}
	f := staged(t, issue(t))
	chmod(t, f.Key, 0)
	_, err := Load(f)
	want := f.Key + ": permission denied (hint: the user that tlsaroll runs as must be able to read it)"
	if err == nil || err.Error() != want || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got\n %v\nwant\n %s", err, want)
	}
}

// TestTurnedLink has certbot's layout: the files in archive/ are old, but a link
// in live/ is new.
func TestTurnedLink(t *testing.T) {
	h := issue(t)
	f := staged(t, h)
	links := t.TempDir()
	relink(t, f.Cert, links+"/fullchain.pem")
	relink(t, f.Key, links+"/privkey.pem")
	relink(t, links, links+"/../by-name")
	f = Files{links + "/../by-name/fullchain.pem", links + "/../by-name/privkey.pem"}

	seen, err := stamps(f.Cert)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 {
		t.Fatalf("%d stamps, want those of two links and a file: %v", len(seen), seen)
	}
	turned := seen[1].changed().Add(-time.Nanosecond)
	reader := Reader{Quiet: time.Nanosecond, Now: func() time.Time { return turned }}
	var unsettled *UnsettledError
	if _, err := reader.Load(f); !errors.As(err, &unsettled) {
		t.Errorf("just before the link was turned: %v, want an UnsettledError", err)
	}
	if _, err := (Reader{Quiet: DefaultQuiet, Now: later}).Load(f); err != nil {
		t.Errorf("long after: %v", err)
	}

	// And the other way round: the links are old, the file was written in place.
	link := seen[1].changed()
	for range 1000 {
		write(t, f.Cert, chainPEM(h.leaf, h.intermediate), 0o644)
		if seen, err = stamps(f.Cert); err != nil || seen[2].changed().After(link.Add(time.Microsecond)) {
			break
		}
		time.Sleep(time.Millisecond) // the kernel stamps files by its ticks
	}
	ok(t, err)
	reader.Now = func() time.Time { return seen[2].changed().Add(-time.Nanosecond) }
	if _, err := reader.Load(f); !errors.As(err, &unsettled) || unsettled.Path != f.Cert {
		t.Errorf("just before the file was written: %v, want an UnsettledError", err)
	}
}

// TestChangedWhileRead changes something between the first look at the files and
// the reading: the clock is asked in between.
func TestChangedWhileRead(t *testing.T) {
	h, next := issue(t), issue(t)
	changes := map[string]func(t *testing.T, f Files){
		"written in place": func(t *testing.T, f Files) { write(t, f.Cert, chainPEM(next.leaf, next.intermediate), 0o644) },
		"replaced": func(t *testing.T, f Files) {
			write(t, f.Cert+".new", chainPEM(next.leaf, next.intermediate), 0o644)
			rename(t, f.Cert+".new", f.Cert)
		},
		"same content, replaced": func(t *testing.T, f Files) {
			write(t, f.Cert+".new", chainPEM(h.leaf, h.intermediate), 0o644)
			rename(t, f.Cert+".new", f.Cert)
		},
		"turned into a link": func(t *testing.T, f Files) { rename(t, f.Cert, f.Cert+".1"); relink(t, f.Cert+".1", f.Cert) },
		"link turned to the same file": func(t *testing.T, f Files) {
			relink(t, f.Cert+".target", f.Cert+".new")
			rename(t, f.Cert+".new", f.Cert)
		},
		"mode": func(t *testing.T, f Files) { chmod(t, f.Cert, 0o600) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			f := staged(t, h)
			if strings.HasPrefix(name, "link") {
				rename(t, f.Cert, f.Cert+".target")
				relink(t, f.Cert+".target", f.Cert)
			}
			asked := false
			reader := Reader{Quiet: DefaultQuiet, Now: func() time.Time {
				if !asked {
					asked = true
					defer change(t, f)
				}
				return later()
			}}
			_, err := reader.Load(f)
			var unsettled *UnsettledError
			if !errors.As(err, &unsettled) {
				t.Fatalf("got %v, want an UnsettledError", err)
			}
			if unsettled.Path != f.Cert || unsettled.Cause != "changed while it was read" {
				t.Errorf("got %v", unsettled)
			}
		})
	}
}

// TestFuture has files whose time lies ahead of the clock.
func TestFuture(t *testing.T) {
	f := staged(t, issue(t))
	at := func(ago time.Duration) Reader {
		return Reader{Quiet: DefaultQuiet, Now: func() time.Time { return time.Now().Add(-ago) }}
	}
	if _, err := at(maxAhead / 2).Load(f); !errors.Is(err, ErrUnsettled) {
		t.Errorf("half a minute ahead: %v, want ErrUnsettled", err)
	}
	p, err := at(time.Hour).Load(f)
	if err != nil {
		t.Fatalf("an hour ahead: %v", err)
	}
	if diff := cmp.Diff([]string{CodeFuture, CodeFuture}, codes(p.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func remove(t testing.TB, path string)            { ok(t, os.RemoveAll(path)) }
func mkdir(t testing.TB, path string)             { ok(t, os.MkdirAll(path, 0o755)) }
func rename(t testing.TB, from, to string)        { ok(t, os.Rename(from, to)) }
func chmod(t testing.TB, p string, m fs.FileMode) { ok(t, os.Chmod(p, m)) }

func relink(t testing.TB, target, path string) {
	t.Helper()
	_ = os.Remove(path) // there may be none
	ok(t, os.Symlink(target, path))
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
