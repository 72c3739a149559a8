package certwatch

import (
	"fmt"
	"slices"
	"strings"
)

// dehydratedHooks are the operations that dehydrated calls its hook for, the first of its
// arguments. It may come to know more.
var dehydratedHooks = []string{
	"deploy_cert", "sync_cert", "unchanged_cert", "deploy_challenge", "clean_challenge", "invalid_challenge", "deploy_ocsp",
	"request_failure", "generate_csr", "startup_hook", "exit_hook",
}

// isDehydrated reports whether an argument is the name of an operation. With one that
// nobody has, dehydrated tries before each run whether its hook lets those pass.
func isDehydrated(operation string) bool {
	return slices.Contains(dehydratedHooks, operation) || strings.HasPrefix(operation, "this_hookscript_is_broken")
}

// dehydratedCall reads a call of dehydrated's. It gives its hook an operation and what
// belongs to that: deploy_cert has the pair when its links have been turned, sync_cert
// before that. For all else nothing may be printed, and no failure: dehydrated takes
// the former for an answer and gives up on the latter.
func dehydratedCall(args []string, _ environment, _ bool) (Call, bool, error) {
	if len(args) == 0 {
		return Call{}, false, nil
	}
	for _, known := range []struct {
		operation, arguments string
		key, chain           int
		gate                 bool
	}{
		{"deploy_cert", "DOMAIN KEYFILE CERTFILE FULLCHAINFILE CHAINFILE TIMESTAMP", 2, 4, false},
		{"sync_cert", "KEYFILE CERTFILE FULLCHAINFILE CHAINFILE REQUESTFILE", 1, 3, true},
	} {
		switch {
		case args[0] != known.operation:
		case len(args) <= known.chain || args[known.key] == "" || args[known.chain] == "":
			return Call{}, false, fmt.Errorf("hook: dehydrated's %s lacks arguments, which are %s (hint: hand all on: tlsaroll hook dehydrated \"$@\")", known.operation, known.arguments)
		default:
			return Call{Files: Files{Cert: args[known.chain], Key: args[known.key]}, Gate: known.gate}, true, nil
		}
	}
	return Call{}, true, nil
}

// noArguments refuses arguments for a client that gives its hooks none.
func noArguments(client string, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("hook: %q is one argument too many (hint: %s tells its hooks all by variables)", args[0], client)
	}
	return nil
}
