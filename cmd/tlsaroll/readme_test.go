package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestREADME runs what the README says: its configuration loads without a
// warning, its commands parse, its tests exist.
func TestREADME(t *testing.T) {
	readme := readDocument(t, "README.md")
	readme.try(t)
	readme.links(t)
	if len(readme.blocks("yaml")) == 0 {
		t.Error("it has no configuration")
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
	for _, m := range regexp.MustCompile("\\| `tlsaroll ([a-z-]+)").FindAllStringSubmatch(string(text), -1) {
		if !known[m[1]] {
			t.Errorf("the README's table has tlsaroll %s, which does not exist", m[1])
		}
	}
}
