package libdnsbridge_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

// internet leads to the servers of the tests. The modules have the names of their hosts built
// in, and most use the transport of net/http, which reads its proxy from the environment once.
var internet *fakeapi.Internet

// online is a run of tests with the internet.
type online struct{ *testing.M }

func (m online) Run() int {
	dir, err := os.MkdirTemp("", "libdnsbridge")
	if err == nil {
		internet, err = fakeapi.NewInternet(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, e := range internet.Env() {
		name, value, _ := strings.Cut(e, "=")
		os.Setenv(name, value)
	}
	code := m.M.Run()
	http.DefaultClient.CloseIdleConnections()
	internet.Close()
	os.RemoveAll(dir)
	return code
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(online{m}) }
