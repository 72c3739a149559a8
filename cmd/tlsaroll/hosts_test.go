package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// hostExamples are the configurations for each type of provider.
const hostExamples = "examples/dns-hosts"

type hostExample struct {
	document
	kind providerKind
}

func hostExampleOf(t *testing.T, k providerKind) hostExample {
	t.Helper()
	return hostExample{readDocument(t, hostExamples+"/"+k.Type+".yaml"), k}
}

// eachHostExample runs a test for every type that is linked in.
func eachHostExample(t *testing.T, test func(*testing.T, hostExample)) {
	t.Helper()
	for _, k := range providerKinds() {
		t.Run(k.Type, func(t *testing.T) { test(t, hostExampleOf(t, k)) })
	}
}

// TestHostExamples loads the configurations as they are.
func TestHostExamples(t *testing.T) {
	eachHostExample(t, func(t *testing.T, e hostExample) {
		cfg := e.load(t, e.text, nil)
		if len(cfg.Providers) != 1 || cfg.Providers[0].Type != e.kind.Type || len(cfg.Lineages) != 1 {
			t.Fatalf("%s: %+v", e.name, cfg)
		}
		if ttl := cfg.Lineages[0].TTL; ttl < e.kind.MinTTL {
			t.Errorf("%s: ttl: %s is less than the host takes", e.name, ttl)
		}
		if cfg.Providers[0].Zone != "example.org." {
			t.Errorf("%s: the zone is %s", e.name, cfg.Providers[0].Zone)
		}
	})
	files, err := filepath.Glob(filepath.Join(root, hostExamples, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); !slices.ContainsFunc(providerKinds(), func(k providerKind) bool { return k.Type == name }) {
			t.Errorf("%s: there is no such type", file)
		}
	}
}

// TestHostExamplesSettings: every setting of a type stands in its example, in force or
// commented out, each can be put in force, and what is called the default is.
func TestHostExamplesSettings(t *testing.T) {
	eachHostExample(t, func(t *testing.T, e hostExample) {
		lines := e.lines()
		for _, s := range e.kind.settings {
			for _, way := range ways(s) {
				if _, ok := lines[way]; !ok {
					t.Errorf("%s: %s is not in it", e.name, way)
				}
			}
		}
		known := []string{"type", "zone", "margin"}
		for _, s := range e.kind.settings {
			known = append(known, s.Name, s.Name+"-file", s.Name+"-env", s.Name+"-credential")
		}
		asIs := e.load(t, e.text, nil).Providers[0]
		for name, line := range lines {
			if !slices.Contains(known, name) {
				t.Errorf("%s: there is no setting %s", e.name, name)
			}
			if line.inForce {
				continue
			}
			p := e.load(t, e.with(name), func(l *config.Loader) {
				if strings.HasPrefix(name, "gss-") || strings.HasPrefix(name, "tls-") {
					l.CheckProvider = nil // they need others, or another build
				}
			}).Providers[0]
			if name == "margin" {
				if p.Margin == nil || *p.Margin != e.kind.Margin {
					t.Errorf("%s: the margin is %s", e.name, e.kind.Margin)
				}
				continue
			}
			i := slices.IndexFunc(e.kind.settings, func(s config.Setting) bool { return s.Name == name })
			if i < 0 || e.kind.settings[i].Default == "" {
				continue
			}
			same := p.Text(name) == asIs.Text(name) && p.Period(name) == asIs.Period(name)
			if called := strings.HasPrefix(line.says, "the default"); called != same {
				t.Errorf("%s: %s: the default is %s", e.name, name, e.kind.settings[i].Default)
			}
		}
	})
}

// ways are the keys by which an example shows a setting: a secret that has to be there in a file
// and as a credential.
func ways(s config.Setting) []string {
	switch {
	case s.Kind != config.Credential && s.Kind != config.Base64:
		return []string{s.Name}
	case s.Required:
		return []string{s.Name + "-file", s.Name + "-credential"}
	}
	return []string{s.Name + "-file"}
}

// hostLine is a setting of the provider in an example.
type hostLine struct {
	inForce     bool
	value, says string
}

var hostLineForm = regexp.MustCompile(`(?m)^    (# )?([a-z0-9-]+): (.*?)(?: +# (.*))?$`)

func (e hostExample) lines() map[string]hostLine {
	lines := map[string]hostLine{}
	for _, m := range hostLineForm.FindAllStringSubmatch(e.block(), -1) {
		lines[m[2]] = hostLine{m[1] == "", m[3], m[4]}
	}
	return lines
}

// block is the provider's part of the example.
func (e hostExample) block() string {
	_, rest, _ := strings.Cut(e.text, "\nproviders:\n")
	block, _, _ := strings.Cut(rest, "\nlineages:\n")
	return block
}

// with is the example with a line in force that is commented out, in the place of the other
// way to give the same secret, or of what it excludes.
func (e hostExample) with(name string) string {
	block := e.block()
	drop := func(setting string) {
		block = regexp.MustCompile(`(?m)^    `+setting+`: .*\n`).ReplaceAllString(block, "")
	}
	if way := regexp.MustCompile(`^(.*)-(env|credential)$`).FindStringSubmatch(name); way != nil {
		drop(way[1] + "-file")
	}
	switch {
	case strings.HasPrefix(name, "gss-"):
		drop("key")
		drop("secret-file")
		block = strings.Replace(block, "    # gss-keytab: ", "    gss-keytab: ", 1)
	case name == "profile":
		drop("access-key-id")
		drop("secret-access-key-file")
	}
	return strings.Replace(e.text, e.block(), strings.Replace(block, "    # "+name+": ", "    "+name+": ", 1), 1)
}

// load wants a configuration without an error or a warning.
func (e hostExample) load(t *testing.T, text string, change func(*config.Loader)) *config.Config {
	t.Helper()
	file, env := e.place(t, text)
	l := loader()
	l.CheckProvider = newProgram(quiet()).checkProvider
	l.LookupEnv = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	if change != nil {
		change(&l)
	}
	cfg, warnings, err := l.Load(file)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%s: %v %v\n%s", e.name, warnings, err, text)
	}
	return cfg
}

// place writes a configuration and its secrets into a directory, which stands in the place
// of /etc/tlsaroll and of the state, and has the credentials of systemd.
func (e hostExample) place(t *testing.T, text string) (file string, env map[string]string) {
	t.Helper()
	dir := t.TempDir()
	env = map[string]string{"CREDENTIALS_DIRECTORY": dir}
	for _, s := range e.kind.settings {
		for _, m := range regexp.MustCompile(`(?m)^ +`+s.Name+`-(file|env|credential): (\S+)`).FindAllStringSubmatch(text, -1) {
			secret := secretOf(e.kind.Type, s.Name)
			if m[1] == "env" {
				env[m[2]] = secret
				continue
			}
			writeFile(t, filepath.Join(dir, filepath.Base(m[2])), secret+"\n")
		}
	}
	if strings.Contains(text, "\n    profile: ") { // the SDK wants it to be there
		aws := filepath.Join(dir, "aws")
		writeFile(t, aws, "[profile dns]\nregion = eu-central-1\n")
		t.Setenv("AWS_CONFIG_FILE", aws)
	}
	text = strings.ReplaceAll(text, "/etc/tlsaroll/", dir+"/")
	text = strings.Replace(text, "state: /var/lib/tlsaroll", "state: "+dir, 1)
	file = filepath.Join(dir, "tlsaroll.yaml")
	writeFile(t, file, text)
	return file, env
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHostTables: the tables of the documents say what the types say of themselves.
func TestHostTables(t *testing.T) {
	for name, want := range map[string]string{hostExamples + "/README.md": hostTable(), "README.md": hostOverview()} {
		if d := readDocument(t, name); !strings.Contains(d.text, "\n\n"+want+"\n") {
			t.Errorf("%s: its table of types should be\n%s", name, want)
		}
	}
}

// hostTable is the one of the examples.
func hostTable() string {
	lines := []string{
		"| type | host | changes | lowest TTL | margin | zone is signed | dns-01 | secrets |",
		"|---|---|---|---|---|---|---|---|",
	}
	for _, k := range providerKinds() {
		var secrets []string
		for _, s := range k.settings {
			if s.Kind == config.Credential || s.Kind == config.Base64 {
				secrets = append(secrets, "`"+s.Name+"`")
			}
		}
		lines = append(lines, fmt.Sprintf("| [%s](#%[1]s) | %s | %s | %s | %s | %s | %s | %s |",
			k.Type, k.Name, k.Atomic, orDash(k.MinTTL), orDash(k.Margin), k.DNSSEC, yesNo(k.TXT), cmp.Or(strings.Join(secrets, ", "), "-")))
	}
	return strings.Join(lines, "\n")
}

// hostOverview is the project's.
func hostOverview() string {
	lines := []string{"| type | host | changes | lowest TTL | margin | zone is signed |", "|---|---|---|---|---|---|"}
	for _, k := range providerKinds() {
		lines = append(lines, fmt.Sprintf("| [%s](%s/%[1]s.yaml) | %[3]s | %s | %s | %s | %s |",
			k.Type, hostExamples, k.Name, k.Atomic, orDash(k.MinTTL), orDash(k.Margin), k.DNSSEC))
	}
	return strings.Join(lines, "\n")
}

// TestHostSections: each type has its section, which leads to its example, and hosts that there
// is no provider for are named.
func TestHostSections(t *testing.T) {
	readme := readDocument(t, hostExamples+"/README.md")
	eachHostExample(t, func(t *testing.T, e hostExample) {
		_, section, ok := strings.Cut(readme.text, "\n## "+e.kind.Type+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if !ok || !strings.Contains(section, "("+e.kind.Type+".yaml)") {
			t.Fatalf("no section ## %s that leads to %s.yaml", e.kind.Type, e.kind.Type)
		}
	})
	for _, text := range readme.blocks("json") {
		if !json.Valid([]byte(text)) {
			t.Errorf("no JSON:\n%s", text)
		}
	}
	for _, c := range dnsprovider.RefusedTypes() {
		if !strings.Contains(readme.text, "`"+c.Type+"`") {
			t.Errorf("nothing is said of %s, of which there is none", c.Type)
		}
	}
}
