package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// gauge counts how many are at something at once.
type gauge struct{ now, top atomic.Int32 }

// enter takes a second.
func (g *gauge) enter() {
	g.top.Store(max(g.now.Add(1), g.top.Load()))
	time.Sleep(time.Second)
	g.now.Add(-1)
}

// inTransit is a network whose every request takes a second.
type inTransit struct{ gauge }

func (n *inTransit) RoundTrip(*http.Request) (*http.Response, error) {
	n.enter()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// TestTwoInFlight: clients of one account have two requests on their way at most.
func TestTwoInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, account := &inTransit{}, dnsprovider.NewAccount(dnsprovider.DefaultInFlight)
		var wg sync.WaitGroup
		for range 5 {
			c := api.NewClient(api.Client{Account: account, Transport: network})
			wg.Go(func() {
				if _, trouble := c.Do(t.Context(), http.MethodGet, "https://api.example.net", nil, nil); trouble != nil {
					t.Error(trouble)
				}
			})
		}
		wg.Wait()
		if top := network.top.Load(); top != dnsprovider.DefaultInFlight {
			t.Errorf("%d at once", top)
		}
	})
}

// TestOneAtATime: two changes of a zone never overlap, and the second looks when the first is made.
// The changes of two zones may.
func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zones := map[string]*host{"example.org.": newHost(1), "example.net.": {zone: map[tlsa.Owner]tlsa.RRset{}}}
		changing := map[string]*gauge{"example.org.": {}, "example.net.": {}}
		var all gauge
		for name, h := range zones {
			h.send = func(int, []*api.Task[none]) (*api.Trouble, bool) {
				all.top.Store(max(all.now.Add(1), all.top.Load()))
				changing[name].enter()
				all.now.Add(-1)
				return nil, true
			}
		}
		f := &api.Frame[none]{Name: "fake", Find: func(_ context.Context, zone string, _ tlsa.Owner) (api.Host[none], string, *api.Trouble) {
			return zones[zone], zone, nil
		}}
		results := make([]error, 3)
		var wg sync.WaitGroup
		for i, c := range []dnsprovider.Change{
			{Owner: "a.example.org.", Before: set("1"), After: set("1", "2")},
			{Owner: "a.example.org.", Before: set("1"), After: set("1", "3")},
			{Owner: "a.example.net.", After: set("1")},
		} {
			_, zone, _ := strings.Cut(string(c.Owner), ".")
			wg.Go(func() { results[i] = f.Apply(t.Context(), zone, []dnsprovider.Change{c})[0] })
		}
		wg.Wait()
		conflicts := 0
		for _, err := range results {
			if dnsprovider.KindOf(err) == dnsprovider.Conflict {
				conflicts++
			}
		}
		if changing["example.org."].top.Load() != 1 || all.top.Load() != 2 || conflicts != 1 {
			t.Errorf("%d changes of a zone at once, %d of two, and %v", changing["example.org."].top.Load(), all.top.Load(), results)
		}
	})
}
