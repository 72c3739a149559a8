package installer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
	"github.com/tlsaroll/tlsaroll/rollover/peer"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestInstaller: a pair that is adopted, two that are installed after each other, and a
// reload that fails: the daemon hears what a swap of its own would have said.
func TestInstaller(t *testing.T) {
	w := newWorld(t)
	c := w.serves()
	live := func(want string) {
		t.Helper()
		if got, err := c.Installed(); got != want || err != nil {
			t.Errorf("%.8q is live, want %.8q: %v", got, want, err)
		}
	}
	live("")
	served, first := w.pair("mx1.example.org", "mx2.example.org")
	if err := c.Adopt(served); err != nil {
		t.Fatal(err)
	}
	live(string(first.ID()))
	w.holds("")
	last := first
	for range 2 {
		entry, p := w.pair("mx1.example.org")
		r, err := c.Switch(t.Context(), entry)
		if err != nil || r.Previous != string(last.ID()) || !slices.Equal(r.Changed, []string{w.site.Host.Install[0].Path, w.site.Host.Live}) {
			t.Fatal(err, r)
		}
		live(string(p.ID()))
		w.holds(string(p.ID()))
		kept, err := w.site.stash().List()
		if want := sorted(last.ID(), p.ID()); err != nil || !slices.Equal(kept, want) {
			t.Errorf("kept are %v, want %v: %v", kept, want, err)
		}
		last = p
	}
	if w.onRun = func() error { return errors.New("exit status 1") }; len(w.commands) != 2 {
		t.Errorf("it ran %q", w.commands)
	}
	entry, p := w.pair("mx1.example.org")
	_, err := c.Switch(t.Context(), entry)
	var failed *swap.Error
	if want := "mx1: reload: reload mx1: exit status 1"; !errors.As(err, &failed) || !failed.Switched || failed.Step != swap.StepReload || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	live(string(p.ID()))
	if log := w.logged(); strings.Contains(log, "PRIVATE KEY") || strings.Count(log, "installer: done") != 3 || !strings.Contains(log, "peer.uid=4711") {
		t.Errorf("it logs\n%s", log)
	}
}

func sorted(ids ...tlsa.ChainID) []tlsa.ChainID {
	slices.Sort(ids)
	return ids
}

// TestInstallerSweeps: no key stays behind of a request in which the power went.
func TestInstallerSweeps(t *testing.T) {
	w := newWorld(t)
	c := w.serves()
	half := filepath.Join(w.site.stash().Dir, ".tmp-1234")
	if err := errors.Join(os.MkdirAll(half, 0o700), os.WriteFile(filepath.Join(half, "privkey.pem"), []byte("planted"), 0o600)); err != nil {
		t.Fatal(err)
	}
	entry, p := w.pair("mx1.example.org")
	if _, err := c.Switch(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
	w.holds(string(p.ID()))
	if left, err := os.ReadDir(w.site.stash().Dir); len(left) != 1 || err != nil {
		t.Errorf("left are %v: %v", left, err)
	}
}

// TestInstallerRefuses: what is not the daemon's to have is not done.
func TestInstallerRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		arm  func(w *world, c *Client)
		mail string // whose certificate it is; "": the lineage's
		want string
	}{
		{"another user", func(w *world, _ *Client) {
			w.server.peer = func(net.Conn) (peer.Process, error) { return peer.Process{UID: 12, PID: 99}, nil }
		}, "", "uid 12 may not ask (hint: set installer-user to the daemon's user)"},
		{"nobody knows who", func(w *world, _ *Client) {
			w.server.peer = func(net.Conn) (peer.Process, error) { return peer.Process{}, errors.New("no socket") }
		}, "", "nobody knows who asks: no socket"},
		{"another lineage", func(_ *world, c *Client) { c.Lineage = "mx2" }, "", `no lineage "mx2" (hint: the configuration has: mx1)`},
		{"another name", func(*world, *Client) {}, "www.example.net", `lineage mx1: certificate of "www.example.net": not for "mx1.example.org" (hint: add the name to the next order)`},
		{"a configuration that is no good", func(w *world, _ *Client) {
			w.server.Rules = func() (Rules, error) { return Rules{}, errors.New("tlsaroll.yaml:3:1: oh") }
		}, "", "tlsaroll.yaml:3:1: oh"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			c := Client{}
			if test.mail == "" {
				test.mail = "mx1.example.org"
			}
			entry, _ := w.pair(test.mail)
			test.arm(w, &c)
			lineage := c.Lineage
			if c = w.serves(); lineage != "" {
				c.Lineage = lineage
			}
			_, err := c.Switch(t.Context(), entry)
			var failed *swap.Error
			if want := c.Lineage + ": load: the installer refuses: " + test.want; !errors.As(err, &failed) || failed.Switched || err.Error() != want {
				t.Errorf("%v\nwant %s", err, want)
			}
			if err := c.Adopt(entry); err == nil {
				t.Error("it is adopted")
			}
			w.holds("")
			if ids, err := w.site.stash().List(); len(ids) > 0 || err != nil || len(w.commands) > 0 {
				t.Errorf("kept are %v, and it ran %q: %v", ids, w.commands, err)
			}
		})
	}
}

// TestInstallerRefusesPairs: what comes is looked at again, whoever sent it.
func TestInstallerRefusesPairs(t *testing.T) {
	w := newWorld(t)
	c := w.serves()
	_, one := w.pair("mx1.example.org")
	_, other := w.pair("mx1.example.org")
	for name, q := range map[string]request{
		"a key of another":   {protocol, verbSwitch, "mx1", one.ID(), one.ChainPEM(), other.Key.PEM()},
		"a chain of another": {protocol, verbSwitch, "mx1", one.ID(), other.ChainPEM(), other.Key.PEM()},
		"no chain":           {protocol, verbAdopt, "mx1", one.ID(), []byte("planted"), one.Key.PEM()},
		"a way out":          {protocol, verbSwitch, "mx1", "../../x", one.ChainPEM(), one.Key.PEM()},
	} {
		if r, err := c.ask(t.Context(), q); err != nil || r.Refused == "" || strings.Contains(r.Refused, "planted") {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	w.holds("")
	if found, err := filepath.Glob(filepath.Join(w.site.State, "*", "*")); len(found) > 0 || err != nil {
		t.Errorf("kept are %v: %v", found, err)
	}
}

// TestInstallerOften: servers do not reload all the time, and questions are free.
func TestInstallerOften(t *testing.T) {
	w := newWorld(t)
	at := now
	w.server.Now = func() time.Time { return at }
	c := w.serves()
	entry, _ := w.pair("mx1.example.org")
	for i := range burst + 2 {
		if i > burst {
			at = at.Add(every) // the server waits for a request meanwhile
		}
		_, err := c.Switch(t.Context(), entry)
		if (err != nil) != (i == burst) || err != nil && !strings.Contains(err.Error(), "asked for too often: 6 times in a row") {
			t.Errorf("the %d. time: %v", i+1, err)
		}
		if _, err := c.Installed(); err != nil {
			t.Error(err)
		}
	}
}

// TestInstallerTorn: a connection that is lost leaves nothing in doubt for longer than until
// the next question is answered.
func TestInstallerTorn(t *testing.T) {
	w := newWorld(t)
	rules, door := w.server.Rules, sync.Mutex{}
	w.server.Rules = func() (Rules, error) { // before anything is read
		door.Lock()
		defer door.Unlock()
		return rules()
	}
	c := w.serves()
	entry, p := w.pair("mx1.example.org")

	// In the middle of the request: nothing was asked for.
	half := encode(request{protocol, verbSwitch, "mx1", p.ID(), p.ChainPEM(), p.Key.PEM()})
	for _, cut := range []int{0, 1, len(half) / 2, len(half) - 1} {
		conn, err := net.Dial("unix", w.socket)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(half[:cut]); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	// Before it was begun: it is not begun any more.
	door.Lock()
	conn, err := net.Dial("unix", w.socket)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Write(half)
	conn.Close()
	door.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Installed(); got != "" || err != nil {
		t.Errorf("%.8q is live: %v", got, err)
	}

	// In the middle of the swap: it is carried out, and the next answer comes after it.
	begun, let := make(chan struct{}), make(chan struct{})
	w.onRun = func() error { close(begun); <-let; return nil }
	ctx, cancel := context.WithCancel(t.Context())
	lost := make(chan error, 1)
	go func() {
		_, err := c.Switch(ctx, entry)
		lost <- err
	}()
	<-begun
	cancel()
	if err := <-lost; !errors.Is(err, ErrUnknown) {
		t.Errorf("%v, and it is not known whether it was done", err)
	}
	answered := make(chan error, 1)
	go func() {
		got, err := c.Installed()
		if err == nil && got != string(p.ID()) {
			err = fmt.Errorf("%.8q is live", got)
		}
		answered <- err
	}()
	close(let)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	w.holds(string(p.ID()))
}

// TestClientAlone: where nobody listens nothing was done, and that is known.
func TestClientAlone(t *testing.T) {
	w := newWorld(t)
	c := Client{Socket: w.socket, Lineage: "mx1", Patience: time.Second}
	entry, _ := w.pair("mx1.example.org")
	_, err := c.Switch(t.Context(), entry)
	var failed *swap.Error
	if !errors.As(err, &failed) || failed.Switched || errors.Is(err, ErrUnknown) {
		t.Errorf("%v", err)
	}
	if _, err := c.Installed(); err == nil || !strings.Contains(err.Error(), "(hint: systemctl status tlsaroll-installer.socket)") {
		t.Error(err)
	}
	if _, err := c.Switch(t.Context(), filepath.Join(w.dir, "nowhere", strings.Repeat("0", 64))); errors.Is(err, ErrUnknown) || err == nil {
		t.Error(err)
	}
	if pairs := c.Pairs(); pairs != nil {
		t.Errorf("it reads %v", pairs)
	}
}
