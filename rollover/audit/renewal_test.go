package audit

import (
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestRenewal: what a certificate of the same key, of a new key and of a new issuer meets,
// by the records that stand.
func TestRenewal(t *testing.T) {
	c := newCast(t)
	current, next, issuer, other := c.ee(c.chain), c.ee(c.next), c.ta(c.chain), c.ta(c.ca.renewed(c.chain))
	whole := c.of(c.chain, tlsa.DANEEE, tlsa.Cert, tlsa.SHA256)
	stronger := c.of(c.next, tlsa.DANEEE, tlsa.SPKI, tlsa.SHA512)
	for _, test := range []struct {
		name   string
		change func(*Domain)
		want   string
	}{
		{"current", records(current), "the same key passes; a new key, whoever issues it, breaks mail unless its record is published 7200 s ahead"},
		{"current and next", records(current, next), "the same key passes; a new key, whoever issues it, breaks mail unless it is that of " + shorten(next) + ", or its record is published 7200 s ahead"},
		{"current and issuer", records(current, issuer), "the same key passes; a new key of the same issuer passes; a new key of another issuer breaks mail unless its record is published 7200 s ahead"},
		{"issuer and another", records(issuer, other), "the same key passes; a new key of the same issuer passes; a new key of another issuer breaks mail unless the issuer is that of " + shorten(other) + ", or its record is published 7200 s ahead"},
		{"current and another issuer", records(current, next, other), "the same key passes; a new key of the same issuer breaks mail unless it is that of " + shorten(next) + ", or its record is published 7200 s ahead; " +
			"a new key of another issuer breaks mail unless the issuer is that of " + shorten(other) + ", or it is that of " + shorten(next) + ", or its record is published 7200 s ahead"},
		{"a whole certificate", records(whole), "the same key breaks mail, as no record is of it alone, unless the record of the new certificate is published 7200 s ahead; " +
			"a new key, whoever issues it, breaks mail unless its record is published 7200 s ahead"},
		{"a whole CA certificate", records(c.of(c.chain, tlsa.DANETA, tlsa.Cert, tlsa.SHA256)), "the same key passes; a new key of the same issuer passes"},
		{"a record that senders pass over", records(current, next, stronger), "what is presented now does not match everywhere"},
		{"no match", addresses(modern("192.0.2.1", c.other)), "what is presented now does not match everywhere; of the next certificate: the same key breaks mail"},
		{"no usable record", records(made("1 1 1", current.Data)), "any certificate passes, as no sender can use the records"},
		{"no records", records(), "any certificate passes, as no TLSA records count"},
		{"not presented", addresses(without("192.0.2.1", rollover.Unreached, "timed out")), "not known: no certificate was presented"},
		{"lookup fails", onBase(func(b *Base) { b.Security, b.SecurityText = rollover.Bogus, "expired" }), "not known: the lookup of TLSA records"},
		{"addresses unknown", reach(Lookup{Security: rollover.Indeterminate, Err: "timed out"}), "not known: its addresses"},
	} {
		d := c.healthy()
		test.change(&d)
		got := renewalOf(d.Hosts[0], now)
		if !strings.HasPrefix(got, test.want) || strings.HasSuffix(test.want, "ahead") && got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

// TestCommonRenewal: hosts that meet the same are spoken of as one.
func TestCommonRenewal(t *testing.T) {
	c := newCast(t)
	d := c.healthy()
	secondHost(func(*Host) {})(&d)
	if r := Judge(d); r.Renewal == "" || r.Renewal != r.Hosts[1].Renewal {
		t.Errorf("%q, of %q and %q", r.Renewal, r.Hosts[0].Renewal, r.Hosts[1].Renewal)
	}
	secondHost(func(h *Host) { h.Bases = []Base{published("mx2.example.org")} })(&d)
	if r := Judge(d); r.Renewal != "" {
		t.Errorf("%q of all hosts", r.Renewal)
	}
}
