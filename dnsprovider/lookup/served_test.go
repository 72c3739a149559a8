package lookup_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// TestServed: who gives what, and that no resolver hears of the name.
func TestServed(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].put("sink 60 A 192.0.2.7\n*.all 60 A 192.0.2.8\n")
	w.own(ns1, "example.org.")
	w.zones["example.org."].drop("sink.example.org.", dns.TypeA) // the others have it no more
	p := w.client().NewPass(nil)
	for name, want := range map[string]map[string]string{
		"SINK.example.org":  {"ns1.example.org. (192.0.2.53)": "192.0.2.7", "ns2.example.org. (198.51.100.53)": "", "ns2.example.org. (2001:db8::53)": ""},
		"x.all.example.org": {"ns1.example.org. (192.0.2.53)": "192.0.2.8*", "ns2.example.org. (198.51.100.53)": "192.0.2.8*", "ns2.example.org. (2001:db8::53)": "192.0.2.8*"},
	} {
		views, err := p.Served(t.Context(), "example.org", name, dns.TypeA)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, v := range views {
			text := v.Err
			for _, rr := range v.Records {
				text += rr.(*dns.A).A.String()
			}
			if v.Wildcard {
				text += "*"
			}
			got[v.String()] = text
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for question := range w.asked {
		if strings.HasPrefix(question, resolverAt.Addr().String()) && (strings.Contains(question, " sink.") || strings.Contains(question, ".all.")) {
			t.Errorf("the resolver was asked: %s", question)
		}
	}
	if len(w.asked) == 0 {
		t.Error("nobody was asked at all")
	}
}
