package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

const scratchOwner = "_25._tcp." + scratchHost + "." + lab.Domain

// TestProviderTest finds out what dynamic update at the lab's primary does, with a secondary
// that lags; and again, to leave nothing behind however it ends.
func TestProviderTest(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: labTTL, SecondaryLag: 2 * time.Second, Zones: []string{"example.net."}, Unsigned: []string{"example.net."}}, setting{})

	out, _ := h.must(exitDone, "provider", "test", "--ttl", "60s", "ns1")
	t.Logf("provider test says:\n%s", out)
	want := regexp.MustCompile(`^publish two records: [0-9.]+ m?s, TTL 1m
  ns1\.example\.org\. 127\.[0-9.]+: [0-9.]+ m?s, TTL 1m
  ns2\.example\.org\. 127\.[0-9.]+: [0-9.]+ m?s, TTL 1m
take one out: [0-9.]+ m?s, TTL 1m
(  .*\n){2}take the other out: [0-9.]+ m?s
(  .*\n){2}two records stood beside each other, each went alone, and the last server followed after [0-9.]+ s
$`)
	if !want.MatchString(out.String()) {
		t.Errorf("it says\n%s, want\n%s", out, want)
	}
	h.only(scratchOwner)

	out, _ = h.must(exitDone, "provider", "test", "--json", "--owner", "_25._tcp.elsewhere.example.org", "ns1")
	var result trialJSON
	if err := json.Unmarshal([]byte(out.String()), &result); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if result.Zone != lab.Domain || result.Security != "secure" || result.TTL != 3600 || result.Slowest < 1000 || len(result.Steps) != 3 || len(result.Steps[0].Servers) != 2 {
		t.Errorf("%+v", result)
	}
	h.only("_25._tcp.elsewhere.example.org.")

	// A secondary that does not follow: nothing is left at the primary.
	h.HoldSecondary()
	code, _, errs := h.tlsaroll("provider", "test", "--timeout", "12s", "ns1")
	if code != exitError || !strings.Contains(errs.String(), "provider test ns1: publish two records: not seen everywhere after ") || !strings.Contains(errs.String(), "ns2.example.org. (127.") {
		t.Errorf("exit %d\n%s", code, errs)
	}
	h.only(scratchOwner)
	h.ReleaseSecondary(t)

	// Records of others are left alone.
	owner := lab.Owner(25)
	before := h.records(owner)
	for flag, sentence := range map[string]string{
		owner:                                  "tlsaroll: --owner _25._tcp.mx1.example.org.: that is an endpoint of a lineage, and its records are not for tests (hint: name another)\n",
		"_25._tcp.mx1.example.net.":            "tlsaroll: --owner _25._tcp.mx1.example.net.: not in the zone example.org\n",
		"_25._tcp.mx1..example.org":            `tlsaroll: --owner: name "_25._tcp.mx1..example.org": an empty label` + "\n",
		"_25._tcp." + strings.Repeat("a", 300): "",
	} {
		code, _, errs := h.tlsaroll("provider", "test", "--owner", flag, "ns1")
		if code != exitUsage || !strings.HasSuffix(errs.String(), sentence) {
			t.Errorf("%s: exit %d\n%s", flag, code, errs)
		}
	}
	if !slices.Equal(before, h.records(owner)) {
		t.Error("the live records were touched")
	}

	h.configure(setting{zone: "example.net.", zones: "{example.net: {private: true, exclude: [ns2.example.org]}}"}) // where it does not follow
	code, _, errs = h.tlsaroll("provider", "test", "ns1")
	const unsigned = "tlsaroll: zone example.net: it is not signed, so no sender believes its TLSA records (hint: have the DNS host sign it with DNSSEC, and put its DS record into the parent)\n"
	if code != exitPerson || !strings.HasSuffix(errs.String(), unsigned) {
		t.Errorf("exit %d\n%s, want\n%s", code, errs, unsigned)
	}
}
