package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// root is the module's directory, as tests see it.
const root = "../.."

// document is a text for people, what stands in whose blocks is tried.
type document struct {
	name string // below root
	text string
}

func readDocument(t *testing.T, name string) document {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return document{name, string(text)}
}

// beside is a file in the document's directory, or where a path leads from there.
func (d document) beside(name string) string {
	return filepath.Join(root, filepath.Dir(d.name), name)
}

var fenced = regexp.MustCompile("(?ms)^ *```(\\w*)\n(.*?)^ *```")

// blocks are its code blocks of a kind.
func (d document) blocks(kind string) (found []string) {
	for _, m := range fenced.FindAllStringSubmatch(d.text, -1) {
		if m[1] == kind {
			found = append(found, m[2])
		}
	}
	return found
}

// commands are the lines of its shell blocks.
func (d document) commands() (lines [][]string) {
	for _, b := range d.blocks("sh") {
		for line := range strings.Lines(strings.ReplaceAll(b, "\\\n", " ")) {
			lines = append(lines, words(line))
		}
	}
	return lines
}

// words takes a line apart as a shell would, as far as our documents need it.
func words(line string) (found []string) {
	for _, m := range regexp.MustCompile(`"([^"]*)"|[^\s"]+`).FindAllStringSubmatch(line, -1) {
		if m[1] != "" {
			found = append(found, m[1])
			continue
		}
		found = append(found, m[0])
	}
	return found
}

// try loads its configurations and tries its commands.
func (d document) try(t *testing.T) {
	t.Helper()
	for _, text := range d.blocks("yaml") {
		loads(t, d.name, text)
	}
	commands := d.commands()
	for _, line := range commands {
		d.tryLine(t, line)
	}
	if len(commands) == 0 {
		t.Errorf("%s: it has no command", d.name)
	}
}

// loads wants a configuration that is good and can be worked with.
func loads(t *testing.T, name, text string) *config.Config {
	t.Helper()
	const secret = "c2VjcmV0IGtleSBub2JvZHkgc2VlcyE="
	files := fstest.MapFS{
		"etc/tlsaroll/tlsaroll.yaml": {Data: []byte(text), Mode: 0o644},
		"etc/tlsaroll/tsig.secret":   {Data: []byte(secret), Mode: 0o600},
		"run/credentials/tsig":       {Data: []byte(secret), Mode: 0o400},
	}
	l := loader()
	l.Open = func(name string) (fs.File, error) { return files.Open(strings.TrimPrefix(name, "/")) }
	l.LookupEnv = func(name string) (string, bool) { return "/run/credentials", name == "CREDENTIALS_DIRECTORY" }
	cfg, warnings, err := l.Load(defaultConfig)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%s: its configuration: %v %v", name, warnings, err)
	}
	if _, err := newProgram(quiet()).wire(cfg); err != nil {
		t.Errorf("%s: its configuration cannot be wired: %v", name, err)
	}
	return cfg
}

func quiet() world {
	return world{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, lookupEnv: func(string) (string, bool) { return "", false }, now: time.Now}
}

// tryLine checks one line of a shell block.
func (d document) tryLine(t *testing.T, line []string) {
	t.Helper()
	switch program := line[0]; {
	case slices.Equal(line, strings.Fields("go run ./cmd/tlsaroll demo")):
		parses(t, line[3:]) // it takes its time, and TestDemo runs it
	case strings.HasPrefix(strings.Join(line, " "), "go run ./cmd/tlsaroll "):
		if code := run(t.Context(), line[3:], quiet()); code != exitDone {
			t.Errorf("%s: %v: exit %d", d.name, line, code)
		}
	case strings.HasPrefix(strings.Join(line, " "), "go run ./examples/embed "):
		// TestExampleEmbed runs it as it stands there
	case len(line) >= 2 && program == "go" && line[1] == "test":
		testExists(t, line)
	case len(line) > 1 && program == "tlsaroll":
		parses(t, line[1:])
	case slices.Contains([]string{"lego", "certbot", "acme.sh"}, program):
		d.hooks(t, line)
	case program == "install":
		d.installs(t, line)
	case program == "systemctl":
		d.controls(t, line)
	case len(line) == 2 && program == "man":
		if _, err := findPage(manPages(newProgram(quiet()).rootCommand()), line[1]); err != nil {
			t.Errorf("%s: %v: %v", d.name, line, err)
		}
	case program == ".packages/build", slices.Equal(line, strings.Fields("apt install ./release/tlsaroll_1.2.3-1_amd64.deb")):
		// the tests in .packages build it and install what is called so
	case slices.Contains(othersPrograms, program):
		// what these do is for their own pages to say
	default:
		t.Errorf("%s: a command that nobody checks: %v", d.name, line)
	}
}

// othersPrograms are known, and not checked.
var othersPrograms = []string{
	"az",
	"cat",
	"chmod",
	"chown",
	"dehydrated",
	"doveconf",
	"echo",
	"exim4",
	"flock",
	"gcloud",
	"haproxy",
	"keymgr",
	"knotc",
	"make",
	"named-checkconf",
	"pdnsutil",
	"postfix",
	"posttls-finger",
	"promtool",
	"rm",
	"rndc",
	"smtpd",
	"systemd-sysusers",
	"tsig-keygen",
}

// hooks wants that a line of an ACME client's calls us, taken apart at blanks as lego does
// it; the others have a shell.
func (d document) hooks(t *testing.T, line []string) {
	t.Helper()
	i := slices.IndexFunc(line, func(w string) bool { return strings.HasSuffix(w, "-hook") || w == "--reloadcmd" })
	if i < 0 || i+1 == len(line) {
		t.Errorf("%s: no hook: %v", d.name, line)
		return
	}
	hook := strings.Fields(line[i+1])
	if hook[0] != installed {
		t.Errorf("%s: the hook is %v", d.name, hook)
	}
	parses(t, hook[1:])
}

// installs wants that what is copied from here is here.
func (d document) installs(t *testing.T, line []string) {
	t.Helper()
	for _, w := range line[1 : len(line)-1] {
		if !strings.Contains(w, ".") {
			continue // an option, or a device
		}
		if _, err := os.Stat(d.beside(w)); err != nil {
			t.Errorf("%s: %v: %v", d.name, line, err)
		}
	}
}

// controls wants that a unit is ours, or one of Debian's.
func (d document) controls(t *testing.T, line []string) {
	t.Helper()
	unit := line[len(line)-1]
	if slices.Contains([]string{"daemon-reload", "postfix", "dovecot", "exim4", "haproxy", "opensmtpd", "sendmail"}, unit) {
		return
	}
	if !strings.Contains(unit, ".") {
		unit += ".service"
	}
	if _, err := os.Stat(filepath.Join(root, "examples/systemd", unit)); err != nil {
		t.Errorf("%s: %v: %v", d.name, line, err)
	}
}

// testExists wants a test of the name that -run gives in the package.
func testExists(t *testing.T, line []string) {
	t.Helper()
	for i, w := range line {
		if w != "-run" {
			continue
		}
		files, err := filepath.Glob(filepath.Join(root, line[2], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(src), "\nfunc "+line[i+1]) {
				return
			}
		}
		t.Errorf("%v: there is no such test", line)
	}
}

// parses wants a command with these options.
func parses(t *testing.T, args []string) {
	t.Helper()
	p := newProgram(quiet())
	c, rest, err := p.rootCommand().Find(args)
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err == nil && c.Args != nil {
		err = c.Args(c, c.Flags().Args())
	}
	if err != nil {
		t.Errorf("tlsaroll %s: %v", strings.Join(args, " "), err)
	}
}
