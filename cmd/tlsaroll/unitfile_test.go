package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/installer"
)

// unitFile is a unit of systemd: by section and directive what it is set to, in order.
type unitFile map[string][]string

const installed = "/usr/local/bin/tlsaroll" // as the units have it

func readUnit(t *testing.T, name string) unitFile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "examples/systemd", name))
	if err != nil {
		t.Fatal(err)
	}
	u, section := unitFile{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, value, assigned := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = line
		case assigned:
			u[section+key] = append(u[section+key], value)
		default:
			t.Fatalf("%s: %q", name, line)
		}
	}
	return u
}

// service is a directive that stands once.
func (u unitFile) service(t *testing.T, directive string) string {
	t.Helper()
	values := u["[Service]"+directive]
	if len(values) != 1 {
		t.Fatalf("%s is %v", directive, values)
	}
	return values[0]
}

// arguments are those that the program is started with.
func (u unitFile) arguments(t *testing.T) []string {
	t.Helper()
	argv := strings.Fields(u.service(t, "ExecStart"))
	if argv[0] != installed {
		t.Fatalf("ExecStart is %v", argv)
	}
	return argv[1:]
}

// sandbox is what keeps the process in, and what of it is written.
func (u unitFile) sandbox() map[string][]string {
	found := map[string][]string{}
	for key, values := range u {
		name := strings.TrimPrefix(key, "[Service]")
		for _, prefix := range []string{"Protect", "Private", "Restrict", "ReadWritePaths", "StateDirectory", "Capability", "NoNew", "UMask", "SystemCall", "Lock", "LoadCredential", "Bind", "Device", "Keyring", "Limit", "Memory", "Remove"} {
			if strings.HasPrefix(name, prefix) {
				found[name] = values
			}
		}
	}
	return found
}

// TestUnits holds the units to the configurations beside them, and the two services to
// each other.
func TestUnits(t *testing.T) {
	daemon, once, timer := readUnit(t, "tlsaroll.service"), readUnit(t, "tlsaroll-once.service"), readUnit(t, "tlsaroll-once.timer")
	if limit, err := time.ParseDuration(strings.Replace(once.service(t, "TimeoutStartSec"), "min", "m", 1)); err != nil || limit <= orderPatience {
		t.Errorf("once may take %s (%v), and an order %s", limit, err, orderPatience)
	}
	for name, u := range map[string]unitFile{"postfix-bind": daemon, "lego-hook": once} {
		parses(t, u.arguments(t))
		cfg := loads(t, name, readDocument(t, "examples/"+name+"/tlsaroll.yaml").text)
		if dir := "/var/lib/" + u.service(t, "StateDirectory"); dir != cfg.State {
			t.Errorf("%s: its state is in %s, and the unit's in %s", name, cfg.State, dir)
		}
		for _, i := range cfg.Lineages[0].Install {
			if dir := filepath.Dir(i.Path); !slices.Contains(u["[Service]ReadWritePaths"], dir) {
				t.Errorf("%s: the unit may not write to %s", name, dir)
			}
		}
		if at, _, _ := strings.Cut(u.service(t, "LoadCredential"), ":"); at != "tsig" {
			t.Errorf("%s: the credential is %s", name, at)
		}
		u.asksTheClock(t, name)
		u.leavesNoKeys(t, name)
		if cfg.Control != "/run/"+u.service(t, "RuntimeDirectory")+"/control.sock" {
			t.Errorf("%s: the control socket is %s", name, cfg.Control)
		}
	}
	if diff := cmp.Diff(daemon.sandbox(), once.sandbox()); diff != "" {
		t.Errorf("the sandboxes differ:\n%s", diff)
	}
	if at := timer["[Timer]OnCalendar"]; !slices.Equal(at, []string{"minutely"}) {
		t.Errorf("the timer is %v", timer)
	}
}

// asksTheClock wants that adjtimex(2) is allowed, by which the program learns whether the
// clock is right: by name and last, as no group of calls that may be allowed has it.
func (u unitFile) asksTheClock(t *testing.T, name string) {
	t.Helper()
	if set := u["[Service]ProtectClock"]; set != nil {
		t.Errorf("%s: ProtectClock=%v forbids adjtimex(2)", name, set)
	}
	filters := u["[Service]SystemCallFilter"]
	if filters[0] != "@system-service" || !slices.Contains(strings.Fields(filters[len(filters)-1]), "adjtimex") {
		t.Errorf("%s: SystemCallFilter=%q", name, filters)
	}
}

// leavesNoKeys wants no core file, and nothing that others may read.
func (u unitFile) leavesNoKeys(t *testing.T, name string) {
	t.Helper()
	if core, mask := u.service(t, "LimitCORE"), u.service(t, "UMask"); core != "0" || mask != "0077" {
		t.Errorf("%s: LimitCORE=%s, UMask=%s", name, core, mask)
	}
}

// TestUnitsApart holds the daemon without privileges and the installer to each other, to the
// configuration on their page, and to the daemon that is both.
func TestUnitsApart(t *testing.T) {
	daemon, part, socket := readUnit(t, "tlsaroll-unprivileged.service"), readUnit(t, "tlsaroll-installer.service"), readUnit(t, "tlsaroll-installer.socket")
	parses(t, daemon.arguments(t))
	parses(t, part.arguments(t))
	page := readDocument(t, "examples/systemd/README.md")
	blocks := page.blocks("yaml")
	cfg := loads(t, page.name, blocks[len(blocks)-1])
	user := daemon.service(t, "User")
	if !strings.Contains(readDocument(t, "examples/systemd/tlsaroll.sysusers").text, "\nu "+user+" - ") {
		t.Errorf("nobody makes the user %s", user)
	}
	for what, pair := range map[string][2]string{
		"the user":                   {user, cfg.InstallerUser},
		"its group":                  {daemon.service(t, "Group"), cfg.ControlGroup},
		"the socket's user":          {socket["[Socket]SocketUser"][0], daemon.service(t, "User")},
		"the socket's mode":          {socket["[Socket]SocketMode"][0], "0600"},
		"the socket":                 {socket["[Socket]ListenStream"][0], cfg.Installer},
		"the control socket":         {"/run/" + daemon.service(t, "RuntimeDirectory") + "/control.sock", cfg.Control},
		"the daemon's state":         {"/var/lib/" + daemon.service(t, "StateDirectory"), cfg.State},
		"the installer's state":      {"/var/lib/" + part.service(t, "StateDirectory"), installer.StateOf(cfg.State)},
		"the daemon's capabilities":  {daemon.service(t, "CapabilityBoundingSet"), ""},
		"the installer's":            {part.service(t, "CapabilityBoundingSet"), readUnit(t, "tlsaroll.service").service(t, "CapabilityBoundingSet")},
		"what the installer writes":  {strings.Join(part["[Service]ReadWritePaths"], " "), filepath.Dir(cfg.Lineages[0].Install[0].Path) + " -/var/spool/postfix"},
		"what the daemon writes":     {strings.Join(daemon["[Service]ReadWritePaths"], " "), ""},
		"what the daemon is given":   {strings.Join(daemon["[Service]AmbientCapabilities"], " "), ""},
		"what the installer is told": {strings.Join(part["[Service]LoadCredential"], " "), ""},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q and %q", what, pair[0], pair[1])
		}
	}
	daemon.asksTheClock(t, "the daemon")
	for name, u := range map[string]unitFile{"the daemon": daemon, "the installer": part} {
		u.leavesNoKeys(t, name)
	}
}

// exposures are what systemd-analyze security says of each service, in tenths: 100 is the
// worst. What is left open is in the README beside them.
var exposures = map[string]int{"tlsaroll.service": 26, "tlsaroll-once.service": 26, "tlsaroll-unprivileged.service": 16, "tlsaroll-installer.service": 23}

// TestUnitsSecurity has systemd judge the sandboxes.
func TestUnitsSecurity(t *testing.T) {
	analyze := analyzer(t)
	for name, is := range exposures {
		security := []string{"security", "--offline=true", "--no-pager", "--threshold=" + strconv.Itoa(is)}
		if out, err := exec.CommandContext(t.Context(), analyze, append(security, filepath.Join(root, "examples/systemd", name))...).CombinedOutput(); err != nil {
			t.Errorf("%s: an exposure of more than %d tenths: %v\n%s", name, is, err, out)
		}
	}
}

// analyzer is systemd-analyze; without it the test is left out.
func analyzer(t *testing.T) string {
	t.Helper()
	analyze, err := exec.LookPath("systemd-analyze")
	switch {
	case err == nil:
	case os.Getenv("TLSAROLL_E2E") == "require":
		t.Fatalf("systemd-analyze: %v; TLSAROLL_E2E=require forbids leaving it out", err)
	default:
		t.Skipf("LEFT OUT, what systemd thinks of the units: %v (hint: apt-get install systemd)", err)
	}
	return analyze
}

// TestUnitsVerify has systemd read the units.
func TestUnitsVerify(t *testing.T) {
	analyze := analyzer(t)
	dir, program := t.TempDir(), lab.Program(t, "tlsaroll") // verify wants one that is there
	var files []string
	for _, kind := range []string{"service", "socket", "timer"} {
		found, err := filepath.Glob(filepath.Join(root, "examples/systemd/*."+kind))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) != len(exposures)+2 {
		t.Fatal(files) // each service has its place in exposures
	}
	argv := []string{"verify", "--man=no"}
	for _, file := range files {
		text, err := os.ReadFile(file)
		to := filepath.Join(dir, filepath.Base(file))
		err = errors.Join(err, os.WriteFile(to, []byte(strings.ReplaceAll(string(text), installed, program)), 0o600))
		if err != nil {
			t.Fatal(err)
		}
		argv = append(argv, to)
	}
	// It ends with 0 whatever directives it does not know: what it says counts.
	if out, err := exec.CommandContext(t.Context(), analyze, argv...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
