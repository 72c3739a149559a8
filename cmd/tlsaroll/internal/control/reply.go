package control

import (
	"net/http"
	"sync"
	"time"
)

// Face shows what a command says.
type Face interface {
	Result(line string) // on standard output
	Say(line string)    // on standard error
	Stick(line string)  // on standard error, until the next line replaces it
	Unstick()           // leaves the line that sticks where it is
}

// Reply takes what a command says to the client, at once. If that has gone, or takes
// nothing in for long, what is said is dropped and Carry's context ends. It is safe for
// concurrent use.
type Reply struct {
	w     http.ResponseWriter
	limit time.Duration // for one write
	gone  func()

	mu   sync.Mutex
	over bool
}

var _ Face = (*Reply)(nil)

// Result is a line for standard output.
func (r *Reply) Result(line string) { r.send(frame{Kind: kindResult, Text: line}) }

// Say is a line for standard error.
func (r *Reply) Say(line string) { r.send(frame{Kind: kindSay, Text: line}) }

// Stick is a line for standard error that the next one replaces.
func (r *Reply) Stick(line string) { r.send(frame{Kind: kindStick, Text: line}) }

// Unstick leaves the line that sticks where it is.
func (r *Reply) Unstick() { r.send(frame{Kind: kindUnstick}) }

// longAgo is a deadline that has passed: it ends a write at once.
var longAgo = time.Unix(1, 0)

// send reports whether the frame is on its way.
func (r *Reply) send(f frame) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false
	}
	control := http.NewResponseController(r.w)
	// A timer, as a deadline ahead would need the clock.
	stuck := time.AfterFunc(r.limit, func() { _ = control.SetWriteDeadline(longAgo) })
	_, err := r.w.Write(f.encode())
	if err == nil {
		err = control.Flush()
	}
	if !stuck.Stop() || err != nil {
		r.over = true
		r.gone()
		return false
	}
	r.over = f.Kind == kindExit // nothing comes after it, not even a sign of life
	return true
}

// close drops what is said from now on: the connection is no longer ours.
func (r *Reply) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
}
