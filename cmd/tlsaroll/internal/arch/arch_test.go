// Package arch holds the rules of the house, each with its reason. They are
// tests, so that a rule is broken loudly or not at all.
package arch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHouse holds the tree to the rules.
func TestHouse(t *testing.T) {
	tr := load(t, root(t))
	if len(tr.packages) < 5 || len(tr.sources) < 20 || len(tr.texts) < 20 {
		t.Fatalf("%d packages, %d sources and %d texts: this is not the whole tree", len(tr.packages), len(tr.sources), len(tr.texts))
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, b := range r.broken(tr) {
				t.Errorf("%s\n\t(%s)", b, r.why)
			}
		})
	}
}

// root is the directory of the whole tree.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRulesCanBreak puts up a house in which every rule is broken, and one in
// which none is.
func TestRulesCanBreak(t *testing.T) {
	clean := map[string]string{
		"go.mod":                      "module " + module + "\n\ngo 1.26\n",
		".gitignore":                  "/tlsaroll\n*.out\n",
		"README.md":                   "keeps DANE working; issues come from a CA\n",
		"cpu.out":                     "ignored",
		"tlsaroll":                    "ignored",
		"rollover/tlsa/tlsa.go":       "// Package tlsa is pure.\npackage tlsa\n\nimport (\n\t_ \"strings\"\n\t_ \"time\"\n)\n",
		"rollover/rollover.go":        "// Package rollover is pure.\npackage rollover\n\nimport _ \"" + module + "/rollover/tlsa\"\n",
		"rollover/agent/agent.go":     "// Package agent acts.\npackage agent\n\nimport (\n\t_ \"context\"\n\t_ \"" + module + "/certwatch\"\n\t_ \"" + module + "/rollover\"\n)\n",
		"certwatch/certwatch.go":      "// Package certwatch looks.\npackage certwatch\n\nimport (\n\t_ \"os\"\n\t_ \"" + module + "/rollover/tlsa\"\n)\n",
		"certwatch/errors.go":         "package certwatch\n\nimport (\n\t\"errors\"\n\t\"fmt\"\n)\n\nvar (\n\ta = errors.New(\"a bad file (hint: is it whole?)\")\n\tb = fmt.Errorf(\"TTL %s: no number\", x)\n\tc = fmt.Errorf(\"%s: bad (hint: \"+x+\")\", y)\n\td = log.Errorf(\"Not ours.\")\n)\n",
		"certwatch/watch_test.go":     "package certwatch\n\nimport (\n\t\"time\"\n\n\t\"go.uber.org/goleak\"\n)\n\nvar _ = time.Now\n\nfunc main() {\n\tgo main()\n\tgoleak.VerifyTestMain(nil)\n}\n",
		"cmd/tlsaroll/main.go":        "// Command tlsaroll is the program.\npackage main\n\nimport (\n\t\"os\"\n\n\t_ \"" + module + "/rollover/agent\"\n)\n\nfunc main() { os.Exit(0) }\n",
		"cmd/tlsaroll/wire.go":        "package main\n\nimport \"time\"\n\nvar now = time.Now\n",
		"cmd/tlsaroll/command.go":     "package main\n\nvar check = []string{\"postfix\", \"-c\", \"/etc/postfix\"}\n",
		"dnsprovider/dns.go":          "// Package dnsprovider writes.\npackage dnsprovider\n",
		"dnsprovider/a/a.go":          "// Package a writes.\npackage a\n\nimport _ \"" + module + "/dnsprovider\"\n",
		"rollover/internal/p_test.go": "package internal\n",
	}
	broken := map[string]string{
		"notes.txt":                              "top level\n",
		"rollover/tlsa/load.go":                  "package tlsa\n\nimport _ \"os\"\n",
		"rollover/dns.go":                        "package rollover\n\nimport (\n\t_ \"github.com/miekg/dns\"\n\t_ \"" + module + "/certwatch\"\n)\n",
		"certwatch/swap.go":                      "package certwatch\n\nimport (\n\t_ \"testing\"\n\t_ \"" + module + "/dnsprovider\"\n\t_ \"" + module + "/rollover\"\n)\n",
		"dnsprovider/b/b.go":                     "// Package b writes.\npackage b\n\nimport (\n\t_ \"github.com/google/go-cmp/cmp\"\n\t_ \"github.com/pkg/errors\"\n\t_ \"" + module + "/cmd/tlsaroll/internal/config\"\n\t_ \"" + module + "/dnsprovider/a\"\n)\n",
		"cmd/tlsaroll/internal/config/config.go": "package config // without a word about it\n",
		"cmd/tlsaroll/internal/config/utils.go":  "package config\n",
		"cmd/tlsaroll/long.go":                   "package main\n" + strings.Repeat("\n", maxLines),
		"cmd/tlsaroll/clock.go":                  "package main\n\nimport \"time\"\n\nfunc wait() {\n\ttime.Sleep(1)\n\t_ = time.Now\n\t_ = time.Second\n}\n",
		"cmd/tlsaroll/renamed.go":                "package main\n\nimport clock \"time\"\n\nvar since = clock.Since\n",
		"cmd/tlsaroll/start.go":                  "package main\n\nimport (\n\t\"log\"\n\t\"os\"\n)\n\nfunc init() {\n\tos.Exit(1)\n\tlog.Fatal()\n}\n",
		"cmd/tlsaroll/shell.go":                  "package main\n\nimport \"os/exec\"\n\nvar (\n\ta = exec.Command(\"sh\", \"-c\", \"x\")\n\tb = []string{\"/bin/bash\", \"-ec\", \"x\"}\n\tc = \"sh -c x\"\n)\n",
		"cmd/tlsaroll/later.go":                  "package main\n\n// TO" + "DO: later\nvar later = \"not imple" + "mented\"\n",
		"certwatch/open.go":                      "package certwatch\n\nimport \"os\"\n\nfunc open() {\n\tos.Create(\"x\")\n\tos.WriteFile(\"x\", nil, 0o644)\n\tos.Mkdir(\"y\", 0o700)\n\tos.OpenFile(\"z\", os.O_CREATE, 0o600)\n}\n",
		"certwatch/errors.go":                    "package certwatch\n\nimport (\n\t\"errors\"\n\t\"fmt\"\n)\n\nvar (\n\ta = errors.New(\"Bad file\")\n\tb = errors.New(\"a bad file.\")\n\tc = fmt.Errorf(\"%s: bad (hint: \"+x, y)\n\td = errors.New(\"failed to read\")\n\te = errors.New(\"bad, hint: mend it\")\n\tf = errors.New(\"bad (hint: is the file whole)\")\n\tg = errors.New(\"bad (hint: mend it.)\")\n\th = errors.New(\"bad: \")\n\ti = errors.New(\"\")\n)\n",
		"dnsprovider/b/b_test.go":                "package b\n\nfunc run() { go run() }\n",
		"certwatch/notes.md":                     "see /wor" + "k/notes and iss" + "ue 7\n",
	}
	if got := findings(t, clean); len(got) > 0 {
		t.Errorf("the clean house is broken: %v", got)
	}
	for name, text := range clean {
		if _, ok := broken[name]; !ok {
			broken[name] = text
		}
	}
	got := findings(t, broken)
	want := map[string][]string{
		"imports": {
			"certwatch imports github.com/tlsaroll/tlsaroll/dnsprovider: rooms that look and act know nothing of each other: the agent connects them",
			"certwatch imports github.com/tlsaroll/tlsaroll/rollover: who looks and acts has no opinion on rollovers",
			"certwatch imports testing: only harnesses link the testing package",
			"dnsprovider/b imports github.com/google/go-cmp/cmp: this module is for tests",
			"dnsprovider/b imports github.com/pkg/errors: a new dependency needs its reason in the table of modules",
			"dnsprovider/b imports github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config: the program uses the library, never the other way",
			"dnsprovider/b imports github.com/tlsaroll/tlsaroll/dnsprovider/a: one provider knows nothing of another",
			"rollover imports github.com/miekg/dns: who decides needs the standard library alone",
			"rollover imports github.com/tlsaroll/tlsaroll/certwatch: who decides knows nothing of who looks and acts",
			"rollover/tlsa imports os: who decides performs no I/O, reads no clock, draws no lots, logs nothing and shares nothing",
		},
		"top level":    {"notes.txt: only cmd, rollover, dnsprovider, certwatch, examples, go.mod, go.sum, README.md stand there"},
		"file length":  {"cmd/tlsaroll/long.go: 401 lines"},
		"file names":   {"cmd/tlsaroll/internal/config/utils.go"},
		"package docs": {"cmd/tlsaroll/internal/config"},
		"clock":        {"cmd/tlsaroll/clock.go:6: time.Sleep", "cmd/tlsaroll/clock.go:7: time.Now", "cmd/tlsaroll/renamed.go:5: time.Since"},
		"init":         {"cmd/tlsaroll/start.go:8"},
		"exit":         {"cmd/tlsaroll/start.go:9: os.Exit", "cmd/tlsaroll/start.go:10: log.Fatal"},
		"shell":        {"cmd/tlsaroll/shell.go:6", "cmd/tlsaroll/shell.go:7", "cmd/tlsaroll/shell.go:8"},
		"leaks":        {"dnsprovider/b: no test file calls goleak"},
		"modes":        {"certwatch/open.go:6: os.Create makes it 0666", "certwatch/open.go:7: os.WriteFile with mode 0o644"},
		"messages": {
			`certwatch/errors.go:9: "Bad" begins with a capital, and is neither a name nor an acronym`,
			`certwatch/errors.go:10: "a bad file." ends like a sentence`,
			`certwatch/errors.go:11: "%s: bad (hint: %v" leaves a bracket open`,
			`certwatch/errors.go:12: "failed to read" says that it is an error: say what and why`,
			`certwatch/errors.go:13: "bad, hint: mend it" has a hint that is not its last part, in brackets`,
			`certwatch/errors.go:14: "bad (hint: is the file whole)" asks without a question mark`,
			`certwatch/errors.go:15: "bad (hint: mend it.)" has a hint that ends like a sentence`,
			`certwatch/errors.go:16: "bad: " has blanks around it`,
			`certwatch/errors.go:17: it says nothing`,
		},
		"unfinished":    {"cmd/tlsaroll/later.go:3: TO" + "DO", "cmd/tlsaroll/later.go:4: not imple" + "mented"},
		"foreign words": {"certwatch/notes.md:1: /wor" + "k/"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if len(want) != len(rules) {
		t.Errorf("%d rules, and %d of them can break", len(rules), len(want))
	}
}

// findings puts up a house and holds the rules to it.
func findings(t *testing.T, house map[string]string) map[string][]string {
	t.Helper()
	root := t.TempDir()
	for name, text := range house {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tr := load(t, root)
	found := map[string][]string{}
	for _, r := range rules {
		if b := r.broken(tr); len(b) > 0 {
			found[r.name] = b
		}
	}
	return found
}
