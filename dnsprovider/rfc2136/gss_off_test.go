//go:build !gsstsig

package rfc2136_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
)

// TestWithoutGSS: a program that is built without says so, whatever the settings are.
func TestWithoutGSS(t *testing.T) {
	_, err := rfc2136.New(rfc2136.Config{Server: "ns1.example.org", Now: time.Now, GSS: &rfc2136.GSS{}})
	want := "rfc2136: GSS-TSIG: this program was built without it (hint: build it with -tags gsstsig)"
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}
