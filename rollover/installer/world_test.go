package installer

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/certwatch/selfsigned"
	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
	"github.com/tlsaroll/tlsaroll/rollover/peer"
)

var now = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

// world is an installer with one lineage, mx1, and the stash of the daemon that asks it.
type world struct {
	t      *testing.T
	dir    string
	server Server
	site   Site
	stash  certwatch.Stash
	socket string

	mu       sync.Mutex
	commands []string
	onRun    func() error // while a command runs; nil: nothing
	log      bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.stash = certwatch.Stash{Dir: filepath.Join(w.dir, "daemon", "stash")}
	w.socket = filepath.Join(w.dir, "s")
	state := filepath.Join(w.dir, "daemon")
	w.site = Site{State: StateOf(state), Names: []string{"mx1.example.org"}, Host: swap.Host{
		Lineage: "mx1", Live: LiveIn(state, "mx1"), Timeout: 5 * time.Second, Run: w.run,
		Install: []swap.Target{{Path: filepath.Join(w.dir, "mx1.pem"), Content: []swap.Part{swap.Key, swap.Chain}}},
		Reload:  [][]string{{"reload", "mx1"}},
	}}
	w.server = Server{Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(w, nil)), patience: time.Second,
		Rules: func() (Rules, error) { return Rules{User: 4711, Sites: map[string]Site{"mx1": w.site}}, nil },
		peer:  func(net.Conn) (peer.Process, error) { return peer.Process{UID: 4711}, nil }}
	return w
}

// Write takes the log.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *world) run(_ context.Context, argv []string) ([]byte, error) {
	w.mu.Lock()
	w.commands = append(w.commands, argv[0])
	onRun := w.onRun
	w.mu.Unlock()
	if onRun == nil {
		return nil, nil
	}
	return nil, onRun()
}

// serves starts the server; it ends with the test.
func (w *world) serves() Client {
	w.t.Helper()
	l, err := net.Listen("unix", w.socket)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.server.Serve(ctx, l) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	return Client{Socket: w.socket, Lineage: "mx1", Patience: 5 * time.Second}
}

// pair makes one and keeps it in the daemon's stash.
func (w *world) pair(names ...string) (entry string, p certwatch.Pair) {
	w.t.Helper()
	key, err := certwatch.EC256.Generate()
	if err != nil {
		w.t.Fatal(err)
	}
	p, err = selfsigned.Issuer{Now: func() time.Time { return now }}.Issue(w.t.Context(), certwatch.Request{Names: names, Key: key})
	if err != nil {
		w.t.Fatal(err)
	}
	if entry, err = w.stash.Put(p); err != nil {
		w.t.Fatal(err)
	}
	return entry, p
}

// holds wants a pair in the file that is installed, "" none.
func (w *world) holds(id string) {
	w.t.Helper()
	got := ""
	p, err := certwatch.Load(certwatch.Files{Cert: w.site.Host.Install[0].Path})
	if err == nil {
		got = string(p.ID())
	} else if _, err := os.Stat(w.site.Host.Install[0].Path); err == nil {
		w.t.Error("it holds no pair")
	}
	if got != id {
		w.t.Errorf("it holds %.8q, want %.8q", got, id)
	}
}
