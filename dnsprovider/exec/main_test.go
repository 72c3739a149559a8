package exec_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// whole has the whole suite run on the scripts of the examples, of which each call takes
// some processes; and not only what depends on them.
var whole = flag.Bool("whole", false, "run the whole suite of providers on the examples' scripts")

// TestMain makes the test program a command of the provider where it is called as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == asCommand {
		os.Exit(command(os.Args[2], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}
