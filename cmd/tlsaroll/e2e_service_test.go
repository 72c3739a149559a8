package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// service starts the daemon as systemd starts tlsaroll.service: with its arguments, its
// credentials and its watchdog, and where nothing can be written but what the unit
// names. Systemd itself does not run in the lab.
func (h *host) service() *lab.Daemon {
	h.t.Helper()
	unit := readUnit(h.t, "tlsaroll.service")
	writable := []string{
		filepath.Join(h.Dir, "tlsaroll"), // StateDirectory=
		filepath.Dir(h.control()),        // RuntimeDirectory=
		// The reload, which systemd carries out outside, is done within here:
		filepath.Join(h.Dir, "postfix", "data"), filepath.Join(h.Dir, "log"),
	}
	for _, path := range unit["[Service]ReadWritePaths"] {
		writable = append(writable, map[string]string{
			"/etc/postfix/tls":    filepath.Dir(h.Postfix.Combined),
			"-/var/spool/postfix": filepath.Join(h.Dir, "postfix", "queue"),
		}[path])
	}
	for _, dir := range writable[:2] {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			h.t.Fatal(err)
		}
	}
	patience, err := time.ParseDuration(strings.Replace(unit.service(h.t, "WatchdogSec"), "min", "m", 1))
	if err != nil {
		h.t.Fatal(err)
	}
	begun := time.Now()
	program := append([]string{lab.Program(h.t, "tlsaroll")}, append(unit.arguments(h.t), "-c", h.config)...)
	d := lab.StartDaemon(h.t, lab.DaemonOptions{Dir: "/", Secrets: h.Secrets(), Env: []string{
		"CREDENTIALS_DIRECTORY=" + h.credentials(unit),
		"WATCHDOG_USEC=" + strconv.FormatInt(patience.Microseconds(), 10),
	}}, h.confined(unit, writable, program)...)
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	if _, err := d.Notice(ctx, begun, "READY=1"); err != nil {
		h.t.Fatal(err)
	}
	// Its own view of the file system is at hand as /proc/PID/root.
	if err := os.WriteFile(filepath.Join("/proc", strconv.Itoa(d.PID()), "root", h.Dir, "stray"), nil, 0o600); !errors.Is(err, syscall.EROFS) {
		h.t.Errorf("it can write where the unit does not let it: %v", err)
	}
	return d
}

// credentials is a directory as LoadCredential= fills it.
func (h *host) credentials(unit unitFile) string {
	h.t.Helper()
	dir := filepath.Join(h.Dir, "credentials")
	id, from, _ := strings.Cut(unit.service(h.t, "LoadCredential"), ":")
	if from != "/etc/tlsaroll/tsig.secret" {
		h.t.Errorf("the credential is loaded from %s", from)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		h.t.Fatal(err)
	}
	h.write(filepath.Join(dir, id), h.read(h.Key(lab.Domain).SecretFile))
	return dir
}

// confinement does to the process that runs it what ProtectSystem=strict and
// ReadWritePaths= do, as far as the lab's files go.
const confinement = `set -e
mount -o remount,bind,ro /
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
shift
while [ "$1" != -- ]; do
	mount --bind "$1" "$1"
	mount -o remount,bind,rw "$1"
	shift
done
shift
exec "$@"
`

// confined is argv under the unit's sandbox, in a process of the same id.
func (h *host) confined(unit unitFile, writable, argv []string) []string {
	h.t.Helper()
	bounding := "-all"
	for _, c := range strings.Fields(unit.service(h.t, "CapabilityBoundingSet")) {
		bounding += ",+" + strings.ToLower(strings.TrimPrefix(c, "CAP_"))
	}
	for directive, want := range map[string]string{"ProtectSystem": "strict", "NoNewPrivileges": "yes"} {
		if got := unit.service(h.t, directive); got != want {
			h.t.Errorf("%s is %s, and the lab does as if it were %s", directive, got, want)
		}
	}
	all := append([]string{"unshare", "--mount", "--propagation", "private", "sh", "-c", confinement, "sh", h.Dir}, writable...)
	return append(append(all, "--", "setpriv", "--no-new-privs", "--bounding-set", bounding), argv...)
}

// reloadCommand is ExecReload= as systemd runs it.
func (h *host) reloadCommand(d *lab.Daemon) []string {
	h.t.Helper()
	return strings.Fields(strings.ReplaceAll(readUnit(h.t, "tlsaroll.service").service(h.t, "ExecReload"), "$MAINPID", strconv.Itoa(d.PID())))
}
