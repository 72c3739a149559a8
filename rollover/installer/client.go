package installer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
	"github.com/tlsaroll/tlsaroll/rollover/peer"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// ErrUnknown says that nobody knows whether what was asked for was done: the connection
// was lost. The next answer about what is installed tells.
var ErrUnknown = errors.New("whether it was done is not known")

// Client asks the installer about one lineage: it is the agent's host where the agent may
// not write what servers read. A pair is named by its entry in the agent's stash.
type Client struct {
	Socket   string
	Lineage  string
	Patience time.Duration // with a switch, see [Site.Patience]
}

// askPatience is how long an answer is waited for that takes no time, unless the
// installer is at work for another lineage.
const askPatience = 10 * time.Second

// Installed is the entry that is live, "" if there is none.
func (c Client) Installed() (entry string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), askPatience)
	defer cancel()
	r, err := c.ask(ctx, request{Protocol: protocol, Verb: verbInstalled, Lineage: c.Lineage})
	switch {
	case err != nil:
		return "", err
	case r.Refused != "":
		return "", errors.New("the installer refuses: " + r.Refused)
	}
	return string(r.Entry), nil
}

// Pairs is empty: who may not read the installed files takes none over.
func (c Client) Pairs() []swap.Files { return nil }

// Adopt has an entry called the live one.
func (c Client) Adopt(entry string) error {
	_, err := c.act(context.Background(), verbAdopt, entry)
	return err
}

// Switch has an entry installed and the servers reloaded. An error is [ErrUnknown], or a
// [swap.Error] as it came.
func (c Client) Switch(ctx context.Context, entry string) (swap.Result, error) {
	return c.act(ctx, verbSwitch, entry)
}

func (c Client) act(ctx context.Context, what verb, entry string) (swap.Result, error) {
	id := tlsa.ChainID(filepath.Base(entry))
	pair, err := certwatch.Stash{Dir: filepath.Dir(entry)}.Get(id)
	if err != nil {
		return swap.Result{}, c.notBegun(err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	r, err := c.ask(ctx, request{protocol, what, c.Lineage, id, pair.ChainPEM(), pair.Key.PEM()})
	switch {
	case errors.Is(err, ErrUnknown):
		return swap.Result{}, fmt.Errorf("%s: %w", c.Lineage, err)
	case err != nil:
		return swap.Result{}, c.notBegun(err)
	}
	return r.result(c.Lineage)
}

// notBegun is the error of what was not even asked for.
func (c Client) notBegun(err error) error {
	return &swap.Error{Lineage: c.Lineage, Step: swap.StepLoad, Err: err}
}

// ask sends a request and waits for the answer. From the first octet that is sent the
// error is [ErrUnknown].
func (c Client) ask(ctx context.Context, q request) (reply, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.Socket)
	if err != nil {
		return reply{}, fmt.Errorf("installer: %w (hint: systemctl status tlsaroll-installer.socket)", err)
	}
	defer conn.Close()
	if err := vouch(conn); err != nil {
		return reply{}, fmt.Errorf("installer: %s: %w", c.Socket, err)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(longAgo) })()
	line := encode(q)
	if len(line) > maxLine {
		return reply{}, fmt.Errorf("installer: %w (hint: is the certificate's file what it should be?)", errLong)
	}
	_, unsent := conn.Write(line)
	r, err := readReply(conn) // who refuses may do so before the request is there
	if err != nil {
		return reply{}, fmt.Errorf("installer: the connection was lost: %w: %w", ErrUnknown, cmp.Or(ctx.Err(), unsent, err))
	}
	return r, nil
}

// vouch hands no key to a stranger: who listens is root, or whoever we are.
func vouch(conn net.Conn) error {
	p, err := peer.Of(conn)
	if err != nil {
		return err
	}
	if p.UID != 0 && p.UID != uint32(os.Geteuid()) {
		return fmt.Errorf("uid %d listens, and not root (hint: systemctl status tlsaroll-installer.socket)", p.UID)
	}
	return nil
}

// longAgo is a deadline that has passed: it ends a read or a write at once.
var longAgo = time.Unix(1, 0)
