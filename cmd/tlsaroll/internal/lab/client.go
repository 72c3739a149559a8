package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A ClientKind is a program that gets certificates.
type ClientKind string

// Kinds of clients: Debian's, and two that .ci/run builds where it can.
const (
	DebianLego ClientKind = "lego"
	Lego4      ClientKind = "lego-v4.35.2"
	Lego5      ClientKind = "lego-v5.3.1"
	Certbot    ClientKind = "certbot"
	Dehydrated ClientKind = "dehydrated"
)

// A Client is a real ACME client on the lab's host. It has directories of its own, gets
// certificates of mx1.example.org from Pebble by dns-01, and calls a hook for each.
type Client struct {
	Kind      ClientKind
	Dir       string // all that it has
	Cert, Key string // where it leaves the chain and its key

	lab          *Lab
	program      string
	env          []string
	first, again [][]string // what is called for the first certificate, and for the next ones
	orders       int
}

// clientPatience is what a client may take, its hook included.
const clientPatience = time.Minute

// Client is a client of some kind whose hook is an argument list without blanks, of which
// the last is to be its own name. The test is left out, loudly, where it is one of those
// that are built and it is not there.
func (l *Lab) Client(t testing.TB, kind ClientKind, hook ...string) *Client {
	t.Helper()
	c := &Client{Kind: kind, lab: l, Dir: l.path(string(kind)), program: l.programs[string(kind)]}
	if kind == Lego4 || kind == Lego5 {
		var err error
		if c.program, err = built(string(kind), "lego"); err != nil {
			t.Skipf("LEFT OUT, a test with a real client: no %s (hint: .ci/run builds it)", kind)
		}
	}
	prepare := map[ClientKind]func(hook []string) error{
		DebianLego: c.prepareLego4, Lego4: c.prepareLego4, Lego5: c.prepareLego5, Certbot: c.prepareCertbot, Dehydrated: c.prepareDehydrated,
	}[kind]
	if err := errors.Join(os.Mkdir(c.Dir, 0o700), prepare(hook)); err != nil {
		t.Fatalf("lab: %s: %v", kind, err)
	}
	return c
}

// Order has the client get a certificate, its first or the next one, and returns what it
// left. That it ends with another exit code than 0 fails the test.
func (c *Client) Order(t testing.TB) *Pair {
	t.Helper()
	commands := c.again
	if c.orders == 0 {
		commands = c.first
	}
	c.orders++
	begun := time.Now()
	for _, argv := range commands {
		out, err := c.run(t.Context(), argv)
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
		}
	}
	t.Logf("%s: order %d took %s", c.Kind, c.orders, time.Since(begun).Round(time.Millisecond))
	p, err := ReadPair(c.Cert, c.Key)
	if err != nil {
		t.Fatalf("%s: %v", c.Kind, err)
	}
	if err := c.lab.Secrets().PlantKey(fmt.Sprintf("the key of %s's order %d", c.Kind, c.orders), p.Key); err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs a command on the lab's host, which asks the lab's resolver.
func (c *Client) run(ctx context.Context, argv []string) (string, error) {
	var out bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = c.Dir
	cmd.Env = append([]string{"PATH=" + searchPath, "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=" + c.Dir}, c.env...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = senderAttr()
	cmd.WaitDelay = groupPatience // where a child of it holds its output open
	if err := c.lab.host.start(cmd); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, clientPatience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = killGroup(cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	err := cmd.Wait()
	if ctx.Err() != nil {
		err = fmt.Errorf("killed: %w", ctx.Err())
	}
	return out.String(), err
}

// startHost makes the thread of the programs that run on the lab's host.
func (l *Lab) startHost() (err error) {
	if l.Pebble == nil {
		return nil
	}
	file := l.path("resolv.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, senderResolvConf, l.Resolver.Addr()), 0o644); err != nil {
		return err
	}
	l.host, err = newThread(func() error { return enterNamespace(file) })
	return err
}
