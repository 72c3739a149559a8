package page_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// chromium is a headless browser, spoken to in the DevTools protocol over a pipe: JSON
// messages, each with a zero octet behind it. That is all that is needed of it here, so no
// module is.
type chromium struct {
	t    *testing.T
	out  io.WriteCloser
	said bytes.Buffer // on standard error

	mu      sync.Mutex
	n       int
	replies map[int]chan reply
	events  func(session, method string, params json.RawMessage)
}

type reply struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

// browse starts a browser, or leaves the test out where there is none.
func browse(t *testing.T) *chromium {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("LEFT OUT, what a browser makes of the page: chromium is not installed")
	}
	home := t.TempDir()
	hers, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in, his, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &chromium{t: t, out: out, replies: map[int]chan reply{}, events: func(string, string, json.RawMessage) {}}
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--no-proxy-server",
		"--user-data-dir="+home+"/profile", "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{hers, his}
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	cmd.Stderr = &c.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has many children
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hers.Close()
	his.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.read(in)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		out.Close()
		<-read
		in.Close()
	})
	return c
}

func (c *chromium) read(in io.Reader) {
	for r := bufio.NewReader(in); ; {
		text, err := r.ReadBytes(0)
		if err != nil {
			c.mu.Lock()
			for _, ch := range c.replies {
				close(ch)
			}
			c.replies = nil
			c.mu.Unlock()
			return
		}
		var m struct {
			ID        int
			SessionID string
			Method    string
			Params    json.RawMessage
			reply
		}
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		c.mu.Lock()
		ch, tell := c.replies[m.ID], c.events
		delete(c.replies, m.ID)
		c.mu.Unlock()
		if ch != nil {
			ch <- m.reply
		} else {
			tell(m.SessionID, m.Method, m.Params)
		}
	}
}

// call asks the browser, or one of its tabs, to do something; into may be nil.
func (c *chromium) call(session, method string, params map[string]any, into any) error {
	ch := make(chan reply, 1)
	c.mu.Lock()
	c.n++
	id := c.n
	gone := c.replies == nil
	if !gone {
		c.replies[id] = ch
	}
	c.mu.Unlock()
	if gone {
		return fmt.Errorf("%s: chromium is gone: %s", method, c.said.String())
	}
	text, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params, "sessionId": session})
	if session == "" {
		text, err = json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	}
	if err != nil {
		return err
	}
	if _, err := c.out.Write(append(text, 0)); err != nil {
		return err
	}
	select {
	case r, ok := <-ch:
		switch {
		case !ok:
			return fmt.Errorf("%s: chromium is gone: %s", method, c.said.String())
		case r.Error != nil:
			return fmt.Errorf("%s: %s", method, r.Error.Message)
		case into != nil:
			return json.Unmarshal(r.Result, into)
		}
		return nil
	case <-time.After(time.Minute):
		return fmt.Errorf("%s: chromium does not answer", method)
	}
}

// tab is one page in the browser, with what went wrong on it.
type tab struct {
	*chromium
	session string

	mu     sync.Mutex
	faults []string
	loaded chan struct{}
}

func (c *chromium) tab() *tab {
	c.t.Helper()
	var target struct{ TargetID string }
	var session struct{ SessionID string }
	tb := &tab{chromium: c, loaded: make(chan struct{}, 1)}
	c.must("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	c.must("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	tb.session = session.SessionID
	c.mu.Lock()
	c.events = tb.event
	c.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		c.must(tb.session, domain+".enable", nil, nil)
	}
	return tb
}

func (c *chromium) must(session, method string, params map[string]any, into any) {
	c.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	if err := c.call(session, method, params, into); err != nil {
		c.t.Fatal(err)
	}
}

// event notes what a person would see in the console.
func (tb *tab) event(session, method string, params json.RawMessage) {
	if session != tb.session {
		return
	}
	switch method {
	case "Page.loadEventFired":
		select {
		case tb.loaded <- struct{}{}:
		default:
		}
	case "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled":
		tb.mu.Lock()
		tb.faults = append(tb.faults, string(params))
		tb.mu.Unlock()
	}
}

// trouble is what went wrong since it was last asked for.
func (tb *tab) trouble() string {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	all := strings.Join(tb.faults, "\n")
	tb.faults = nil
	return all
}

// open loads a page.
func (tb *tab) open(url string) {
	tb.t.Helper()
	select {
	case <-tb.loaded:
	default:
	}
	tb.must(tb.session, "Page.navigate", map[string]any{"url": url}, nil)
	select {
	case <-tb.loaded:
	case <-time.After(time.Minute):
		tb.t.Fatalf("%s is not loaded", url)
	}
}

// look sets how wide the window is, and the scheme of colours.
func (tb *tab) look(width int, scheme string) {
	tb.t.Helper()
	tb.must(tb.session, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	tb.must(tb.session, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}}}, nil)
}

// eval is what an expression comes to, as text.
func (tb *tab) eval(expression string) string {
	tb.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Text string }
	}
	tb.must(tb.session, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		tb.t.Fatalf("%s: %s", expression, r.ExceptionDetails.Text)
	}
	return fmt.Sprint(r.Result.Value)
}

// until waits for an expression to be true.
func (tb *tab) until(expression string) {
	tb.t.Helper()
	for end := time.Now().Add(time.Minute); tb.eval(expression) != "true"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			tb.t.Fatalf("it never came to %s", expression)
		}
	}
}

// shoot takes a picture of the whole page.
func (tb *tab) shoot(file string) {
	tb.t.Helper()
	var shot struct{ Data []byte }
	tb.must(tb.session, "Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot)
	if err := os.WriteFile(file, shot.Data, 0o600); err != nil {
		tb.t.Fatal(err)
	}
}
