package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// answering is a daemon made of one function, which gets each connection with
// its request read.
func answering(t *testing.T, answer func(net.Conn)) (path string) {
	t.Helper()
	path = filepath.Join(socketDir(t), "control.sock")
	l, err := net.Listen("unix", path)
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			readRequest(conn)
			answer(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return path
}

func readRequest(conn net.Conn) {
	if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		io.Copy(io.Discard, r.Body)
	}
}

const head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

// TestNobody tells the caller to work on its own, and only where nothing was begun.
func TestNobody(t *testing.T) {
	dir := socketDir(t)
	stale := filepath.Join(dir, "stale")
	staleSocket(t, stale)
	regular := filepath.Join(dir, "regular")
	must(t, os.WriteFile(regular, nil, 0o600))
	for name, path := range map[string]string{
		"no directory": filepath.Join(dir, "missing", "control.sock"),
		"no socket":    filepath.Join(dir, "missing"),
		"stale socket": stale,
		"a file":       regular,
		"hangs up":     answering(t, func(net.Conn) {}),
		"hangs up before the hello": answering(t, func(c net.Conn) {
			io.WriteString(c, head)
		}),
		"hangs up in the hello": answering(t, func(c net.Conn) {
			io.WriteString(c, head+`{"kind":"hello","hello":`)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			exit, err := Client{Path: path, Patience: patienceOfTests}.Do(t.Context(), request(), &recorder{})
			if want := "control socket: no daemon answers at " + path; !errors.Is(err, ErrNone) || err.Error() != want || exit != 1 {
				t.Errorf("exit %d, %v", exit, err)
			}
		})
	}
}

// TestOddAnswers are neither taken for a daemon's nor for nobody's.
func TestOddAnswers(t *testing.T) {
	first := string(frames[0].encode())
	for name, c := range map[string]struct{ answer, want string }{
		"no HTTP":          {"220 mx1.example.org ESMTP\r\n", "control socket: an answer that is none of tlsaroll's at PATH (hint: does another program listen there?)"},
		"no frames":        {head + "hello\n", "control socket: an answer that is none of tlsaroll's at PATH (hint: does another program listen there?)"},
		"no hello":         {head + `{"kind":"exit"}` + "\n", "control socket: an answer that is none of tlsaroll's at PATH (hint: does another program listen there?)"},
		"two hellos":       {head + first + first, "control socket: an answer that is none of tlsaroll's at PATH (hint: does another program listen there?)"},
		"other version":    {head + strings.Replace(first, `"protocol":1`, `"protocol":2`, 1), "control socket: the daemon is version v1 (protocol 2), this is v1.0.0 (protocol 1) (hint: restart it)"},
		"says it is other": {"HTTP/1.1 409 Conflict\r\nConnection: close\r\n\r\nthe daemon is older\n", "control socket: the daemon is older"},
		"refuses":          {"HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\nno\n", "control socket: the daemon at PATH refuses: no"},
		"ends halfway":     {head + first + `{"kind":"say","text":"a"}` + "\n", "control socket: the daemon ended before rollover did (pid 7) (hint: see its log, and tlsaroll status)"},
	} {
		t.Run(name, func(t *testing.T) {
			path := answering(t, func(conn net.Conn) { io.WriteString(conn, c.answer) })
			exit, err := Client{Path: path, Patience: patienceOfTests}.Do(t.Context(), request(), &recorder{})
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.ReplaceAll(err.Error(), path, "PATH"); got != c.want || exit != 1 || errors.Is(err, ErrNone) || errors.Is(err, ErrWedged) {
				t.Errorf("exit %d\ngot  %s\nwant %s", exit, got, c.want)
			}
		})
	}
}

// TestNoAnswer gives up on who lets clients in and says nothing.
func TestNoAnswer(t *testing.T) {
	path := filepath.Join(socketDir(t), "control.sock")
	l, err := net.Listen("unix", path)
	must(t, err)
	defer l.Close()
	full := filepath.Join(filepath.Dir(path), "full")
	crowd(t, full)
	for _, path := range []string{path, full} {
		exit, err := Client{Path: path, Patience: quick.Write}.Do(t.Context(), request(), &recorder{})
		if want := "control socket: the daemon does not answer at " + path + " (hint: see its log and restart it)"; !errors.Is(err, ErrWedged) || err.Error() != want || exit != 1 {
			t.Errorf("exit %d, %v", exit, err)
		}
	}
	if _, err := Listen(full, ownGroup()); !errors.Is(err, ErrRunning) {
		t.Errorf("a daemon that is busy is replaced: %v", err)
	}
}

// crowd makes a socket at which so many wait that nobody else may.
func crowd(t *testing.T, path string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	t.Cleanup(func() { syscall.Close(fd) })
	must(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}))
	must(t, syscall.Listen(fd, 0))
	for {
		conn, err := net.Dial("unix", path)
		if errors.Is(err, syscall.EAGAIN) {
			return
		}
		must(t, err)
		t.Cleanup(func() { conn.Close() })
	}
}

// TestPatience measures how long a client listens, on a clock of its own.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		var last time.Time
		go func() {
			defer theirs.Close()
			readRequest(theirs)
			write := func(text string) {
				time.Sleep(9 * time.Second) // just within patience
				last = time.Now()
				io.WriteString(theirs, text)
			}
			write(head)
			last = time.Time{} // headers alone are no sign of life
			theirs.Write(frames[0].encode())
			for range 400 {
				write(`{"kind":"beat"}` + "\n")
			}
			io.Copy(io.Discard, theirs) // until the client goes
		}()
		exit, err := Client{Path: "PATH"}.talk(t.Context(), ours, []byte("{}"), &replay{face: &recorder{}})
		if !errors.Is(err, ErrWedged) || exit != 1 {
			t.Fatalf("exit %d, %v", exit, err)
		}
		if silent := time.Since(last); silent < 10*time.Second || silent > 11*time.Second {
			t.Errorf("gave up after %v", silent)
		}
	})
}

// slowFace takes an hour for its first line.
type slowFace struct {
	recorder
	slept bool
}

func (f *slowFace) Result(line string) {
	if !f.slept {
		f.slept = true
		time.Sleep(time.Hour)
	}
	f.recorder.Result(line)
}

// TestSlowFace takes a person who reads page by page neither for a dead daemon, nor lets
// the daemon wait.
func TestSlowFace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			readRequest(theirs)
			io.WriteString(theirs, head)
			for _, f := range frames[:len(frames)-1] {
				theirs.Write(f.encode())
			}
			for i := range 1000 {
				theirs.Write(frame{Kind: kindResult, Text: fmt.Sprint(i)}.encode())
			}
			if waited := time.Since(begin); waited > 0 {
				t.Errorf("the daemon waited for %v", waited)
			}
			theirs.Write(frame{Kind: kindExit, Exit: 4}.encode())
		}()
		face := &slowFace{}
		exit, err := Client{}.talk(t.Context(), ours, []byte("{}"), &replay{face: face})
		if err != nil || exit != 4 {
			t.Fatalf("exit %d, %v", exit, err)
		}
		if n := len(face.lines); n != 1004 || face.lines[n-1] != "result 999" {
			t.Errorf("%d lines, the last %q", n, face.lines[n-1])
		}
		if passed := time.Since(begin); passed != time.Hour {
			t.Errorf("it took %v", passed)
		}
	})
}

// TestInterrupted ends at once, whatever the daemon does.
func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ours, theirs := net.Pipe()
		defer theirs.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err := Client{}.talk(ctx, ours, []byte("{}"), &replay{face: &recorder{}}) // which nobody reads
		if passed := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || passed != 3*time.Second {
			t.Errorf("%v after %v", err, passed)
		}
	})
}
