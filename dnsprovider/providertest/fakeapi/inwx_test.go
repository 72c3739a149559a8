package fakeapi_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

// TestINWXCode: the codes of RFC 6238, appendix B, with their last six digits.
func TestINWXCode(t *testing.T) {
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		if got := fakeapi.INWXCode("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}
