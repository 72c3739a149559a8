//go:build failpoints

package failpoint

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Variable names what in the environment says where to die: names of points, each with
// # and the how-manieth passing of this process, with semicolons between them.
const Variable = "TLSAROLL_FAILPOINTS"

var (
	mu     sync.Mutex
	passed = map[string]int{}
)

// Here kills the process, and says so before, if the environment names this passing of
// this point.
func Here(point string) {
	plan, planned := os.LookupEnv(Variable)
	if !planned {
		return
	}
	mu.Lock()
	defer mu.Unlock()
	passed[point]++
	now := fmt.Sprintf("%s#%d", point, passed[point])
	for item := range strings.SplitSeq(plan, ";") {
		if item != now {
			continue
		}
		fmt.Fprintf(os.Stderr, "failpoint: %s\n", now)
		_ = unix.Kill(os.Getpid(), unix.SIGKILL) // it cannot fail
		select {}                                // nothing is done after the point
	}
}
