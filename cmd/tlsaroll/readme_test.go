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

// block is a code block of the README.
type block struct{ kind, text string }

func readmeBlocks(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	for _, m := range regexp.MustCompile("(?s)```(\\w*)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, block{m[1], m[2]})
	}
	return blocks
}

// TestREADME runs what the README says: its configuration loads without a
// warning, its commands parse, its tests exist.
func TestREADME(t *testing.T) {
	loaded, ran := 0, 0
	for _, b := range readmeBlocks(t) {
		switch b.kind {
		case "yaml":
			loadBlock(t, b.text)
			loaded++
		case "sh":
			for line := range strings.Lines(b.text) {
				runLine(t, strings.Fields(line))
				ran++
			}
		}
	}
	if loaded == 0 || ran < 3 {
		t.Errorf("found %d configurations and %d commands in the README", loaded, ran)
	}
}

func loadBlock(t *testing.T, text string) {
	t.Helper()
	files := fstest.MapFS{
		"etc/tlsaroll/tlsaroll.yaml": {Data: []byte(text), Mode: 0o644},
		"etc/tlsaroll/tsig.secret":   {Data: []byte("c2VjcmV0IGtleSBub2JvZHkgc2VlcyE="), Mode: 0o600},
	}
	l := config.System(config.RFC2136())
	l.Open = func(name string) (fs.File, error) { return files.Open(strings.TrimPrefix(name, "/")) }
	cfg, warnings, err := l.Load(defaultConfig)
	if err != nil || len(warnings) > 0 {
		t.Errorf("the README's configuration: %v %v", err, warnings)
		return
	}
	if _, err := newProgram(quiet()).wire(cfg); err != nil {
		t.Errorf("the README's configuration cannot be wired: %v", err)
	}
}

func quiet() world {
	return world{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, lookupEnv: func(string) (string, bool) { return "", false }, now: time.Now}
}

// runLine checks one line of a shell block.
func runLine(t *testing.T, words []string) {
	t.Helper()
	switch {
	case slices.Equal(words, strings.Fields("go run ./cmd/tlsaroll demo")):
		parses(t, words[3:]) // it takes its time, and TestDemo runs it
	case strings.HasPrefix(strings.Join(words, " "), "go run ./cmd/tlsaroll "):
		if code := run(t.Context(), words[3:], quiet()); code != exitDone {
			t.Errorf("%v: exit %d", words, code)
		}
	case len(words) >= 2 && words[0] == "go" && words[1] == "test":
		testExists(t, words)
	case len(words) > 1 && words[0] == "tlsaroll":
		parses(t, words[1:])
	default:
		t.Errorf("the README has a command that nobody checks: %v", words)
	}
}

// testExists wants a test of the name that -run gives in the package.
func testExists(t *testing.T, words []string) {
	t.Helper()
	for i, w := range words {
		if w != "-run" {
			continue
		}
		files, err := filepath.Glob(filepath.Join("../..", words[2], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(src), "\nfunc "+words[i+1]) {
				return
			}
		}
		t.Errorf("%v: there is no such test", words)
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

// TestREADMECommands wants every command of the program in the README's table,
// and no other.
func TestREADMECommands(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	p := newProgram(quiet())
	known := map[string]bool{}
	for _, c := range p.rootCommand().Commands() {
		known[c.Name()] = true
		if !c.Hidden && c.Name() != "completion" && c.Name() != "version" && c.Name() != "man" && !strings.Contains(string(text), "`tlsaroll "+c.Name()) {
			t.Errorf("the README's table lacks tlsaroll %s", c.Name())
		}
	}
	for _, m := range regexp.MustCompile("\\| `tlsaroll (\\w+)").FindAllStringSubmatch(string(text), -1) {
		if !known[m[1]] {
			t.Errorf("the README's table has tlsaroll %s, which does not exist", m[1])
		}
	}
}
