package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/tlsaroll/tlsaroll/rollover/peer"
)

// connect reaches the daemon.
func (c Client) connect(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: cmp.Or(c.Patience, patience)}
	conn, err := dialer.DialContext(ctx, "unix", c.Path)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, at(c.Path, ErrNone, "")
	case errors.Is(err, syscall.EAGAIN): // more wait there than the kernel lets in
		return nil, at(c.Path, ErrWedged, "see its log and restart it")
	case errors.Is(err, fs.ErrPermission):
		return nil, at(c.Path, ErrDenied, "run it as root, or join "+groupOf(c.Path)+" and log in again")
	default:
		return nil, at(c.Path, cause(err), "")
	}
	if err := c.vouch(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// vouch hands no key to a stranger: who listens has to be root, this user, or
// the owner of the directory, as anybody can listen in one like /tmp.
func (c Client) vouch(conn net.Conn) error {
	p, err := peer.Of(conn)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return at(c.Path, cause(err), "")
	}
	dir, err := os.Stat(filepath.Dir(c.Path))
	if err != nil {
		return at(c.Path, cause(err), "")
	}
	owner, _ := ownersOf(dir)
	if p.UID == 0 || p.UID == uint32(os.Geteuid()) || p.UID == owner {
		return nil
	}
	return at(c.Path, fmt.Errorf("uid %d, to whom the directory does not belong, listens", p.UID), "stop its process "+strconv.Itoa(int(p.PID))+", or set another path for control")
}

// groupOf is the group of the socket, as far as it can be told.
func groupOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "the control-group"
	}
	_, gid := ownersOf(info)
	g, err := user.LookupGroupId(strconv.Itoa(int(gid)))
	if err != nil {
		return "group " + strconv.Itoa(int(gid))
	}
	return "group " + g.Name
}
