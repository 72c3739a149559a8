package packages

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// enabled are the units that somebody may have enabled.
const enabled = "tlsaroll.service tlsaroll-once.timer tlsaroll-unprivileged.service tlsaroll-installer.socket"

// isEnabled is what a package asks for that finds a configuration.
const isEnabled = "is-enabled --quiet tlsaroll.service tlsaroll-once.timer tlsaroll-unprivileged.service"

// staysAsItIs is said where a host is left that was in use.
const staysAsItIs = "tlsaroll: servers keep the certificates that they have and get no new ones, "

const nothingRuns = "tlsaroll: nothing runs yet (hint: tlsaroll init, "

func TestDebian(t *testing.T) {
	needs(t, "dpkg", "ldd")
	r, deb := newRoot(t), made(t, "_"+runtime.GOARCH+".deb")
	dpkg := func(args ...string) string {
		return run(t, []string{"LC_ALL=C"}, append([]string{"dpkg", "--root=" + r.dir, "--force-not-root", "--no-pager"}, args...)...)
	}
	if out := dpkg("--install", deb); !strings.Contains(out, nothingRuns) {
		t.Errorf("installed: %s", out)
	}
	r.whole("share/zsh/vendor-completions/_tlsaroll")
	r.asked("daemon-reload")

	used := r.used()
	if out := dpkg("--install", deb); strings.Contains(out, nothingRuns) {
		t.Errorf("installed again: %s", out)
	}
	r.asked("daemon-reload", "try-restart tlsaroll-installer.service tlsaroll-unprivileged.service tlsaroll.service", isEnabled)

	if out := dpkg("--remove", "tlsaroll"); !strings.Contains(out, staysAsItIs) {
		t.Errorf("removed: %s", out)
	}
	r.asked("disable --now "+enabled, "stop tlsaroll-once.service tlsaroll-installer.service", "daemon-reload")
	r.left(used)

	r.fails(os.Remove(r.at("etc/enabled"))) // as a systemctl that is one does
	if out := dpkg("--install", deb); !strings.Contains(out, "none of its units is enabled") {
		t.Errorf("installed once more, and it does not run: %s", out)
	}
	out := dpkg("--purge", "tlsaroll")
	for _, dir := range []string{"/etc/tlsaroll", "/var/lib/tlsaroll"} {
		if !strings.Contains(out, "tlsaroll: "+dir+" stays: ") {
			t.Errorf("purged: %s", out)
		}
	}
	r.left([]string{"etc/tlsaroll/", "etc/tlsaroll/tsig.secret", "var/lib/tlsaroll/", "var/lib/tlsaroll/journal.db"})
}

// TestDebianUnused wants nothing left of a package that was never used, nor a word said of it.
func TestDebianUnused(t *testing.T) {
	needs(t, "dpkg", "ldd")
	r := newRoot(t)
	r.fails(os.RemoveAll(r.at("run/systemd"))) // as in a container
	r.before = r.files()
	run(t, []string{"LC_ALL=C"}, "dpkg", "--root="+r.dir, "--install", made(t, "_"+runtime.GOARCH+".deb"))
	r.asked()
	if out := run(t, []string{"LC_ALL=C"}, "dpkg", "--root="+r.dir, "--purge", "tlsaroll"); strings.Contains(out, "stays") || strings.Contains(out, staysAsItIs) {
		t.Errorf("purged: %s", out)
	}
	r.asked("disable " + enabled)
	r.left(nil)
}

func TestRPM(t *testing.T) {
	needs(t, "rpm", "ldd")
	r := newRoot(t)
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	rpm := func(args ...string) string {
		return run(t, []string{"LC_ALL=C"}, append([]string{"rpm", "--root=" + r.dir, "--dbpath=/var/lib/rpm", "--nodeps"}, args...)...)
	}
	if out := rpm("--install", made(t, arch+".rpm")); !strings.Contains(out, nothingRuns) {
		t.Errorf("installed: %s", out)
	}
	r.whole("share/zsh/site-functions/_tlsaroll")
	r.asked("daemon-reload")

	used := r.used()
	// As examples/systemd has it for the daemon without privileges.
	r.fails(errors.Join(os.Chmod(r.at("etc/tlsaroll"), 0o750), os.Chown(r.at("etc/tlsaroll"), 0, 999)))
	rpm("--upgrade", "--force", made(t, arch+".rpm"))
	if info, err := os.Stat(r.at("etc/tlsaroll")); err != nil || info.Mode().Perm() != 0o750 || info.Sys().(*syscall.Stat_t).Gid != 999 {
		t.Errorf("an upgrade closes the configuration to the daemon's user: %v, %v", info, err)
	}
	r.asked("daemon-reload", "try-restart tlsaroll-installer.service tlsaroll-unprivileged.service tlsaroll.service", isEnabled, "daemon-reload")

	if out := rpm("--erase", "tlsaroll"); !strings.Contains(out, staysAsItIs) {
		t.Errorf("erased: %s", out)
	}
	r.asked("disable --now "+enabled, "stop tlsaroll-once.service tlsaroll-installer.service", "daemon-reload")
	r.left(used)
}
