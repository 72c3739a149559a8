package certwatch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Errors of [Recognise], for [errors.Is].
var (
	ErrNoHook         = errors.New("the environment names no certificate")
	ErrUnknownClient  = errors.New("unknown client")
	ErrSeveralClients = errors.New("the environment is of several clients")
)

// A Call is what an ACME client called its hook for.
type Call struct {
	Client string // who calls, one of [Clients]
	Files  Files  // the pair that it has got; zero: there is nothing to take
	Reason string // why there is nothing, for people; "": nobody wants to hear of it
	// Gate says that the client gives up where the hook fails, although it calls once more
	// for the same pair when that is in its place.
	Gate bool
}

// Taken reports whether the call is about a pair.
func (c Call) Taken() bool { return c.Files.Cert != "" }

// A caller is a client, and how its calls are told from others'.
type caller struct {
	name string
	// of reads a call; found is false where nothing is the client's. Named says that the
	// operator said whose call it is, so that less is needed to believe it.
	of   func(args []string, env environment, named bool) (c Call, found bool, err error)
	sets string // what it hands its hooks
}

func callers() []caller {
	return []caller{
		{"lego", legoCall, "lego sets LEGO_CERT_PATH and LEGO_CERT_KEY_PATH for its hooks"},
		{"certbot", certbotCall, "certbot sets RENEWED_LINEAGE for its deploy hooks, and for no others"},
		{"acme.sh", acmeShCall, "acme.sh sets CERT_FULLCHAIN_PATH and CERT_KEY_PATH for its reload command"},
		{"dehydrated", dehydratedCall, `dehydrated gives its hook arguments, all of which are to be handed on: tlsaroll hook dehydrated "$@"`},
	}
}

// Clients are the names of the clients whose hooks are known.
func Clients() (names []string) {
	for _, c := range callers() {
		names = append(names, c.name)
	}
	return names
}

// environment is what the hook's process was given.
type environment func(string) (string, bool)

// text is a variable's value, "" where it is not set.
func (e environment) text(name string) string {
	value, _ := e(name)
	return value
}

// Recognise says what an ACME client called its hook for, from the arguments and the
// environment that it gave it. Client restricts it to one; with "" arguments decide,
// where there are any, as nobody inherits these; else the environment, in which the
// variables of more than one client may be set where a hook of one calls another. That
// is an error unless all name the same files, or all but one nothing.
//
// The files are as the client names them, and were not looked at. The error is
// [ErrNoHook] where nothing is a client's, else one of the others.
func Recognise(client string, args []string, lookupEnv func(string) (string, bool)) (Call, error) {
	all := callers()
	env := environment(lookupEnv)
	switch {
	case client != "":
		i := slices.IndexFunc(all, func(c caller) bool { return c.name == client })
		if i < 0 {
			return Call{}, fmt.Errorf("hook: %w %q (hint: there are %s; for others hand over --cert and --key)", ErrUnknownClient, client, strings.Join(Clients(), ", "))
		}
		all = all[i : i+1]
	case len(args) > 0:
		if !isDehydrated(args[0]) {
			return Call{}, fmt.Errorf("hook: %w %q (hint: there are %s; for others hand over --cert and --key)", ErrUnknownClient, args[0], strings.Join(Clients(), ", "))
		}
		all = all[len(all)-1:]
	}
	var calls []Call
	var errs []error
	for _, c := range all {
		call, found, err := c.of(args, env, client != "")
		call.Client = c.name
		switch {
		case err != nil:
			errs = append(errs, err)
		case found:
			calls = append(calls, call)
		}
	}
	if taken := slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return !c.Taken() }); len(taken) > 0 {
		return onlyCall(taken)
	}
	switch {
	case len(errs) > 0:
		return Call{}, errs[0]
	case len(calls) > 0:
		return calls[0], nil
	case client != "":
		return Call{}, fmt.Errorf("hook: %s: %w (hint: %s; else hand over --cert and --key)", client, ErrNoHook, all[0].sets)
	}
	return Call{}, fmt.Errorf("hook: %w (hint: ACME clients set variables for their hooks, as LEGO_CERT_PATH, RENEWED_LINEAGE or CERT_FULLCHAIN_PATH; else hand over --cert and --key)", ErrNoHook)
}

// onlyCall refuses to choose between pairs.
func onlyCall(calls []Call) (Call, error) {
	for _, c := range calls[1:] {
		if c.Files != calls[0].Files {
			return Call{}, fmt.Errorf("hook: %w, %s and %s, and names different pairs (hint: say who calls, as in tlsaroll hook %s)", ErrSeveralClients, calls[0].Client, c.Client, calls[0].Client)
		}
	}
	return calls[0], nil
}

// half is the error for a call that names only one of the two files.
func half(is, lacks, hint string) error {
	return fmt.Errorf("hook: %s is set and %s is not (hint: %s)", is, lacks, hint)
}
