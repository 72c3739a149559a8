package certwatch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestStashKeepsAPair(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		h := issue(t)
		p := pairFor(t, h.leaf, h.intermediate)
		s := Stash{Dir: filepath.Join(t.TempDir(), "stash")}
		old := unix.Umask(umask)
		dir, err := s.Put(p)
		unix.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		if dir != s.Path(p.ID()) || filepath.Base(dir) != string(p.ID()) {
			t.Errorf("entry at %s", dir)
		}
		for path, want := range map[string]fs.FileMode{
			s.Dir:                  fs.ModeDir | 0o700,
			dir:                    fs.ModeDir | 0o700,
			dir + "/fullchain.pem": 0o600,
			dir + "/privkey.pem":   0o600,
			dir + "/combined.pem":  0o600,
		} {
			info, err := os.Lstat(path)
			ok(t, err)
			if info.Mode() != want {
				t.Errorf("umask %04o: %s has mode %v, want %v", umask, path, info.Mode(), want)
			}
		}
		got, err := s.Get(p.ID())
		if err != nil {
			t.Fatal(err)
		}
		if got.ID() != p.ID() || string(got.Key.PEM()) != string(p.Key.PEM()) {
			t.Errorf("got %v, put %v", got, p)
		}
		combined, err := os.ReadFile(dir + "/combined.pem")
		ok(t, err)
		if want := string(p.Key.PEM()) + string(p.ChainPEM()); string(combined) != want {
			t.Error("combined.pem is not the key followed by the chain")
		}
	}
}

// TestStashAddressesTheChain: the same leaf with another chain is another entry.
func TestStashAddressesTheChain(t *testing.T) {
	h := issue(t)
	s := Stash{Dir: t.TempDir()}
	var want []tlsa.ChainID
	for _, p := range []Pair{pairFor(t, h.leaf), pairFor(t, h.leaf, h.intermediate), pairFor(t, h.leaf, h.intermediate, h.root)} {
		for range 2 { // the second time changes nothing
			dir, err := s.Put(p)
			ok(t, err)
			before, err := stamps(dir)
			ok(t, err)
			_, err = s.Put(p)
			ok(t, err)
			after, err := stamps(dir)
			ok(t, err)
			if !slices.Equal(before, after) {
				t.Error("putting a pair that is there made a new entry")
			}
		}
		want = append(want, p.ID())
	}
	slices.Sort(want)
	got, err := s.List()
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	for _, id := range want {
		ok(t, s.Remove(id))
		ok(t, s.Remove(id)) // gone already
	}
	if got, err := s.List(); err != nil || len(got) > 0 {
		t.Errorf("after Remove: %v, %v", got, err)
	}
	assertEmpty(t, s.Dir)
}

// TestStashNotices changes an entry behind the stash's back: Get says what is
// wrong, Put mends it.
func TestStashNotices(t *testing.T) {
	h, other := issue(t), issue(t)
	p := pairFor(t, h.leaf, h.intermediate)
	foreign := append(keyPEM(t, other.leaf), chainPEM(other.leaf, other.intermediate)...)
	shorter := append(keyPEM(t, h.leaf), chainPEM(h.leaf)...)
	shorterID, otherID := pairFor(t, h.leaf).ID(), pairFor(t, other.leaf, other.intermediate).ID()
	disordered, err := FromPEM(chainPEM(h.intermediate, h.leaf), keyPEM(t, h.leaf))
	ok(t, err)
	asFoundID := disordered.AsFound.ID()
	tests := []struct {
		name, file string
		content    []byte // nil: remove
		want       string
	}{
		{"missing file", PrivkeyFile, nil, "DIR/privkey.pem: no such file or directory (hint: somebody changed the entry; stage the pair again)"},
		{"missing combined file", CombinedFile, nil, "DIR/combined.pem: no such file or directory (hint: somebody changed the entry; stage the pair again)"},
		{"another chain", FullchainFile, chainPEM(h.leaf), "DIR/fullchain.pem: holds the chain " + shorterID.Short() + " (hint: somebody changed the entry; stage the pair again)"},
		{"another order", FullchainFile, chainPEM(h.intermediate, h.leaf), "DIR/fullchain.pem: holds the chain " + asFoundID.Short() + " (hint: somebody changed the entry; stage the pair again)"},
		{"another pair in combined.pem", CombinedFile, foreign, "DIR/combined.pem: holds the chain " + otherID.Short() + " (hint: somebody changed the entry; stage the pair again)"},
		{"another chain in combined.pem", CombinedFile, shorter, "DIR/combined.pem: holds the chain " + shorterID.Short() + " (hint: somebody changed the entry; stage the pair again)"},
		{"another form in combined.pem", CombinedFile, append(sec1PEM(t, h.leaf), chainPEM(h.leaf, h.intermediate)...), "DIR/combined.pem: holds the key in another form than privkey.pem (hint: somebody changed the entry; stage the pair again)"},
		{"another key", PrivkeyFile, keyPEM(t, other.leaf), `DIR/fullchain.pem: the private key does not fit the certificate of "mx1.example.org" (hint: certificate and key come from different orders; give the files of one order, or issue again)`},
		{"half a key", PrivkeyFile, keyPEM(t, h.leaf)[:60], "DIR/privkey.pem: line 1: the private key that begins here has no end"},
		{"nothing", FullchainFile, []byte{}, "DIR/fullchain.pem: empty, want a certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Stash{Dir: t.TempDir()}
			dir, err := s.Put(p)
			ok(t, err)
			want := "stash " + s.Dir + ": get " + p.ID().Short() + ": " + strings.ReplaceAll(tt.want, "DIR", dir)
			path := filepath.Join(dir, tt.file)
			if tt.content == nil {
				remove(t, path)
			} else {
				write(t, path, tt.content, 0o600)
			}
			_, err = s.Get(p.ID())
			if err == nil || err.Error() != want || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got\n %v\nwant\n %s", err, want)
			}
			if _, err := s.Put(p); err != nil {
				t.Fatalf("put again: %v", err)
			}
			if _, err := s.Get(p.ID()); err != nil {
				t.Errorf("not mended: %v", err)
			}
			if ids, err := s.List(); err != nil || len(ids) != 1 {
				t.Errorf("%d entries, %v", len(ids), err)
			}
		})
	}
}

func TestStashRefusesWhatIsNoID(t *testing.T) {
	s := Stash{Dir: t.TempDir()}
	precious := write(t, filepath.Join(s.Dir, "..", "precious", "file"), nil, 0o600)
	for _, id := range []tlsa.ChainID{"", ".", "..", "../precious", tlsa.ChainID(strings.Repeat("A", 64)), tlsa.ChainID(strings.Repeat("a", 63))} {
		if _, err := s.Get(id); err == nil || !strings.Contains(err.Error(), "is not a chain id: want 64 lower-case hex digits") {
			t.Errorf("get %q: %v", id, err)
		}
		if err := s.Remove(id); err == nil {
			t.Errorf("remove %q: no error", id)
		}
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
	absent := tlsa.ChainID(strings.Repeat("a", 64))
	if _, err := s.Get(absent); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("get of an entry that is not there: %v, want fs.ErrNotExist", err)
	}
	if ids, err := (Stash{Dir: s.Dir + "/nowhere"}).List(); err != nil || len(ids) > 0 {
		t.Errorf("list of a stash that is not there: %v, %v", ids, err)
	}
}

func TestSweep(t *testing.T) {
	h := issue(t)
	s := Stash{Dir: t.TempDir()}
	p := pairFor(t, h.leaf)
	_, err := s.Put(p)
	ok(t, err)
	write(t, filepath.Join(s.Dir, unfinished+"123", FullchainFile), []byte("half"), 0o600)
	write(t, filepath.Join(s.Dir, "notes"), nil, 0o600) // not ours
	if ids, err := s.List(); err != nil || len(ids) != 1 {
		t.Errorf("what is unfinished was listed: %v, %v", ids, err)
	}
	removed, err := s.Sweep()
	ok(t, err)
	if diff := cmp.Diff([]string{filepath.Join(s.Dir, unfinished+"123")}, removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	left, err := os.ReadDir(s.Dir)
	ok(t, err)
	if len(left) != 2 {
		t.Errorf("left: %v, want the entry and the notes", left)
	}
	if _, err := s.Get(p.ID()); err != nil {
		t.Error(err)
	}
}

func assertEmpty(t testing.TB, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	ok(t, err)
	if len(left) > 0 {
		t.Errorf("left in %s: %v", dir, left)
	}
}
