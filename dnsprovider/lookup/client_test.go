package lookup_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

func TestBadConfig(t *testing.T) {
	good := lookup.Config{Resolver: netip.MustParseAddrPort("127.0.0.1:53"), Now: time.Now}
	tests := []struct {
		change func(*lookup.Config)
		want   string
	}{
		{func(*lookup.Config) {}, ""},
		{func(c *lookup.Config) { c.Resolver = netip.AddrPort{} }, "lookup: resolver: no address and port (hint: name a validating resolver, as in 127.0.0.1:53)"},
		{func(c *lookup.Config) { c.Resolver = netip.MustParseAddrPort("127.0.0.1:0") }, "lookup: resolver: no address and port (hint: name a validating resolver, as in 127.0.0.1:53)"},
		{func(c *lookup.Config) { c.Now = nil }, "lookup: no clock"},
		{func(c *lookup.Config) { c.SelfTestName = "a..b" }, `lookup: self-test name "a..b": no domain name`},
		{func(c *lookup.Config) { c.Timeout = -time.Second }, "lookup: timeout -1s: below zero"},
		{func(c *lookup.Config) { c.Timeout, c.Now = -time.Second, nil }, "lookup: no clock\nlookup: timeout -1s: below zero"},
	}
	for _, test := range tests {
		cfg := good
		test.change(&cfg)
		c, err := lookup.New(cfg)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != test.want || (c == nil) != (test.want != "") {
			t.Errorf("error %q, want %q", got, test.want)
		}
	}
}
