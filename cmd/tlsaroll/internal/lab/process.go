package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A process is a server in the foreground, the leader of a process group.
type process struct {
	name string
	log  string // what it writes about itself; "" where that is kept elsewhere
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read after done
}

const (
	stopPatience  = 5 * time.Second // from SIGTERM to the leader's end
	groupPatience = 3 * time.Second // from the leader's end to that of its children
)

// run starts a server that logs to log, which also receives its stdout and stderr.
func run(name, log string, argv ...string) (*process, error) {
	return runBy((*exec.Cmd).Start, name, log, argv...)
}

// runBy is run with another way to start a process.
func runBy(start func(*exec.Cmd) error, name, log string, argv ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("%s: log: %w", name, err)
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = filepath.Dir(log)
	cmd.Env = []string{"PATH=" + searchPath, "LC_ALL=C", "TZ=UTC"}
	cmd.Stdout, cmd.Stderr = out, out
	p := &process{name: name, log: log, cmd: cmd}
	return p, p.startBy(start)
}

// start starts what cmd has as the leader of a process group.
func (p *process) start() error { return p.startBy((*exec.Cmd).Start) }

func (p *process) startBy(start func(*exec.Cmd) error) error {
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := start(p.cmd); err != nil {
		return fmt.Errorf("%s: start: %w", p.name, err)
	}
	p.done = make(chan struct{})
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	return nil
}

// ended returns an error if the server is no longer there, with the end of its log.
func (p *process) ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s: ended by itself (%s): %s", p.name, exitText(p.err), p.tail(20))
	default:
		return nil
	}
}

func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// tail returns the last lines of the log.
func (p *process) tail(lines int) string {
	if p.log == "" {
		return ""
	}
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// stop ends the server by its process id and makes sure that none of its
// children is left. A server that had ended before, that does not end in time or that
// leaves children behind is an error.
func (p *process) stop() error {
	if err := p.ended(); err != nil {
		return errors.Join(err, p.endGroup())
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: end process %d: %w", p.name, p.cmd.Process.Pid, err)
	}
	// One that is paused would never see the signal; one that has ended meanwhile is no error.
	_ = killGroup(p.cmd.Process.Pid, syscall.SIGCONT)
	select {
	case <-p.done:
		return p.endGroup()
	case <-time.After(stopPatience):
	}
	err := fmt.Errorf("%s: process %d did not end within %s", p.name, p.cmd.Process.Pid, stopPatience)
	return errors.Join(err, killGroup(p.cmd.Process.Pid, syscall.SIGKILL), p.endGroup())
}

// kill ends the server and its children at once. One that had ended before is an error.
func (p *process) kill() error {
	if err := p.ended(); err != nil {
		return errors.Join(err, p.endGroup())
	}
	if err := killGroup(p.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("%s: kill process %d: %w", p.name, p.cmd.Process.Pid, err)
	}
	<-p.done
	return p.endGroup()
}

// endGroup waits for the children of a server that has ended and kills what stays.
func (p *process) endGroup() error {
	pgid := p.cmd.Process.Pid
	ctx, cancel := context.WithTimeout(context.Background(), groupPatience)
	defer cancel()
	err := await(ctx, func(context.Context) error {
		left, err := groupMembers(pgid)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%s: left behind: %s", p.name, strings.Join(left, ", "))
		}
		return err
	})
	if err != nil {
		return errors.Join(err, killGroup(pgid, syscall.SIGKILL))
	}
	return nil
}

// await asks until try has no error or ctx is done; the error is then try's last.
func await(ctx context.Context, try func(context.Context) error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
