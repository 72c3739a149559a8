package rollover

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (w *world) described() LineageStatus {
	w.t.Helper()
	ds := Describe(w.state, w.policy, w.now)
	if len(ds) != len(w.policy.Lineages) {
		w.t.Fatalf("%d lineages described, want %d", len(ds), len(w.policy.Lineages))
	}
	return ds[0]
}

func TestStatusInTheMiddleOfARollover(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.issue(issuer, leaf{})
	w.offer(second)
	w.until(time.Minute, func() bool { return w.lineage().Phase == Published && !w.lineage().ReadyAt.IsZero() })

	d := w.described()
	if d.Phase != Published || d.Live.ID != first || d.Successor.ID != second || d.Successor.Phase != Published || d.Queued != nil || d.Held != nil {
		t.Errorf("got %+v", d)
	}
	if d.Successor.ReadyAt == nil || !d.Successor.ReadyAt.Equal(w.lineage().ReadyAt) {
		t.Errorf("ready at %v, want %v", d.Successor.ReadyAt, w.lineage().ReadyAt)
	}
	e := d.Endpoints[0]
	if e.Owner != "_25._tcp.mx1.example.org." || len(e.Records) != 2 || e.TTL != 60 || e.Security != Secure || e.Verified != Yes {
		t.Errorf("got %+v", e)
	}
	if len(e.Served) != 2 || *e.Served[0].Leaf != w.chains[first].LeafID() || e.Served[0].Verified != Yes {
		t.Errorf("served: %+v", e.Served)
	}
	if len(e.Servers) != 2 || e.Servers[0].Converged != Yes || e.Servers[1].Converged != Yes {
		t.Errorf("servers: %+v", e.Servers)
	}
	text := d.Explain(w.now)
	for _, want := range []string{"mx1", second.Short() + "  published   ready in ", "on 2 of 2 servers", first.Short() + "  active      served at 1 of 1 addresses; ends in 83 days",
		"smtp://mx1.example.org: 2 records, secure, verified: yes", "version-alive: ", "next look"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestStatusSaysUnknownAsSuch(t *testing.T) {
	w, _, _ := rolled(t, "ee")
	w.servers[1].hidden = true
	w.node().unseen = true
	w.run(2 * time.Minute)
	e := w.described().Endpoints[0]
	if e.Servers[0].Converged != Yes || e.Servers[1].Converged != Unknown || e.Servers[1].Error != "timeout" {
		t.Errorf("servers: %+v", e.Servers)
	}
	if e.Verified != Unknown || e.Served[0].Leaf != nil || e.Served[0].Error != "connection timed out" {
		t.Errorf("verified %s, served %+v", e.Verified, e.Served)
	}
}

func TestStatusOfAServerThatFails(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.careless = true
	w.node().served = w.issue(issuer, leaf{})
	w.run(25 * time.Second)
	if e := w.described().Endpoints[0]; e.Verified != No || e.Served[0].Verified != No {
		t.Errorf("got %+v", e)
	}
}

// The field names are a contract.
func TestStatusJSON(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.offer(w.issue(issuer, leaf{}))
	w.run(2 * time.Second)
	b, err := json.Marshal(Status{Lineages: Describe(w.state, w.policy, w.now)})
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
		{"lineage", lineage, []string{"endpoints", "held", "live", "name", "next_look", "phase", "queued", "since", "successor", "swapping", "waiting", "warnings"}},
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
	w := newWorld(t)
	d := w.described()
	if d.Phase != Steady || d.Live != nil || d.NextLook != nil || d.Endpoints[0].Security != Indeterminate || d.Endpoints[0].Verified != Unknown || len(d.Waiting) != 1 {
		t.Errorf("got %+v", d)
	}
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
