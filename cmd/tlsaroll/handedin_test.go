package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCertAndKeyOptionsAreTwo: seen in other tools: a script that took the second file for
// the first, so that the form with both could not work. The pair that is kept is that
// of --cert and of --key, whichever comes first.
func TestCertAndKeyOptionsAreTwo(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"rollover": "rollover mx1 --key DIR/good.key --cert DIR/good.pem",
		"hook":     "hook --key DIR/good.key --lineage mx1 --cert DIR/good.pem",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // nobody answers, which takes its time
			d := newDesk(t)
			leaf, key := d.pair(t, "mx1.example.org", -1, 90)
			chain := leaf + pemOf("CERTIFICATE", d.issuer.Raw)
			d.write(t, "good.pem", chain, 0o644)
			d.write(t, "good.key", key, 0o600)
			stdout, stderr, code := call(t, "", strings.Fields(strings.ReplaceAll("-c DIR/ee.yaml "+args, "DIR", d.dir))...)
			if code == exitUsage {
				t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
			}
			kept, err := filepath.Glob(filepath.Join(d.path("state"), "stash", "*"))
			if err != nil || len(kept) != 1 {
				t.Fatalf("exit %d, kept %v, %v\n%s%s", code, kept, err, stdout, stderr)
			}
			for file, want := range map[string]string{"fullchain.pem": chain, "privkey.pem": key, "combined.pem": key + chain} {
				if got, err := os.ReadFile(filepath.Join(kept[0], file)); err != nil || string(got) != want {
					t.Errorf("%s is not what was handed in, %v", file, err)
				}
			}
		})
	}
}
