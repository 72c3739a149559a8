package main

import (
	"path/filepath"
	"testing"
)

// TestHookFiles: whatever paths lego names, those that are compared with staged files
// are whole.
func TestHookFiles(t *testing.T) {
	for _, names := range [][2]string{
		{"LEGO_CERT_PATH", "LEGO_CERT_KEY_PATH"},
		{"LEGO_HOOK_CERT_PATH", "LEGO_HOOK_CERT_KEY_PATH"},
	} {
		env := map[string]string{names[0]: ".lego/certificates/mx1.example.org.crt", names[1]: "/lego/mx1.example.org.key"}
		w := quiet()
		w.lookupEnv = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
		files, err := newProgram(w).hookFiles(hookCall{client: "lego"})
		whole, _ := filepath.Abs(env[names[0]])
		if err != nil || files.Cert != whole || files.Key != env[names[1]] {
			t.Errorf("%s: %+v, %v; want %s", names[0], files, err, whole)
		}
	}
}
