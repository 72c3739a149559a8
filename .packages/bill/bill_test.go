package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

func TestBillOf(t *testing.T) {
	info := &debug.BuildInfo{
		GoVersion: "go1.26.8", Path: "example.org/program",
		Deps: []*debug.Module{
			{Path: "example.org/A", Version: "v1.0.0", Sum: "h1:a="},
			{Path: "example.org/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.net/b", Version: "v2.0.0+incompatible"}},
		},
		Settings: []debug.BuildSetting{{Key: "GOOS", Value: "linux"}},
	}
	b := billOf(info, "v1.2.3", [32]byte{0: 0x12, 6: 0xff, 8: 0xff, 31: 0x34})
	if want := "urn:uuid:12000000-0000-8f00-bf00-000000000000"; b.Serial != want {
		t.Errorf("%s, want %s", b.Serial, want)
	}
	want := []string{"pkg:golang/std@1.26.8", "pkg:golang/example.org/a@v1.0.0", "pkg:golang/example.net/b@v2.0.0%2Bincompatible"}
	if !slices.Equal(b.Dependencies[0].On, want) || b.Dependencies[0].Ref != b.Metadata.Component.Ref {
		t.Errorf("%+v", b.Dependencies)
	}
	text, err := json.Marshal(b)
	for _, part := range []string{`"version":"v1.2.3"`, `{"alg":"SHA-256","content":"12`, `{"name":"go:sum","value":"h1:a="}`, `{"name":"go:build:GOOS","value":"linux"}`} {
		if !strings.Contains(string(text), part) || err != nil {
			t.Errorf("%s is not in %s (%v)", part, text, err)
		}
	}
}

func TestTextsOf(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("license.go", "package license\n")
	put("README.md", "licence: none\n")
	if _, err := textsOf(dir); err == nil {
		t.Error("a module without a licence is taken")
	}
	if _, err := textsOf(""); err == nil {
		t.Error("a module without sources is taken")
	}
	put("LICENSE-MIT.txt", "MIT\r\n")
	put("NOTICE", "by us\n")
	if got, err := textsOf(dir); err != nil || !slices.Equal(got, []string{"MIT", "by us"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestListed(t *testing.T) {
	rule := strings.Repeat("-", 72)
	got := listed(map[string][]string{"MIT": {"b v1", "c v1"}, "BSD": {"a v1"}})
	if want := "\n" + rule + "\na v1\n\nBSD\n\n" + rule + "\nb v1\nc v1\n\nMIT\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
