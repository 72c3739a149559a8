package finder

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// guarded are files of which some directories are not for this user.
type guarded struct{ fstest.MapFS }

func (g guarded) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "etc/letsencrypt/live" || strings.HasPrefix(name, "root") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return g.MapFS.ReadDir(name)
}

// TestClosed holds that what may not be read is not taken for nothing.
func TestClosed(t *testing.T) {
	found := Found{}
	h := Host{Files: guarded{fstest.MapFS{}}}
	if pairs := h.pairs(found.note); pairs != nil {
		t.Errorf("pairs: %v", pairs)
	}
	want := "ACME clients: /root/.lego/certificates, /etc/letsencrypt/live, /root/.acme.sh may not be read by this user, so that certificates there are not found: root may"
	if strings.Join(found.Notes, "\n") != want {
		t.Errorf("notes: %q", found.Notes)
	}
}
