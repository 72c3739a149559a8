package lab

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// A thread starts processes from one operating system thread, because a child's
// mount namespace is that of the thread that started it.
type thread struct {
	calls chan func()
	quit  chan struct{} // closed to end it
	gone  chan struct{} // closed when it has ended
}

// newThread runs setup on the new thread.
func newThread(setup func() error) (*thread, error) {
	th := &thread{calls: make(chan func()), quit: make(chan struct{}), gone: make(chan struct{})}
	ready := make(chan error)
	go th.loop(setup, ready)
	if err := <-ready; err != nil {
		return nil, err
	}
	return th, nil
}

// loop ends without unlocking, which ends the operating system thread with all
// that was done to it.
func (th *thread) loop(setup func() error, ready chan<- error) {
	runtime.LockOSThread()
	if threadID() == os.Getpid() {
		// The main thread stands for the whole process and cannot be ended.
		// While this goroutine keeps it, the next one gets another.
		passed := make(chan error)
		go th.loop(setup, passed)
		err := <-passed
		runtime.UnlockOSThread()
		ready <- err
		return
	}
	defer close(th.gone)
	err := setup()
	ready <- err
	if err != nil {
		return
	}
	for {
		select {
		case call := <-th.calls:
			call()
		case <-th.quit:
			return
		}
	}
}

// start starts cmd from the thread; anyone may wait for it.
func (th *thread) start(cmd *exec.Cmd) error {
	result := make(chan error, 1)
	select {
	case th.calls <- func() { result <- cmd.Start() }:
		return <-result
	case <-th.quit:
		return fmt.Errorf("%s: the lab has ended", cmd.Path)
	}
}

// end ends the thread. The processes it started are told to end when it does.
func (th *thread) end() {
	close(th.quit)
	<-th.gone
}
