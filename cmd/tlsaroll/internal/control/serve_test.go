package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRoundTrip(t *testing.T) {
	var got Request
	var kept *Reply
	d := start(t, Server{Carry: func(_ context.Context, r Request, to *Reply) int {
		got, kept = r, to
		to.Stick("waiting 1")
		to.Stick("waiting 2")
		to.Say("warning: <odd> & \x1b[33mcoloured\x1b[0m, ü\u2028")
		to.Unstick()
		to.Result("")
		to.Result("two\nlines")
		to.Result(strings.Repeat("long ", 100_000))
		return 3
	}})
	shown, exit, err := d.do(t, request())
	if err != nil || exit != 3 {
		t.Fatalf("exit %d, %v", exit, err)
	}
	want := []string{
		"stick waiting 1", "stick waiting 2", "say warning: <odd> & \x1b[33mcoloured\x1b[0m, ü\u2028", "unstick",
		"result ", "result two\nlines", "result " + strings.Repeat("long ", 100_000),
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff(request(), got); diff != "" {
		t.Errorf("the request: want -, got +:\n%s", diff)
	}
	if string(got.Pair.Key.Reveal()) != secret {
		t.Error("another key")
	}
	line := fmt.Sprintf(`level=INFO msg="control request" command=rollover lineage=mx1 peer.uid=%d peer.gid=%d peer.pid=%d`, os.Geteuid(), os.Getegid(), os.Getpid())
	if !strings.Contains(d.log.String(), line) {
		t.Errorf("no line %q in\n%s", line, d.log)
	}
	must(t, d.end(t))
	kept.Say("too late") // is dropped, as the connection is nobody's any more
}

// TestKeyStaysHidden tries everything that prints, logs or encodes.
func TestKeyStaysHidden(t *testing.T) {
	d := start(t, Server{Carry: func(_ context.Context, r Request, to *Reply) int {
		var b bytes.Buffer
		for _, log := range []*slog.Logger{slog.New(slog.NewTextHandler(&b, nil)), slog.New(slog.NewJSONHandler(&b, nil))} {
			log.Info("request", "request", r, "pair", r.Pair, "pair", *r.Pair, "key", r.Pair.Key)
		}
		encoded, err := json.Marshal(r)
		to.Result(string(encoded) + fmt.Sprint(err))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&b, verb+verb+verb, r, r.Pair, *r.Pair)
		}
		to.Result(b.String())
		panic("a mistake")
	}})
	var face recorder
	exit, err := Do(t.Context(), d.path, request(), &face)
	if err == nil || exit == 0 {
		t.Errorf("exit %d, %v: the panic went unnoticed", exit, err)
	}
	body, _ := request().encode()
	said := []string{strings.Join(face.lines, "\n"), err.Error()}
	for _, junk := range [][]byte{
		body[:len(body)-2],
		bytes.Replace(body, []byte(`"key"`), []byte(`"other"`), 1),
		bytes.Replace(body, []byte(`"command"`), fmt.Appendf(nil, "%q:1,\"command\"", secret), 1),
		bytes.Replace(body, []byte(`"rollover"`), []byte(`1`), 1),
		[]byte(secret),
	} {
		_, answer := d.post(t, string(junk))
		said = append(said, answer)
	}
	d.end(t)
	said = append(said, d.log.String())
	for _, text := range said {
		for _, spelling := range []string{grain, fmt.Sprintf("%x", grain), fmt.Sprintf("%d", []byte(grain))[1:20], "TW9zdFNlY3JldA"} {
			if strings.Contains(text, spelling) {
				t.Errorf("%q in\n%s", spelling, text)
			}
		}
	}
	if !strings.Contains(said[len(said)-1], "a mistake") {
		t.Error("the panic is not in the log")
	}
}

// TestTwoClients has them at work at the same time, each with its own answer.
func TestTwoClients(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	d := start(t, Server{Carry: func(_ context.Context, r Request, to *Reply) int {
		to.Result(r.Lineage + " begins")
		both.Done()
		both.Wait()
		to.Result(r.Lineage + " ends")
		return len(r.Lineage)
	}})
	var clients sync.WaitGroup
	for _, lineage := range []string{"a", "bb"} {
		clients.Go(func() {
			shown, exit, err := d.do(t, Request{Command: "once", Lineage: lineage})
			if want := []string{"result " + lineage + " begins", "result " + lineage + " ends"}; err != nil || exit != len(lineage) || !slices.Equal(shown, want) {
				t.Errorf("%s: %q, exit %d, %v", lineage, shown, exit, err)
			}
		})
	}
	clients.Wait()
}

// TestClientGone ends what was asked for when nobody listens any more.
func TestClientGone(t *testing.T) {
	begun, causes := make(chan struct{}, 1), make(chan error, 1)
	// Without beats, so that it is the end of the connection that tells.
	d := start(t, Server{Pace: Pace{Beat: time.Hour}, Carry: func(ctx context.Context, _ Request, to *Reply) int {
		to.Stick("waiting")
		begun <- struct{}{}
		<-ctx.Done()
		causes <- context.Cause(ctx)
		to.Say("nobody hears this")
		return 0
	}})
	gone := func(t *testing.T) {
		t.Helper()
		if cause := <-causes; !errors.Is(cause, ErrGone) {
			t.Errorf("cause %v", cause)
		}
	}
	t.Run("interrupted", func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		go func() { <-begun; interrupt() }()
		var face recorder
		exit, err := Client{Path: d.path, Patience: patienceOfTests}.Do(ctx, Request{Command: "rollover"}, &face)
		if !errors.Is(err, context.Canceled) || exit != 1 {
			t.Errorf("exit %d, %v", exit, err)
		}
		if want := []string{"stick waiting", "unstick"}; len(face.lines) > 0 && !slices.Equal(face.lines, want) {
			t.Errorf("shown: %q", face.lines)
		}
		gone(t)
	})
	t.Run("killed", func(t *testing.T) {
		cmd := command(t, "ask", d.path)
		must(t, cmd.Start())
		<-begun
		must(t, cmd.Process.Kill())
		cmd.Wait()
		gone(t)
	})
	t.Run("reads nothing", func(t *testing.T) {
		reading := Server{Pace: quick, Carry: func(ctx context.Context, _ Request, to *Reply) int {
			for ctx.Err() == nil {
				to.Say(strings.Repeat("much ", 1000))
			}
			causes <- context.Cause(ctx)
			return 0
		}}
		d := start(t, reading)
		body, _ := request().encode()
		conn := d.send(t, string(body))
		defer conn.Close()
		gone(t)
	})
}

// TestStopped lets a command say its last word, but not for ever.
func TestStopped(t *testing.T) {
	t.Run("last word", func(t *testing.T) {
		begun := make(chan struct{})
		d := start(t, Server{Carry: func(ctx context.Context, _ Request, to *Reply) int {
			close(begun)
			<-ctx.Done()
			to.Say(context.Cause(ctx).Error())
			return 3
		}})
		go func() { <-begun; d.stop() }()
		shown, exit, err := d.do(t, Request{Command: "rollover"})
		if err != nil || exit != 3 || !slices.Equal(shown, []string{"say the daemon stops"}) {
			t.Errorf("%q, exit %d, %v", shown, exit, err)
		}
		must(t, d.end(t))
		if _, err := os.Lstat(d.path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket: %v", err)
		}
		if _, _, err := d.do(t, Request{Command: "status"}); !errors.Is(err, ErrNone) {
			t.Errorf("afterwards: %v", err)
		}
	})
	t.Run("deaf", func(t *testing.T) {
		begun, end := make(chan struct{}), make(chan struct{})
		d := start(t, Server{Pace: quick, Carry: func(context.Context, Request, *Reply) int {
			close(begun)
			<-end
			return 0
		}})
		go func() { <-begun; d.stop() }()
		_, exit, err := d.do(t, Request{Command: "rollover"})
		want := fmt.Sprintf("control socket: the daemon ended before rollover did (pid %d) (hint: see its log, and tlsaroll status)", os.Getpid())
		if exit != 1 || err == nil || err.Error() != want {
			t.Errorf("exit %d, %v, want %s", exit, err, want)
		}
		select {
		case <-d.done:
			t.Error("Serve left a command behind")
		default:
		}
		close(end)
	})
}

// TestNoMoreClients ends like a daemon that stops, and says why.
func TestNoMoreClients(t *testing.T) {
	l, err := Listen(filepath.Join(socketDir(t), "control.sock"), ownGroup())
	must(t, err)
	begun := make(chan struct{})
	s := Server{Alive: func(context.Context) error { return nil }, Carry: func(ctx context.Context, _ Request, _ *Reply) int {
		close(begun)
		<-ctx.Done()
		return 3
	}}
	served := make(chan error)
	go func() { served <- s.Serve(context.Background(), l) }()
	go func() { <-begun; l.listener.Close() }()
	if exit, err := Do(t.Context(), l.path, Request{Command: "rollover"}, &recorder{}); exit != 3 || err != nil {
		t.Errorf("exit %d, %v", exit, err)
	}
	if err := <-served; !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestTooMany(t *testing.T) {
	begun, end := make(chan struct{}, maxRequests), make(chan struct{})
	d := start(t, Server{Carry: func(context.Context, Request, *Reply) int {
		begun <- struct{}{}
		<-end
		return 0
	}})
	var clients sync.WaitGroup
	for range maxRequests {
		clients.Go(func() {
			if _, exit, err := d.do(t, Request{Command: "rollover"}); exit != 0 || err != nil {
				t.Errorf("exit %d, %v", exit, err)
			}
		})
	}
	for range maxRequests {
		<-begun
	}
	_, exit, err := d.do(t, Request{Command: "status"})
	want := "control socket: the daemon at " + d.path + " refuses: 64 requests are at work already (hint: try again when some have ended)"
	if exit != 1 || err == nil || err.Error() != want {
		t.Errorf("exit %d, %v, want %s", exit, err, want)
	}
	close(end)
	clients.Wait()
	if _, exit, err := d.do(t, Request{Command: "status"}); exit != 0 || err != nil {
		t.Errorf("afterwards: exit %d, %v", exit, err)
	}
}

// TestAliveIsAsked sends signs of life while, and only while, the scheduler gives them.
func TestAliveIsAsked(t *testing.T) {
	t.Run("it works", func(t *testing.T) {
		const beats = 20 // so many take longer than a request may for coming in
		asked := make(chan struct{}, 2*beats)
		d := start(t, Server{
			Pace:  Pace{Beat: quick.Beat, Read: quick.Read},
			Alive: func(context.Context) error { asked <- struct{}{}; return nil },
			Carry: func(ctx context.Context, _ Request, _ *Reply) int {
				for range beats + 1 { // the last may be on its way still
					<-asked
				}
				if ctx.Err() != nil {
					return 1
				}
				return 3
			},
		})
		body, err := request().encode()
		must(t, err)
		if status, answer := d.post(t, string(body)); status != http.StatusOK ||
			!strings.HasPrefix(answer, fmt.Sprintf(`{"kind":"hello","hello":{"protocol":1,"version":"v1.0.0","pid":%d}}`+"\n", os.Getpid())) ||
			strings.Count(answer, `{"kind":"beat"}`+"\n") < beats || !strings.HasSuffix(answer, "\n"+`{"kind":"exit","exit":3}`) {
			t.Errorf("status %d\n%s", status, answer)
		}
	})
	for name, alive := range map[string]func(context.Context) error{
		"it fails": func(context.Context) error { return errors.New("the scheduler has ended") },
		"it hangs": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, Server{Pace: quick, Alive: alive, Carry: func(ctx context.Context, _ Request, _ *Reply) int {
				<-ctx.Done()
				return 0
			}})
			exit, err := Client{Path: d.path, Patience: 15 * quick.Beat}.Do(t.Context(), Request{Command: "rollover"}, &recorder{})
			want := fmt.Sprintf("control socket: the daemon does not answer at %s (hint: see its log and restart it, its pid is %d)", d.path, os.Getpid())
			if !errors.Is(err, ErrWedged) || exit != 1 || err.Error() != want {
				t.Errorf("exit %d, %v, want %s", exit, err, want)
			}
			d.end(t)
			if n := strings.Count(d.log.String(), "the scheduler does not answer"); n != 1 {
				t.Errorf("%d warnings:\n%s", n, d.log)
			}
		})
	}
}
