package exec_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/exec"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

const (
	zone  = "example.org."
	token = "c2VjcmV0/of+the%host"
)

// host is a DNS host whose API speaks the commands' schema. It compares and sets in one step.
type host struct {
	t      *testing.T
	zone   *fakeapi.Zone
	minTTL int
	mu     sync.Mutex
}

func (h *host) Kind(r *http.Request) fakeapi.RequestKind {
	if r.URL.Path == "/change" {
		return fakeapi.Change
	}
	return fakeapi.Listing
}

func (h *host) Problem(w http.ResponseWriter, status int) {
	http.Error(w, "the host says no to\n"+zone, status)
}

type asked struct {
	Version int
	Zone    string
	Owners  []string
	Changes []struct {
		Owner, Type                string
		TTL                        int
		Before, After, Add, Remove []string
	}
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var a asked
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil || a.Version != 1 || a.Zone != zone || r.Header.Get("Authorization") != "Bearer "+token {
		h.t.Errorf("the request is %+v, %v", a, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	reply := map[string]any{"version": 1, "x-unknown": []int{1}}
	if r.URL.Path == "/read" {
		records := []any{}
		for _, one := range h.zone.Records("", "") {
			records = append(records, map[string]any{"name": one.Name, "type": one.Type, "ttl": one.TTL, "data": one.Data, "id": one.ID})
		}
		if len(a.Owners) == 0 {
			h.t.Error("asked about no owner")
		}
		reply["whole"], reply["records"] = true, records
	} else {
		results := []any{}
		for _, c := range a.Changes {
			results = append(results, h.set(c.Owner, c.Type, c.TTL, c.Before, c.After, c.Add, c.Remove))
		}
		slices.Reverse(results)
		reply["results"] = results
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply)
}

// set does what a change asks for. That the four lists fit is held to here.
func (h *host) set(owner, rrtype string, ttl int, before, after, add, remove []string) map[string]string {
	var want []string
	for _, d := range before {
		if !slices.Contains(remove, d) {
			want = append(want, d)
		}
	}
	want = append(want, add...)
	slices.Sort(want)
	if slices.Sort(after); !slices.Equal(want, after) || before == nil || after == nil || add == nil || remove == nil || len(after) > 0 && ttl == 0 {
		h.t.Errorf("%s: before %q, after %q, add %q, remove %q, ttl %d", owner, before, after, add, remove, ttl)
	}
	var stands []string
	for _, r := range h.zone.Records(owner, rrtype) {
		stands = append(stands, r.Data)
	}
	slices.Sort(stands)
	if slices.Sort(before); !slices.Equal(stands, before) {
		return map[string]string{"owner": owner, "status": "conflict", "message": fmt.Sprintf("there stand %d", len(stands))}
	}
	h.zone.Replace(owner, rrtype, max(ttl, h.minTTL), after...)
	return map[string]string{"owner": owner, "status": "done"}
}

// newHost makes a host and a provider with commands that speak to it.
func newHost(t *testing.T) (*host, *fakeapi.Server, *exec.Provider) {
	t.Helper()
	h := &host{t: t, zone: fakeapi.NewZone(zone), minTTL: 60}
	server := fakeapi.NewServer(h.zone, h)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := exec.New(exec.Config{
		Zone: "Example.ORG", Read: []string{self, asCommand, "read"}, Change: []string{self, asCommand, "change"},
		// With the race detector a program waits a second at its end, if it is not told otherwise.
		Env: []string{"API_URL=" + web.URL, "API_TOKEN=" + token, "GORACE=atexit_sleep_ms=0"}, Timeout: 20 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, server, p
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		h, server, p := newHost(t)
		f := server.Fixture()
		f.Provider, f.MinTTL, f.Secrets = p, time.Duration(h.minTTL)*time.Second, []string{token, strings.ReplaceAll(token, "/", "%2F")}
		return f
	})
}

func TestTXT(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		_, server, p := newHost(t)
		f := server.TXTFixture()
		f.Provider = p
		return f
	})
}
