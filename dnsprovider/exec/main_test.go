package exec_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes the test program a command of the provider where it is called as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == asCommand {
		os.Exit(command(os.Args[2], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}
