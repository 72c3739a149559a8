package swap

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A pair is a pair in an entry's form.
type pair struct{ key, cert, ca []byte }

func (p pair) chain() []byte    { return slices.Concat(p.cert, p.ca) }
func (p pair) combined() []byte { return slices.Concat(p.key, p.cert, p.ca) }

// newPair makes a leaf issued by a CA of its own.
func newPair(t testing.TB, name string) pair {
	t.Helper()
	issuer := newCertificate(t, x509.Certificate{Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true}, nil)
	leaf := newCertificate(t, x509.Certificate{DNSNames: []string{name}}, issuer)
	der, err := x509.MarshalPKCS8PrivateKey(leaf.key)
	ok(t, err)
	return pair{key: pemOf("PRIVATE KEY", der), cert: pemOf("CERTIFICATE", leaf.cert.Raw), ca: pemOf("CERTIFICATE", issuer.cert.Raw)}
}

type certificate struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newCertificate(t testing.TB, template x509.Certificate, issuer *certificate) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	ok(t, err)
	template.NotBefore, template.NotAfter = time.Unix(0, 0), time.Unix(1<<33, 0)
	if issuer == nil {
		issuer = &certificate{&template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, issuer.cert, &key.PublicKey, issuer.key)
	ok(t, err)
	cert, err := x509.ParseCertificate(der)
	ok(t, err)
	return &certificate{cert, key}
}

func pemOf(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

// stash writes a pair as an entry STATE/stash/NAME.
func stash(t testing.TB, state, name string, p pair) string {
	t.Helper()
	dir := filepath.Join(state, "stash", name)
	for file, content := range map[string][]byte{fullchainFile: p.chain(), privkeyFile: p.key, combinedFile: p.combined()} {
		write(t, filepath.Join(dir, file), content, 0o600)
	}
	return dir
}

// A world is a host with two entries and every sort of target.
type world struct {
	Host
	state, etc string
	a, b       pair
	entryA     string
	entryB     string
	ran        []string // what Run was asked for
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir := memoryDir(t)
	w := &world{state: filepath.Join(dir, "state"), etc: filepath.Join(dir, "etc")}
	ok(t, os.MkdirAll(w.state, 0o700))
	ok(t, os.MkdirAll(w.etc, 0o755))
	w.a, w.b = newPair(t, "mx1.example.org"), newPair(t, "mx1.example.org")
	w.entryA, w.entryB = stash(t, w.state, "aaaa", w.a), stash(t, w.state, "bbbb", w.b)
	w.Host = w.host()
	w.Run = func(_ context.Context, argv []string) ([]byte, error) {
		w.ran = append(w.ran, strings.Join(argv, " "))
		return nil, nil
	}
	return w
}

func (w *world) host() Host {
	return Host{
		Lineage: "mx1",
		Live:    w.state + "/live/mx1",
		Install: []Target{
			{Path: w.etc + "/combined.pem", Content: []Part{Key, Chain}},
			{Path: w.etc + "/leaf.pem", Content: []Part{Cert}, Mode: 0o644},
			{Path: w.etc + "/ca.pem", Content: []Part{CA}, Mode: 0o444},
			{Dir: w.etc + "/mx1", Mode: 0o640},
		},
		Check:  [][]string{{"postfix", "check"}},
		Reload: [][]string{{"postfix", "reload"}, {"doveadm", "reload"}},
		search: "/nonexistent", // no restorecon of this machine
	}
}

// memoryDir is a directory in memory where there is one: the tests sync some
// thousand times.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "tlsaroll-swap-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { ok(t, os.RemoveAll(dir)) })
	return dir
}

// holds says what is wrong with the installation of a pair, "" if it is whole.
func (w *world) holds(p pair, entry string) string {
	for path, want := range map[string][]byte{
		"combined.pem":      p.combined(),
		"leaf.pem":          p.cert,
		"ca.pem":            p.ca,
		"mx1/combined.pem":  p.combined(),
		"mx1/fullchain.pem": p.chain(),
		"mx1/privkey.pem":   p.key,
	} {
		if got, err := os.ReadFile(filepath.Join(w.etc, path)); err != nil || !bytes.Equal(got, want) {
			return fmt.Sprintf("%s: other content, %v", path, err)
		}
	}
	if got, err := os.ReadFile(w.Live + "/combined.pem"); err != nil || !bytes.Equal(got, p.combined()) {
		return fmt.Sprintf("live: other content, %v", err)
	}
	if got, err := w.Installed(); err != nil || got != entry {
		return fmt.Sprintf("installed: %q, %v", got, err)
	}
	return ""
}

// paths are all that a switch switches.
func (w *world) paths() []string {
	return []string{w.etc + "/combined.pem", w.etc + "/leaf.pem", w.etc + "/ca.pem", w.etc + "/mx1", w.Live}
}

// strays are the names in the install directory and beside the live symlink that
// have no business there.
func (w *world) strays(t testing.TB) []string {
	t.Helper()
	var strays []string
	generations := map[string]bool{"mx1": true, "mx1.previous": true}
	for _, name := range []string{"mx1", "mx1.previous"} {
		if target, err := os.Readlink(filepath.Join(w.etc, name)); err == nil {
			generations[target] = true
		}
	}
	for _, dir := range []string{w.etc, w.state + "/live"} {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := strings.TrimSuffix(e.Name(), previous)
			if !generations[e.Name()] && !slices.Contains([]string{"combined.pem", "leaf.pem", "ca.pem"}, name) {
				strays = append(strays, e.Name())
			}
		}
	}
	return strays
}

// snapshot describes a tree, but for inodes and times.
func snapshot(t testing.TB, root string) map[string]string {
	t.Helper()
	seen := map[string]string{}
	ok(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		ok(t, unix.Lstat(path, &st))
		what := fmt.Sprintf("%v %d:%d", fs.FileMode(st.Mode&0o7777), st.Uid, st.Gid)
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFLNK:
			target, err := os.Readlink(path)
			ok(t, err)
			what += " -> " + target
		case unix.S_IFREG:
			content, err := os.ReadFile(path)
			ok(t, err)
			what += fmt.Sprintf(" %d octets %x", len(content), content[max(0, len(content)-70):])
		}
		rel, _ := filepath.Rel(root, path)
		seen[rel] = what
		return nil
	}))
	return seen
}

func write(t testing.TB, path string, content []byte, mode fs.FileMode) string {
	t.Helper()
	ok(t, os.MkdirAll(filepath.Dir(path), 0o700))
	ok(t, os.WriteFile(path, content, mode))
	ok(t, os.Chmod(path, mode))
	return path
}

func modeOf(t testing.TB, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	ok(t, err)
	return info.Mode().Perm()
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
