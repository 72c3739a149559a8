package exec_test

import (
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/exec"
)

func Example() {
	_, err := exec.New(exec.Config{
		Name:    "dns",
		Zone:    "example.org",
		Read:    []string{"/usr/local/lib/tlsaroll/zone", "read"},
		Change:  []string{"/usr/local/lib/tlsaroll/zone", "change"},
		Env:     []string{"ACCOUNT=4711"},
		Timeout: 30 * time.Second,
	})
	fmt.Println(err)
	// Output: <nil>
}
