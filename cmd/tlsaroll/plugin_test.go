package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/paper"
)

// TestPluginExit: the codes are those of plugins, errors of any kind are UNKNOWN and stand in
// the one line, and nothing goes to standard error.
func TestPluginExit(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "no.yaml")
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	writeFile(t, wrong, "lineages: {mx1: {}}\n")
	for args, want := range map[string]struct {
		code int
		text string
	}{
		"mx1.example.org:993":          {paper.NagiosOK, "OK - imaps://mx1.example.org: "},
		"example.net":                  {paper.NagiosCritical, "CRITICAL - example.net: "},
		"example.com":                  {paper.NagiosUnknown, "UNKNOWN - example.com: "},
		"example.com example.net":      {paper.NagiosCritical, "CRITICAL - 2 domains: "},
		"mx1.example.org:99":           {paper.NagiosUnknown, `UNKNOWN - "mx1.example.org:99": no scheme has port 99`},
		"example.org --parallel 0":     {paper.NagiosUnknown, "UNKNOWN - --parallel 0: "},
		"example.org --no-such":        {paper.NagiosUnknown, "UNKNOWN - unknown option --no-such"},
		"example.org --parallel":       {paper.NagiosUnknown, "UNKNOWN - --parallel needs a value"},
		"example.org --json":           {paper.NagiosUnknown, "UNKNOWN - --json, --nagios, --csv - and --html - do not go together"},
		"--sender":                     {paper.NagiosUnknown, "UNKNOWN - --nagios: does not go with --sender"},
		"--tlsrpt report.json":         {paper.NagiosUnknown, "UNKNOWN - --tlsrpt and --nagios do not go together"},
		"-c " + nowhere:                {paper.NagiosUnknown, "UNKNOWN - " + nowhere + ": no such file"},
		"-c " + wrong + " example.org": {paper.NagiosUnknown, "UNKNOWN - " + wrong + ":1:"},
	} {
		stdout, stderr, code := (&asked{}).run(t, append(slices.Clone(here), append([]string{"--nagios"}, strings.Fields(args)...)...)...)
		if code != want.code || stderr != "" || !strings.HasPrefix(stdout, "TLSAROLL "+want.text) {
			t.Errorf("%s: exit %d, want %d\n%s%s", args, code, want.code, stdout, stderr)
		}
	}
	if stdout, _, code := (&asked{}).run(t, "--nagios", "--help"); code != exitDone || !strings.Contains(stdout, "3 UNKNOWN") {
		t.Errorf("its page: exit %d: %s", code, stdout)
	}
	if stdout, _, code := (&asked{}).run(t, "--", "--nagios"); code != exitUsage || stdout != "" {
		t.Errorf("a domain of that name: exit %d: %s", code, stdout)
	}
}
