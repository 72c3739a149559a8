package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
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
		for _, prefix := range []string{"Protect", "Private", "Restrict", "ReadWritePaths", "StateDirectory", "Capability", "NoNew", "UMask", "SystemCall", "Lock", "Limit", "Memory", "Bind", "LoadCredential"} {
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
// clock is right.
func (u unitFile) asksTheClock(t *testing.T, name string) {
	t.Helper()
	if set := u["[Service]ProtectClock"]; set != nil {
		t.Errorf("%s: ProtectClock=%v forbids adjtimex(2)", name, set)
	}
	if calls := strings.Fields(u.service(t, "SystemCallFilter")); calls[0] != "@system-service" || !slices.Contains(calls, "adjtimex") {
		t.Errorf("%s: SystemCallFilter=%v", name, calls)
	}
}

// leavesNoKeys wants no core file, and nothing that others may read.
func (u unitFile) leavesNoKeys(t *testing.T, name string) {
	t.Helper()
	if core, mask := u.service(t, "LimitCORE"), u.service(t, "UMask"); core != "0" || mask != "0077" {
		t.Errorf("%s: LimitCORE=%s, UMask=%s", name, core, mask)
	}
}

// TestUnprivileged wants that the unit has no privilege, and asks for none that its page's
// configuration needs: what root does for it is what polkit's rule says.
func TestUnprivileged(t *testing.T) {
	u := readUnit(t, "tlsaroll-unprivileged.service")
	user := u.service(t, "User")
	if caps := u.service(t, "CapabilityBoundingSet"); caps != "" || user == "root" || u["[Service]ReadWritePaths"] != nil || u["[Service]AmbientCapabilities"] != nil {
		t.Errorf("it is %s, with %q", user, caps)
	}
	u.leavesNoKeys(t, "unprivileged")
	if filters := u["[Service]SystemCallFilter"]; !slices.Equal(filters, []string{"@system-service", "~@privileged", "@chown adjtimex"}) {
		t.Errorf("what is allowed last counts: %q", filters) // adjtimex is one of @privileged
	}
	if u["[Service]ProtectClock"] != nil {
		t.Error("ProtectClock= forbids adjtimex(2)")
	}
	if text := readDocument(t, "examples/systemd/tlsaroll.sysusers").text; !strings.Contains(text, "\nu "+user+" - ") {
		t.Errorf("nobody makes the user %s", user)
	}
	page := readDocument(t, "examples/systemd/README.md")
	blocks := page.blocks("yaml")
	cfg := loads(t, page.name, blocks[len(blocks)-1])
	if cfg.ControlGroup != u.service(t, "Group") || cfg.Control != "/run/"+u.service(t, "RuntimeDirectory")+"/control.sock" || cfg.State != "/var/lib/"+u.service(t, "StateDirectory") {
		t.Errorf("%s, %s and %s are not the unit's", cfg.ControlGroup, cfg.Control, cfg.State)
	}
	rule := readDocument(t, "examples/systemd/tlsaroll-reload.rules").text
	for _, l := range cfg.Lineages {
		if len(l.Install) > 0 || l.Staged.Cert != "" {
			t.Errorf("%s: files that it cannot write or read: %+v", l.Name, l)
		}
		for _, argv := range l.Reload {
			if !slices.Equal(argv[:2], []string{"systemctl", "reload"}) || !strings.Contains(rule, `"`+argv[2]+`.service"`) {
				t.Errorf("%s: nobody lets it do %v", l.Name, argv)
			}
		}
	}
	for _, want := range []string{`action.id == "org.freedesktop.systemd1.manage-units" &&`, `subject.user == "` + user + `" &&`, `action.lookup("verb") == "reload" &&`, `units.indexOf(action.lookup("unit")) >= 0`} {
		if !strings.Contains(rule, want) {
			t.Errorf("the rule does not ask whether %s", want)
		}
	}
}

// exposures are what systemd-analyze security may say of each service at most, 10 being
// the worst.
var exposures = map[string]float64{"tlsaroll.service": 2.5, "tlsaroll-once.service": 2.5, "tlsaroll-unprivileged.service": 1.9}

// TestUnitsSecurity has systemd judge the sandboxes.
func TestUnitsSecurity(t *testing.T) {
	analyze := analyzer(t)
	for name, most := range exposures {
		out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", filepath.Join(root, "examples/systemd", name)).CombinedOutput()
		m := regexp.MustCompile(`Overall exposure level for ` + regexp.QuoteMeta(name) + `: ([0-9.]+) `).FindSubmatch(out)
		if m == nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		if is, err := strconv.ParseFloat(string(m[1]), 64); err != nil || is > most {
			t.Errorf("%s: an exposure of %s, and %v is the most", name, m[1], most)
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
		t.Skipf("LEFT OUT, whether systemd takes the units: %v (hint: apt-get install systemd)", err)
	}
	return analyze
}

// TestUnitsVerify has systemd read the units.
func TestUnitsVerify(t *testing.T) {
	analyze := analyzer(t)
	dir, program := t.TempDir(), lab.Program(t, "tlsaroll") // verify wants one that is there
	files, err := filepath.Glob(filepath.Join(root, "examples/systemd/*.service"))
	timers, err2 := filepath.Glob(filepath.Join(root, "examples/systemd/*.timer"))
	if files = append(files, timers...); errors.Join(err, err2) != nil || len(files) != len(exposures)+1 {
		t.Fatal(files, err, err2) // each service has its place in exposures
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
