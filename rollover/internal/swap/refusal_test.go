package swap

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// replaced makes a sentence independent of the test's directories.
func (w *world) replaced(s string) string {
	return strings.NewReplacer(w.state, "STATE", w.etc, "ETC").Replace(s)
}

// TestBadEntries has the exact sentence for each thing wrong with an entry.
func TestBadEntries(t *testing.T) {
	changed := " (hint: somebody changed the entry; stage the pair again)"
	tests := []struct {
		name   string
		change func(w *world, dir string)
		want   string
	}{
		{"no directory", func(_ *world, dir string) { ok(t, os.RemoveAll(dir)) }, "mx1: load: STATE/stash/bbbb/fullchain.pem: no such file or directory" + changed},
		{"no key", func(_ *world, dir string) { ok(t, os.Remove(dir+"/privkey.pem")) }, "mx1: load: STATE/stash/bbbb/privkey.pem: no such file or directory" + changed},
		{"no combined file", func(_ *world, dir string) { ok(t, os.Remove(dir+"/combined.pem")) }, "mx1: load: STATE/stash/bbbb/combined.pem: no such file or directory" + changed},
		{"a directory", func(_ *world, dir string) {
			ok(t, os.Remove(dir+"/privkey.pem"))
			ok(t, os.Mkdir(dir+"/privkey.pem", 0o700))
		}, "mx1: load: STATE/stash/bbbb/privkey.pem: not a regular file" + changed},
		{"huge", func(_ *world, dir string) { ok(t, os.Truncate(dir+"/privkey.pem", maxEntryFile+1)) }, "mx1: load: STATE/stash/bbbb/privkey.pem: larger than 1048576 octets" + changed},
		{"empty chain", func(_ *world, dir string) { write(t, dir+"/fullchain.pem", nil, 0o600) }, "mx1: load: STATE/stash/bbbb/fullchain.pem: not a chain of certificates" + changed},
		{"torn chain", func(_ *world, dir string) { ok(t, os.Truncate(dir+"/fullchain.pem", 900)) }, "mx1: load: STATE/stash/bbbb/fullchain.pem: not a chain of certificates" + changed},
		{"a key among the certificates", func(w *world, dir string) { write(t, dir+"/fullchain.pem", w.b.combined(), 0o600) }, "mx1: load: STATE/stash/bbbb/fullchain.pem: not a chain of certificates" + changed},
		{"text in the chain", func(w *world, dir string) {
			write(t, dir+"/fullchain.pem", append([]byte("x\n"), w.b.chain()...), 0o600)
		}, "mx1: load: STATE/stash/bbbb/fullchain.pem: not a chain of certificates" + changed},
		{"no certificate in a block", func(_ *world, dir string) { write(t, dir+"/fullchain.pem", pemOf("CERTIFICATE", []byte("x")), 0o600) }, "mx1: load: STATE/stash/bbbb/fullchain.pem: not a chain of certificates" + changed},
		{"another key", func(w *world, dir string) { write(t, dir+"/privkey.pem", w.a.key, 0o600) }, "mx1: load: STATE/stash/bbbb/privkey.pem: the private key is damaged or does not fit the certificate" + changed},
		{"another combined file", func(w *world, dir string) { write(t, dir+"/combined.pem", w.a.combined(), 0o600) }, "mx1: load: STATE/stash/bbbb/combined.pem: does not hold the private key and the chain" + changed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.Switch(t.Context(), w.entryA)
			ok(t, err)
			w.ran = nil
			before := snapshot(t, w.etc)
			tt.change(w, w.entryB)
			_, err = w.Switch(t.Context(), w.entryB)
			if err == nil || w.replaced(err.Error()) != tt.want {
				t.Errorf("got\n %v\nwant\n %s", err, tt.want)
			}
			var e *Error
			if !errors.As(err, &e) || e.Step != StepLoad || e.Switched || !errors.Is(err, ErrEntry) {
				t.Errorf("got %#v", err)
			}
			if len(w.ran) > 0 {
				t.Errorf("ran %v", w.ran)
			}
			if diff := cmp.Diff(before, snapshot(t, w.etc)); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
			if _, err := w.Matches(w.entryB); !errors.Is(err, ErrEntry) {
				t.Errorf("matches: %v", err)
			}
			if err := w.Adopt(w.entryB); !errors.Is(err, ErrEntry) {
				t.Errorf("adopt: %v", err)
			}
		})
	}
	w := newWorld(t)
	if _, err := w.Switch(t.Context(), "bbbb"); err == nil || err.Error() != `mx1: load: "bbbb": no absolute path of an entry` {
		t.Errorf("got %v", err)
	}
}

// TestBadTargets has the exact sentences of a switch and of Preflight for each
// thing wrong with a target, and sees that nothing is changed.
func TestBadTargets(t *testing.T) {
	tests := []struct {
		name      string
		change    func(w *world)
		install   string // what Switch says after "mx1: install: "; "": it works
		preflight string // what Preflight says; "": the same
	}{
		{"both", func(w *world) { w.Install[0].Dir = w.etc }, "ETC/combined.pem: both path: and dir: (hint: make it two entries)", ""},
		{"neither", func(w *world) { w.Install[1].Path = "" }, "install[1]: neither path: nor dir:", ""},
		{"relative", func(w *world) { w.Install[0].Path = "combined.pem" }, "combined.pem: not an absolute path of a file or directory", ""},
		{"root", func(w *world) { w.Install[3].Dir = "/" }, "/: not an absolute path of a file or directory", ""},
		{"content of a directory", func(w *world) { w.Install[3].Content = []Part{Key} }, "ETC/mx1: content: with dir:, which has always fullchain.pem, privkey.pem, combined.pem (hint: leave it out)", ""},
		{"no content", func(w *world) { w.Install[0].Content = nil }, "ETC/combined.pem: no content: (hint: content: is one or more of key, chain, cert, ca; chain is cert and ca)", ""},
		{"unknown content", func(w *world) { w.Install[0].Content = []Part{"pem"} }, `ETC/combined.pem: unknown content "pem" (hint: content: is one or more of key, chain, cert, ca; chain is cert and ca)`, ""},
		{"twice", func(w *world) { w.Install[0].Content = []Part{Key, Key} }, `ETC/combined.pem: content "key" twice (hint: content: is one or more of key, chain, cert, ca; chain is cert and ca)`, ""},
		{"twice in other words", func(w *world) { w.Install[0].Content = []Part{Key, Chain, CA} }, "ETC/combined.pem: certificates twice (hint: content: is one or more of key, chain, cert, ca; chain is cert and ca)", ""},
		{"mode with more", func(w *world) { w.Install[1].Mode = os.ModeSetuid | 0o600 }, `ETC/leaf.pem: mode urw------- is more than permissions (hint: write four octal digits, as in "0600")`, ""},
		{"open key", func(w *world) { w.Install[0].Mode = 0o644 }, "ETC/combined.pem: mode 0644 would open the private key to everybody on this host (hint: use 0600, or 0640 with the server's group)", ""},
		{"open directory", func(w *world) { w.Install[3].Mode = 0o604 }, "ETC/mx1: mode 0604 would open the private key to everybody on this host (hint: use 0600, or 0640 with the server's group)", ""},
		{"same path", func(w *world) { w.Install[1].Path = w.Install[0].Path }, "ETC/combined.pem: lies in the way of ETC/combined.pem (hint: every target needs a path of its own)", ""},
		{"below another", func(w *world) { w.Install[0].Path = w.etc + "/mx1/combined.pem" }, "ETC/mx1: lies in the way of ETC/mx1/combined.pem (hint: every target needs a path of its own)",
			"ETC/mx1: lies in the way of ETC/mx1/combined.pem (hint: every target needs a path of its own)\nETC/mx1: no such file or directory (hint: make the directory first)"},
		{"the live symlink", func(w *world) { w.Install[3].Dir = w.Live }, "STATE/live/mx1: lies in the way of STATE/live/mx1 (hint: install outside the state directory)",
			"STATE/live/mx1: lies in the way of STATE/live/mx1 (hint: install outside the state directory)\nSTATE/live: no such file or directory (hint: make the directory first)"},
		{"unknown user", func(w *world) { w.Install[0].Owner = "no-such-user:root" }, `ETC/combined.pem: unknown user "no-such-user" (hint: is it installed? a user or group from LDAP must be given as a number)`, ""},
		{"unknown group", func(w *world) { w.Install[0].Owner = "root:no-such-group" }, `ETC/combined.pem: unknown group "no-such-group" (hint: is it installed? a user or group from LDAP must be given as a number)`, ""},
		{"no directory", func(w *world) { w.Install[0].Path = w.etc + "/tls/combined.pem" }, "ETC/tls/combined.pem: no such file or directory (hint: make the directory first)", "ETC/tls: no such file or directory (hint: make the directory first)"},
		{"file as directory", func(w *world) {
			write(t, w.etc+"/tls", nil, 0o600)
			w.Install[0].Path = w.etc + "/tls/combined.pem"
		}, "ETC/tls/combined.pem: not a directory", "ETC/tls: not a directory"},
		{"a directory for a file", func(w *world) { ok(t, os.Mkdir(w.etc+"/combined.pem", 0o700)) }, "ETC/combined.pem: a directory (hint: to install into a directory write dir: instead of path:)",
			"ETC/combined.pem: not a file (hint: to install into a directory write dir: instead of path:)"},
		{"a pipe for a file", func(w *world) { ok(t, unix.Mkfifo(w.etc+"/combined.pem", 0o600)) }, "ETC/combined.pem: neither a file nor a symlink",
			"ETC/combined.pem: not a file (hint: to install into a directory write dir: instead of path:)"},
		{"a file for a directory", func(w *world) { write(t, w.etc+"/mx1", nil, 0o600) }, "ETC/mx1: neither a directory nor a symlink (hint: to install one file write path: instead of dir:)", ""},
		{"a directory in use", func(w *world) { write(t, w.etc+"/mx1/dh.pem", nil, 0o600) },
			`ETC/mx1: holds "dh.pem" besides the files that are installed there, which would vanish with the first swap (hint: give this lineage a directory of its own)`, ""},
		{"a link to a directory in use", func(w *world) {
			write(t, w.etc+"/certbot/README", nil, 0o600)
			ok(t, os.Symlink("certbot", w.etc+"/mx1"))
		}, `ETC/mx1: holds "README" besides the files that are installed there, which would vanish with the first swap (hint: give this lineage a directory of its own)`, ""},
		{"no place for the old file", func(w *world) {
			write(t, w.etc+"/combined.pem", nil, 0o600)
			ok(t, os.Mkdir(w.etc+"/combined.pem.previous", 0o700))
		}, "ETC/combined.pem.previous: a directory stands where the old file is to be kept (hint: move it away)", "-"},
		{"no place for the old directory", func(w *world) {
			ok(t, os.Mkdir(w.etc+"/mx1", 0o700))
			ok(t, os.Mkdir(w.etc+"/mx1.previous", 0o700))
		}, "ETC/mx1.previous: not a symlink, but stands where the old directory is to be kept (hint: move it away)", "-"},
		{"live is relative", func(w *world) { w.Live = "live/mx1" }, "live/mx1: not an absolute path", ""},
		{"live is a directory", func(w *world) { ok(t, os.MkdirAll(w.Live, 0o700)) }, "STATE/live/mx1: not a symlink (hint: nothing but tlsaroll may write there; move it away)", ""},
		{"two files", func(w *world) {
			w.Install = append(w.Install[3:], Target{Path: w.etc + "/key.pem", Content: []Part{Key}}, Target{Path: w.etc + "/chain.pem", Content: []Part{Chain}})
		}, "", "ETC/key.pem: key and certificate are in files of their own, so that a server may read the one before and the other after a swap (hint: use one file with content: [key, chain], or dir:)"},
		{"open parent", func(w *world) { ok(t, os.Chmod(w.etc, 0o777)); w.Install = w.Install[3:] }, "", "ETC: everybody on this host may replace what is installed there (hint: chmod o-w ETC)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.change(w)
			var said []string
			for _, p := range w.Preflight() {
				said = append(said, w.replaced(p.Text))
				if (p.Severity == Critical) != (tt.install != "") {
					t.Errorf("severity %s: %s", p.Severity, p.Text)
				}
			}
			want := tt.preflight
			switch want {
			case "":
				want = tt.install
			case "-":
				want = ""
			}
			if got := strings.Join(said, "\n"); got != want {
				t.Errorf("preflight: got\n %s\nwant\n %s", got, want)
			}
			before := snapshot(t, w.etc)
			_, err := w.Switch(t.Context(), w.entryA)
			if tt.install == "" {
				ok(t, err)
				return
			}
			if err == nil || w.replaced(err.Error()) != "mx1: install: "+tt.install {
				t.Errorf("switch: got\n %v\nwant\n mx1: install: %s", err, tt.install)
			}
			if diff := cmp.Diff(before, snapshot(t, w.etc)); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
}

// TestNoIssuer: a file with nothing in it breaks servers that read it.
func TestNoIssuer(t *testing.T) {
	w := newWorld(t)
	self := newCertificateEntry(t, w)
	_, err := w.Switch(t.Context(), self)
	want := "mx1: install: ETC/ca.pem: nothing to install: the chain has no issuer (hint: leave out this target, or have the chain issued with its issuers)"
	if err == nil || w.replaced(err.Error()) != want {
		t.Errorf("got\n %v\nwant\n %s", err, want)
	}
	w.Install[2].Content = []Part{Cert, CA}
	if _, err := w.Switch(t.Context(), self); err != nil {
		t.Errorf("a leaf and its missing issuers: %v", err)
	}
}

func newCertificateEntry(t testing.TB, w *world) string {
	t.Helper()
	p := newPair(t, "mx1.example.org")
	p.ca = nil
	return stash(t, w.state, "cccc", p)
}

func TestPreflightOfAHealthyHost(t *testing.T) {
	w := newWorld(t)
	for _, entry := range []string{"", w.entryA, w.entryB} {
		if entry != "" {
			_, err := w.Switch(t.Context(), entry)
			ok(t, err)
		}
		if problems := w.Preflight(); len(problems) > 0 {
			t.Errorf("with %q: %v", entry, problems)
		}
	}
}

// TestPreflightOfDisks has real file systems under the targets.
func TestPreflightOfDisks(t *testing.T) {
	w := newWorld(t)
	w.Install = w.Install[:1]
	mount(t, w.etc, "size=64k", 0)
	write(t, w.etc+"/combined.pem", nil, 0o600)
	write(t, w.etc+"/other.pem", nil, 0o600)

	// A file that is a mount point of its own, as containers like it.
	bound := filepath.Join(t.TempDir(), "host.pem")
	write(t, bound, nil, 0o600)
	ok(t, unix.Mount(bound, w.etc+"/combined.pem", "", unix.MS_BIND, ""))
	hint := " (hint: it is a mount point, which no rename can replace; mount the directory above it)"
	checkPreflight(t, w, "ETC/combined.pem: a mount point"+hint)
	_, err := w.Switch(t.Context(), w.entryA)
	if want := "mx1: install: ETC/combined.pem: device or resource busy" + hint; err == nil || w.replaced(err.Error()) != want {
		t.Errorf("got\n %v\nwant\n %s", err, want)
	}
	ok(t, unix.Unmount(w.etc+"/combined.pem", 0))

	// Full.
	w.entryB = stash(t, w.state, "large", largePair(t))
	_, err = w.Switch(t.Context(), w.entryB)
	if want := "mx1: install: ETC/combined.pem: no space left on device (hint: make room)"; err == nil || w.replaced(err.Error()) != want {
		t.Errorf("got\n %v\nwant\n %s", err, want)
	}
	if entry, err := w.Installed(); err != nil || entry != "" {
		t.Errorf("installed %q, %v", entry, err)
	}

	// Read-only.
	ok(t, unix.Mount("", w.etc, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	hint = " (hint: is it mounted read-only, or missing from the unit's ReadWritePaths=?)"
	checkPreflight(t, w, "ETC: not writable: read-only file system"+hint)
	_, err = w.Switch(t.Context(), w.entryA)
	if want := "mx1: install: ETC/combined.pem: read-only file system" + hint; err == nil || w.replaced(err.Error()) != want {
		t.Errorf("got\n %v\nwant\n %s", err, want)
	}
}

func checkPreflight(t testing.TB, w *world, want string) {
	t.Helper()
	problems := w.Preflight()
	if len(problems) != 1 || w.replaced(problems[0].Text) != want {
		t.Errorf("preflight: got\n %v\nwant\n %s", problems, want)
	}
}

// largePair has more issuers than fit on a small disk.
func largePair(t testing.TB) pair {
	p := newPair(t, "mx1.example.org")
	for len(p.ca) < 80<<10 {
		p.ca = append(p.ca, p.ca...)
	}
	return p
}

func mount(t *testing.T, dir, options string, flags uintptr) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Skipf("SKIPPED: no file system can be mounted here (%v); run the tests as root", err)
	}
	t.Cleanup(func() { ok(t, unix.Unmount(dir, unix.MNT_DETACH)) })
}

func TestPreflightOfAnotherUser(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("SKIPPED: root may write everywhere; run the tests as another user, too")
	}
	w := newWorld(t)
	w.Install = w.Install[:1]
	w.Install[0].Owner = "root:root"
	checkPreflight(t, w, "ETC/combined.pem: only root can give files to root:root (hint: run tlsaroll as root)")
	hint := " (hint: run tlsaroll as root, or let its user write there)"
	_, err := w.Switch(t.Context(), w.entryA)
	if want := "mx1: install: ETC/combined.pem: operation not permitted" + hint; err == nil || w.replaced(err.Error()) != want {
		t.Errorf("got\n %v\nwant\n %s", err, want)
	}
	w.Install[0].Owner = ""
	ok(t, os.Chmod(w.etc, 0o500))
	t.Cleanup(func() { _ = os.Chmod(w.etc, 0o700) })
	checkPreflight(t, w, "ETC: not writable: permission denied"+hint)
}
