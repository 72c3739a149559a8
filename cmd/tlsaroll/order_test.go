package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// deskKeeper keeps an agent as the daemon does, and lets a test look on.
type deskKeeper struct {
	*own
	agent  *agent.Agent
	onStay func(lineage string)
}

func (k *deskKeeper) acting() (*agent.Agent, func() error, error) { return k.agent, nothing, nil }

func (k *deskKeeper) stay(ctx context.Context, a *agent.Agent, lineage string, seen func(agent.Report) bool) error {
	k.onStay(lineage)
	return a.Run(ctx, lineage, seen)
}

// TestUnheardOrder: an order that no pass could hear yet is not gone where another
// process keeps the lineage, and that is said.
func TestUnheardOrder(t *testing.T) {
	full := errors.New("no space left on device")
	for _, tt := range []struct {
		hired bool
		err   error
		want  string
	}{
		{true, full, "no space left on device; the order to mx1 stands: the next pass that can be made hears it"},
		{false, full, "no space left on device"},
		{true, &exitCode{code: exitWaiting}, "exit 3"},
		{true, nil, "<nil>"},
	} {
		j := &job{office: &office{hired: tt.hired}, lineage: "mx1"}
		if got := j.unheard(tt.err); fmt.Sprint(got) != tt.want {
			t.Errorf("%v: %v, want %s", tt.err, got, tt.want)
		}
	}
}

// TestFreezeAll: all lineages are frozen at once, however long the first takes.
func TestFreezeAll(t *testing.T) {
	dir := t.TempDir() // of the disk, which is no part of the bubble
	synctest.Test(t, func(t *testing.T) { freezeAll(t, dir) })
}

func freezeAll(t *testing.T, dir string) {
	unreachable := errors.New("unreachable")
	begun := time.Now()
	cfg := agent.Config{
		State: filepath.Join(dir, "state"), Resolver: netip.MustParseAddrPort("127.0.0.1:53"),
		Clock:    agent.Clock{Wall: time.Now, Boot: func() time.Duration { return time.Since(begun) }, BootID: "a boot"},
		Timing:   rollover.Timing{TTLs: 2, Floor: time.Hour, UnknownTTL: 24 * time.Hour, Retire: 24 * time.Hour, Settle: time.Minute, Look: time.Minute, Poll: time.Minute},
		Exchange: func(context.Context, *dns.Msg, string, netip.AddrPort) (*dns.Msg, error) { return nil, unreachable },
		Dial:     func(context.Context, string, string) (net.Conn, error) { return nil, unreachable },
	}
	for _, name := range []string{"mx1", "mx2"} {
		host := name + ".example.org"
		cfg.Lineages = append(cfg.Lineages, agent.Lineage{Name: name, Install: []agent.Install{{Path: filepath.Join(dir, name), Content: []string{"key", "chain"}}},
			Policy: rollover.LineagePolicy{Scheme: rollover.Scheme{EE: true}, Endpoints: []rollover.Endpoint{{URL: "smtp://" + host, Host: host, Port: 25, SMTP: true, Owner: tlsa.Owner("_25._tcp." + host + ".")}}}})
	}
	a, err := agent.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	p := newProgram(world{stdout: io.Discard, stderr: io.Discard, now: time.Now, lookupEnv: func(string) (string, bool) { return "", false }})
	k := &deskKeeper{own: &own{program: p}, agent: a}
	k.onStay = func(lineage string) {
		if lineage != "mx1" {
			return
		}
		r, err := a.Pass(t.Context(), "mx2")
		if err != nil || r.State.Lineages["mx2"].Frozen == nil {
			t.Errorf("mx2 while mx1 is waited for: %+v, %v", r.State.Lineages["mx2"], err)
		}
	}
	args, err := json.Marshal(orderOptions{Verb: "freeze", Orders: rollover.Orders{Freeze: &rollover.Freeze{}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := (&office{program: p, keeper: k}).order(t.Context(), control.Request{Command: "order", Args: args}); err != nil {
		t.Error(err)
	}
	for _, name := range a.Lineages() {
		if s, _, err := a.State(name); err != nil || s.Lineages[name].Frozen == nil {
			t.Errorf("%s: %+v, %v", name, s.Lineages[name], err)
		}
	}
}
