package lookup_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

const challenge = "_acme-challenge.mx.example.org."

// TestTXTAtEveryServer: each address speaks for itself, as a CA may ask any of them.
func TestTXTAtEveryServer(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].put("_acme-challenge.mx 60 TXT \"fi\" \"rst\"\n_acme-challenge.mx 60 TXT \"Second\"\n")
	w.own(ns1, "example.org.")
	w.zones["example.org."].drop(challenge, dns.TypeTXT) // the others have it no more
	w.servers[ns2].mangle = func(_ string, _, r *dns.Msg) (*dns.Msg, error) {
		r.Rcode = dns.RcodeServerFailure
		return r, nil
	}
	w.servers[ns2v6].mangle = func(string, *dns.Msg, *dns.Msg) (*dns.Msg, error) { return nil, syscall.ENETUNREACH }
	views, err := w.client().NewPass(nil).TXT(t.Context(), "_ACME-challenge.mx.example.org")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range views {
		got[v.String()] = strings.Join(v.Values, " ")
		if v.Err != "" {
			got[v.String()], _, _ = strings.Cut(v.Err, ":")
		}
		if want := v.Address == ns2v6; v.FamilyUntested != want {
			t.Errorf("%s: family untested is %v", v, v.FamilyUntested)
		}
	}
	want := map[string]string{
		"ns1.example.org. (192.0.2.53)":    "first Second",
		"ns2.example.org. (198.51.100.53)": "SERVFAIL",
		"ns2.example.org. (2001:db8::53)":  "no route to an IPv6 address from this host",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLead(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].put("_acme-challenge.away 60 CNAME mx.acme.other.org.\n" +
		"_acme-challenge.one 60 CNAME two\ntwo 60 CNAME three\nthree 60 CNAME two\n")
	w.zones["other.org."].put("mx.acme 60 CNAME last.acme\n")
	p := w.client().NewPass(nil)
	for name, want := range map[string]string{
		"_acme-challenge.mx.example.org":   challenge, // does not exist
		"_acme-challenge.AWAY.example.org": "last.acme.other.org.",
	} {
		if got, err := p.Lead(t.Context(), name); err != nil || got != want {
			t.Errorf("%s leads to %q (%v), want %q", name, got, err, want)
		}
	}
	const circle = "alias of _acme-challenge.one.example.org.: the CNAMEs go round in a circle: " +
		"_acme-challenge.one.example.org. -> two.example.org. -> three.example.org. -> two.example.org."
	if _, err := p.Lead(t.Context(), "_acme-challenge.one.example.org"); err == nil || err.Error() != circle {
		t.Errorf("error is %v, want %s", err, circle)
	}
}
