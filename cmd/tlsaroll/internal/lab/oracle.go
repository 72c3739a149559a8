package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
)

// Ask runs a DANE client of [Options.Oracles] to its end, where the resolver with that
// index is the system's, and returns all that it said and its exit status.
func (l *Lab) Ask(ctx context.Context, resolver int, program string, args ...string) (said string, status int, err error) {
	s := l.senders[resolver]
	var out bytes.Buffer
	cmd := exec.Command(l.programs[program], args...)
	cmd.Env = []string{"PATH=" + searchPath, "LC_ALL=C", "TZ=UTC"}
	cmd.Dir = s.config
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = senderAttr()
	if err := s.thread.start(cmd); err != nil {
		return "", 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakePatience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = killGroup(cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	err = cmd.Wait()
	said = strings.TrimSpace(out.String())
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return said, 0, fmt.Errorf("%s: killed: %w", program, ctx.Err())
	case errors.As(err, &exit) && exit.Exited():
		return said, exit.ExitCode(), nil
	case err != nil:
		return said, 0, fmt.Errorf("%s: %w", program, err)
	}
	return said, 0, nil
}
