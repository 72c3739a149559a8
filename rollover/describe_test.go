package rollover_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
)

func TestStatusInTheMiddleOfARollover(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Issue(issuer, sim.Leaf{})
	w.Offer(second)
	w.Until(time.Minute, func() bool { return w.Lineage().Phase == rollover.Published && !w.Lineage().ReadyAt.IsZero() })

	d := w.Described()
	if d.Phase != rollover.Published || d.Live.ID != first || d.Successor.ID != second || d.Successor.Phase != rollover.Published || d.Queued != nil || d.Held != nil {
		t.Errorf("got %+v", d)
	}
	if d.Successor.ReadyAt == nil || !d.Successor.ReadyAt.Equal(w.Lineage().ReadyAt) {
		t.Errorf("ready at %v, want %v", d.Successor.ReadyAt, w.Lineage().ReadyAt)
	}
	e := d.Endpoints[0]
	if e.Owner != "_25._tcp.mx1.example.org." || len(e.Records) != 2 || e.TTL != 60 || e.Security != rollover.Secure || e.Verified != rollover.Yes {
		t.Errorf("got %+v", e)
	}
	if len(e.Served) != 2 || *e.Served[0].Leaf != w.Chains[first].LeafID() || e.Served[0].Verified != rollover.Yes {
		t.Errorf("served: %+v", e.Served)
	}
	if len(e.Servers) != 2 || e.Servers[0].Converged != rollover.Yes || e.Servers[1].Converged != rollover.Yes {
		t.Errorf("servers: %+v", e.Servers)
	}
	text := d.Explain(w.Now)
	for _, want := range []string{"mx1", second.Short() + "  published   ready in ", "on 2 of 2 servers", first.Short() + "  active      served at 1 of 1 addresses; ends in 83 days",
		"smtp://mx1.example.org: 2 records, secure, verified: yes", "version-alive: ", "next look"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestStatusSaysUnknownAsSuch(t *testing.T) {
	w, _, _ := sim.Rolled(t, "ee")
	w.Servers[1].Hidden = true
	w.Node().Unseen = true
	w.Run(2 * time.Minute)
	e := w.Described().Endpoints[0]
	if e.Servers[0].Converged != rollover.Yes || e.Servers[1].Converged != rollover.Unknown || e.Servers[1].Error != "timeout" {
		t.Errorf("servers: %+v", e.Servers)
	}
	if e.Verified != rollover.Unknown || e.Served[0].Leaf != nil || e.Served[0].Error != "connection timed out" {
		t.Errorf("verified %s, served %+v", e.Verified, e.Served)
	}
}

func TestStatusOfAServerThatFails(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Careless = true
	w.Node().Served = w.Issue(issuer, sim.Leaf{})
	w.Run(25 * time.Second)
	if e := w.Described().Endpoints[0]; e.Verified != rollover.No || e.Served[0].Verified != rollover.No {
		t.Errorf("got %+v", e)
	}
}

// What has no record yet is on no server.
func TestStatusOfRecordsToCome(t *testing.T) {
	w := sim.NewWorld(t)
	w.Renew(w.CA("Issuer A", nil))
	w.Run(20 * time.Second)
	if e := w.Described().Endpoints[0]; len(e.Records) > 0 || e.Servers[0].Converged != rollover.No || e.Servers[1].Converged != rollover.No {
		t.Errorf("got %+v", e)
	}
}

// Between a step and the next look the phase is that of the pair on its way.
func TestStatusRightAfterAStep(t *testing.T) {
	t.Run("a swap, and the queued pair is published", func(t *testing.T) {
		w, issuer, _ := sim.Rolled(t, "ee")
		second := w.Renew(issuer)
		w.Run(30 * time.Second)
		w.Renew(issuer)
		w.Until(5*time.Minute, w.Swapped(second))
		if d := w.Described(); d.Phase != rollover.Published || d.Successor.ReadyAt == nil {
			t.Errorf("got phase %s, ready at %v", d.Phase, d.Successor.ReadyAt)
		}
	})
	t.Run("a swap undone", func(t *testing.T) {
		w, issuer, _ := sim.Rolled(t, "ee")
		w.Renew(issuer)
		w.Faults["reload"] = "postfix: fatal"
		w.Until(5*time.Minute, func() bool { return w.Lineage().Held != nil })
		if d := w.Described(); d.Phase != rollover.Ready {
			t.Errorf("got phase %s", d.Phase)
		}
	})
}

// The field names are a contract.
func TestStatusJSON(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Offer(w.Issue(issuer, sim.Leaf{}))
	w.Run(2 * time.Second)
	b, err := json.Marshal(rollover.Status{Lineages: rollover.Describe(w.State, w.Policy, w.Now)})
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Lineages []map[string]any
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	lineage := doc.Lineages[0]
	endpoint := lineage["endpoints"].([]any)[0].(map[string]any)
	for _, tt := range []struct {
		what string
		of   map[string]any
		want []string
	}{
		{"lineage", lineage, []string{"endpoints", "held", "live", "name", "next_look", "phase", "queued", "rollovers", "since", "standby", "successor", "swapping", "waiting", "warnings"}},
		{"live", lineage["live"].(map[string]any), []string{"id", "leaf", "not_after", "spki"}},
		{"successor", lineage["successor"].(map[string]any), []string{"id", "leaf", "not_after", "phase", "ready_at", "spki"}},
		{"endpoint", endpoint, []string{"owner", "records", "security", "served", "servers", "target", "ttl", "url", "verified"}},
		{"served", endpoint["served"].([]any)[0].(map[string]any), []string{"address", "algorithm", "error", "leaf", "sni", "verified"}},
		{"server", endpoint["servers"].([]any)[0].(map[string]any), []string{"address", "converged", "error", "name"}},
	} {
		var got []string
		for key := range tt.of {
			got = append(got, key)
		}
		if diff := cmp.Diff(tt.want, sorted(got)); diff != "" {
			t.Errorf("%s: fields differ (-want +got)\n%s", tt.what, diff)
		}
	}
	if lineage["queued"] != nil || lineage["held"] != nil {
		t.Errorf("queued %v, held %v: want null", lineage["queued"], lineage["held"])
	}
	if ready := lineage["successor"].(map[string]any)["ready_at"]; ready != nil {
		t.Errorf("ready_at %v before a server had it, want null", ready)
	}
}

func TestStatusBeforeTheFirstPass(t *testing.T) {
	w := sim.NewWorld(t)
	d := w.Described()
	if d.Phase != rollover.Steady || d.Live != nil || d.NextLook != nil || d.Endpoints[0].Security != rollover.Indeterminate || d.Endpoints[0].Verified != rollover.Unknown || len(d.Waiting) != 1 {
		t.Errorf("got %+v", d)
	}
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
