package manual_test

import (
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/manual"
)

func Example() {
	_, err := manual.New(manual.Config{
		Name:   "registrar",
		Zone:   "example.org",
		Server: "ns1.host.example",
		Tell: []manual.Tell{
			manual.Mail("hostmaster@example.org", time.Now),
			manual.Command([]string{"/usr/local/lib/tlsaroll/open-ticket"}),
		},
		Told: "/var/lib/tlsaroll/told-registrar.json",
		Host: "mx1.example.org",
		Now:  time.Now,
	})
	fmt.Println(err)
	// Output: <nil>
}
