package agent

import (
	"errors"
	"sync"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// A failure is what is remembered of an action that failed, or of a copy that could not be
// read.
type failure struct {
	text  string
	tries int
	again time.Time // not before then
}

// A failure is tried again later each time, up to a minute, and after the first ten tries,
// about six minutes, every five: whoever is in trouble for that long is not helped by being
// asked. A person who has to change the zone is waited for all the time.
const (
	soonTries = 10
	soonMost  = time.Minute
	laterOn   = 5 * time.Minute
)

// next is the failure after another try that failed.
func (f failure) next(err error, now time.Time) failure {
	f.text = err.Error()
	f.tries++
	wait := min(time.Second<<min(f.tries, soonTries), soonMost)
	var byHand *dnsprovider.ByHandError
	if f.tries > soonTries && !errors.As(err, &byHand) {
		wait = laterOn
	}
	f.again = now.Add(wait)
	return f
}

// longestRest is how long a host is left alone that asks for it: one that asks for days may
// be wrong.
const longestRest = time.Hour

// rests are the providers whose hosts asked to be left alone. They are asked for nothing
// until then, whichever group wants it: the host counts what an account asks.
type rests struct {
	mu sync.Mutex
	at map[string]rest // by provider
}

type rest struct {
	until time.Time
	err   error
}

// heed takes in what an error of a provider says.
func (r *rests) heed(provider string, err error, now time.Time) {
	pause := min(dnsprovider.PauseOf(err), longestRest)
	if pause <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = map[string]rest{}
	}
	if until := now.Add(pause); until.After(r.at[provider].until) {
		r.at[provider] = rest{until, err}
	}
}

// of is why a provider is not asked now, nil if it may be.
func (r *rests) of(provider string, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rest := r.at[provider]; now.Before(rest.until) {
		return rest.err
	}
	return nil
}
