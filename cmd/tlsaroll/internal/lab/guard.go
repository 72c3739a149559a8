package lab

import (
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

// A guard ends the servers of a lab whose process was killed: it is an xargs
// that gets the process groups as arguments and runs kill when its input ends. The
// kernel's parent death signal does not do here, as it is lost when a server
// changes its user, as Postfix does.
type guard struct {
	cmd   *exec.Cmd
	input io.WriteCloser
}

func newGuard() (*guard, error) {
	cmd := exec.Command("xargs", "--no-run-if-empty", "kill", "-KILL", "--")
	cmd.Env = []string{"PATH=" + searchPath, "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // out of reach of the terminal's ^C
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	return &guard{cmd, input}, nil
}

// over puts a process group under guard.
func (g *guard) over(pgid int) error {
	if _, err := fmt.Fprintf(g.input, "-%d\n", pgid); err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	return nil
}

// dismiss ends the guard without its doing anything.
func (g *guard) dismiss() error {
	if err := g.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	_ = g.cmd.Wait() // of which the signal is the result
	return nil
}
