package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExamples tries what the examples' pages say, and loads their configurations.
func TestExamples(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "examples/*/README.md"))
	if err != nil || len(pages) < 3 {
		t.Fatalf("the examples are %v, %v", pages, err)
	}
	for _, page := range pages {
		dir := "examples/" + filepath.Base(filepath.Dir(page))
		t.Run(filepath.Base(dir), func(t *testing.T) {
			readme := readDocument(t, dir+"/README.md")
			readme.try(t)
			readme.links(t)
			files, err := os.ReadDir(filepath.Join(root, dir))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if f.Name() == "tlsaroll.yaml" {
					defaultTiming(t, readDocument(t, dir+"/tlsaroll.yaml"))
				}
				if f.Name() != "README.md" && !strings.Contains(readme.text, "]("+f.Name()+")") {
					t.Errorf("%s: its README does not tell of %s", dir, f.Name())
				}
			}
		})
	}
}

// TestExamplesPage wants every example on the page that lists them.
func TestExamplesPage(t *testing.T) {
	page := readDocument(t, "examples/README.md")
	page.try(t)
	page.links(t)
	entries, err := os.ReadDir(filepath.Join(root, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.Contains(page.text, "]("+e.Name()+"/README.md)") {
			t.Errorf("%s does not lead to %s", page.name, e.Name())
		}
	}
}

// TestNagiosCommands wants options that exist in the commands that Nagios and Icinga are given.
func TestNagiosCommands(t *testing.T) {
	quoted := strings.NewReplacer(`"`, "", ",", "", "[", "", "]", "")
	for name, line := range map[string]string{"tlsaroll.cfg": `command_line  (.*)`, "icinga2.conf": `command = (\[.*\])`} {
		m := regexp.MustCompile(line).FindStringSubmatch(readDocument(t, "examples/nagios/"+name).text)
		if m == nil {
			t.Errorf("%s: no command", name)
			continue
		}
		argv := strings.Fields(quoted.Replace(m[1]))
		if argv[0] != installed || !asksForPlugin(argv[1:]) {
			t.Errorf("%s: its command is %v", name, argv)
		}
		parses(t, argv[1:])
	}
}

var timingLine = regexp.MustCompile(`(?m)^timing: .*$`)

// defaultTiming wants that a configuration loads, and says of timing what is so without
// it.
func defaultTiming(t *testing.T, d document) {
	t.Helper()
	if !timingLine.MatchString(d.text) {
		t.Errorf("%s: nothing about timing", d.name)
	}
	with, without := loads(t, d.name, d.text), loads(t, d.name, timingLine.ReplaceAllString(d.text, ""))
	if diff := cmp.Diff(without.Timing, with.Timing); diff != "" {
		t.Errorf("%s: its timing is not the default:\n%s", d.name, diff)
	}
}

// links wants that every file and heading is there to which a document leads.
func (d document) links(t *testing.T) {
	t.Helper()
	for _, m := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(d.text, -1) {
		name, heading, _ := strings.Cut(m[1], "#")
		if name == "" {
			name = filepath.Base(d.name)
		}
		if _, err := os.Stat(d.beside(name)); err != nil {
			t.Errorf("%s: leads to %s: %v", d.name, m[1], err)
			continue
		}
		if heading == "" {
			continue
		}
		there := readDocument(t, filepath.Join(filepath.Dir(d.name), name))
		if !strings.Contains(strings.ReplaceAll(strings.ToLower(there.text), "-", " "), "\n## "+strings.ReplaceAll(heading, "-", " ")+"\n") {
			t.Errorf("%s: leads to %s, and there is no such heading", d.name, m[1])
		}
	}
}
