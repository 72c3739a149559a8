package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCheckFileBehindLink: a link stays one, as /dev/stdout has to, and what it leads to
// is written.
func TestCheckFileBehindLink(t *testing.T) {
	dir := t.TempDir()
	file, link, nowhere := filepath.Join(dir, "report.csv"), filepath.Join(dir, "link"), filepath.Join(dir, "nowhere")
	writeFile(t, file, "the last one")
	for name, to := range map[string]string{link: file, nowhere: filepath.Join(dir, "gone")} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	if _, stderr, code := (&asked{}).run(t, append(here, "--csv", link, "example.org")...); code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if to, err := os.Readlink(link); err != nil || to != file {
		t.Errorf("the link: %q %v", to, err)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), "domain,at,state") {
		t.Errorf("the file: %.40q %v", text, err)
	}
	a := &asked{}
	if _, stderr, code := a.run(t, append(here, "--csv", nowhere, "example.org")...); code != exitError || a.looked || !strings.Contains(stderr, "a link that leads nowhere") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestCheckFileIsStdout: what is printed there would be lost with the file that is replaced.
func TestCheckFileIsStdout(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := placeOf(name, out); err == nil || !strings.Contains(err.Error(), "standard output goes there") {
		t.Error(err)
	}
	if p, err := placeOf(name, nil); err != nil || p.there == nil {
		t.Error(p, err)
	}
}

// TestCheckFileKeepsOwner: a web server that could read the last report can read the next.
func TestCheckFileKeepsOwner(t *testing.T) {
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 { // only root can give files away
		uid, gid = 65534, 65534
	}
	name := filepath.Join(t.TempDir(), "report.html")
	writeFile(t, name, "the last one")
	if err := os.Chown(name, uid, gid); err != nil {
		t.Fatal(err)
	}
	p, err := placeOf(name, nil)
	if err == nil {
		err = p.write([]byte("the next one"))
	}
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	if is, ok := info.Sys().(*syscall.Stat_t); !ok || int(is.Uid) != uid || int(is.Gid) != gid {
		t.Errorf("%+v", info.Sys())
	}
}
