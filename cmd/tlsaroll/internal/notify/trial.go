package notify

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Tried is what became of a test message.
type Tried struct {
	Outlet string
	Err    error // nil: it was taken
}

// Outlets are the ways of telling that a configuration has, by the names under which they
// are told of.
func Outlets(cfg Config) ([]string, error) {
	outlets, err := outletsOf(cfg)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, o := range outlets {
		names = append(names, o.name)
	}
	return names, nil
}

// Try sends one message through every outlet that is meant, once, and tells of each as it
// ends: all of them for "", else that of a number, as in 1 or notify[1], or those of a kind,
// as in mail or webhook. It gives how many were meant. What people were told does not change.
func Try(ctx context.Context, cfg Config, which string, tell func(Tried)) (int, error) {
	outlets, err := outletsOf(cfg)
	if err != nil {
		return 0, err
	}
	now, meant := cfg.Now(), 0
	test := Message{Event: Trial, Host: cfg.Host, Notice: Notice{Severity: rollover.Info, Since: now.UTC(), Text: "this is a test: whoever gets it is told of warnings, and nothing is wrong"}}
	for i, o := range outlets {
		if which != "" && which != strconv.Itoa(i) && which != "notify["+strconv.Itoa(i)+"]" && !slices.Contains(o.kinds, strings.ToLower(which)) {
			continue
		}
		meant++
		tell(Tried{o.name, send(ctx, o, []letter{{To: o.name, At: now, Message: test}})})
	}
	return meant, nil
}
