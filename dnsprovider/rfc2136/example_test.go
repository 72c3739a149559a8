package rfc2136_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A record is added beside what stands there, whoever put it there.
func Example() {
	secret, err := os.ReadFile("/etc/tlsaroll/tsig.secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err := rfc2136.New(rfc2136.Config{
		Server: "ns1.example.org", Zone: "example.org",
		KeyName: "tlsaroll.example.org.", Secret: rfc2136.NewSecret(string(secret)),
		Now: time.Now,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	const owner = tlsa.Owner("_25._tcp.mx1.example.org.")
	before, err := provider.RRset(ctx, "", owner)
	if err != nil {
		fmt.Println(err)
		return
	}
	next, err := tlsa.ParseAssociation("3 1 1 2bb183af2e0ad0b3ec42e0a3aef94b3d4b0d4e0eb2ee3c3dfaf3d9bd1d1c9a1f")
	if err != nil {
		fmt.Println(err)
		return
	}
	after := before.With(next)
	if before.Denial() {
		after.TTL = time.Hour // one that does not exist yet has no TTL to keep
	}
	for _, err := range provider.Apply(ctx, "", []dnsprovider.Change{{Owner: owner, Before: before, After: after}}) {
		fmt.Println(err)
	}
}
