package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

func TestMain(m *testing.M) {
	if part := os.Getenv(childPart); part != "" {
		os.Exit(child(part, os.Getenv(childPath)))
	}
	goleak.VerifyTestMain(m)
}

// patienceOfTests is for what is bound to come, on a machine that does a lot at once.
const patienceOfTests = 20 * time.Second

// quick is a pace for tests that wait for a limit to be reached.
var quick = Pace{Beat: 20 * time.Millisecond, Read: 200 * time.Millisecond, Write: 100 * time.Millisecond, Grace: 100 * time.Millisecond}

// daemon is a server at work.
type daemon struct {
	path string
	log  *logBuffer
	stop context.CancelFunc
	done chan struct{}
	err  error // Serve's, when done is closed
}

func start(t *testing.T, s Server) *daemon { return startFor(t, s, ownGroup()) }

func startFor(t *testing.T, s Server, group string) *daemon {
	t.Helper()
	d := &daemon{path: filepath.Join(socketDir(t), "control.sock"), log: &logBuffer{}, done: make(chan struct{})}
	l, err := Listen(d.path, group)
	if err != nil {
		t.Fatal(err)
	}
	s.Log = slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if s.Version == "" {
		s.Version = "v1.0.0"
	}
	if s.Alive == nil {
		s.Alive = func(context.Context) error { return nil }
	}
	var ctx context.Context
	ctx, d.stop = context.WithCancel(context.Background())
	go func() {
		defer close(d.done)
		d.err = s.Serve(ctx, l)
	}()
	t.Cleanup(func() {
		if err := d.end(t); err != nil {
			t.Error(err)
		}
	})
	return d
}

// end stops the daemon and waits for it.
func (d *daemon) end(t *testing.T) error {
	t.Helper()
	d.stop()
	wait(t, d.done, "Serve did not return")
	return d.err
}

// do asks the daemon and returns what was shown.
func (d *daemon) do(t *testing.T, r Request) (shown []string, exit int, err error) {
	t.Helper()
	var face recorder
	exit, err = Client{Path: d.path, Patience: patienceOfTests}.Do(t.Context(), r, &face)
	return face.lines, exit, err
}

// wait waits for what is bound to come.
func wait(t *testing.T, c <-chan struct{}, otherwise string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patienceOfTests):
		t.Fatal(otherwise)
	}
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// recorder is a face that writes down what it is to show.
type recorder struct{ lines []string }

func (f *recorder) Result(line string) { f.lines = append(f.lines, "result "+line) }
func (f *recorder) Say(line string)    { f.lines = append(f.lines, "say "+line) }
func (f *recorder) Stick(line string)  { f.lines = append(f.lines, "stick "+line) }
func (f *recorder) Unstick()           { f.lines = append(f.lines, "unstick") }

const (
	secret = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIMostSecretOfAllKeysInThisTest0000000000\n-----END PRIVATE KEY-----\n"
	// grain is a part of the secret that must not be seen anywhere.
	grain = "MostSecret"
)

// request is one with everything in it.
func request() Request {
	return Request{
		Version: "v1.0.0", Command: "rollover", Args: json.RawMessage(`{"wait":"served"}`), Lineage: "mx1",
		Pair: &Pair{
			Chain: []byte("-----BEGIN CERTIFICATE-----\r\n\x00\xff\n-----END CERTIFICATE-----\n"), Key: config.NewSecret([]byte(secret)),
			ChainFile: "fullchain.pem", KeyFile: "privkey.pem",
		},
		Terminal: Terminal{ColourOut: true, ColourErr: true, Sticky: true, Width: 132},
	}
}

// The child is this test binary as another process.
const (
	childPart = "TLSAROLL_CONTROL_CHILD"
	childPath = "TLSAROLL_CONTROL_PATH"
)

func child(part, path string) (exit int) {
	switch part {
	case "ask":
		var face recorder
		exit, err := Do(context.Background(), path, Request{Command: "status"}, &face)
		for _, line := range face.lines {
			fmt.Println(line)
		}
		if err != nil {
			fmt.Println(errors.Is(err, ErrDenied), err)
		}
		return exit
	case "listen":
		l, err := Listen(path, ownGroup())
		if err != nil {
			fmt.Println(err)
			return 1
		}
		defer l.Close()
		fmt.Println("listening")
		os.Stdin.Read(make([]byte, 1)) // until it is closed
		return 0
	}
	return 2
}
