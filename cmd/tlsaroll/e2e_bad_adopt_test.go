package main

import (
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestBadAdoption holds what is said where there is nothing to take over, or
// something else than what was named. That it is said changes nothing.
func TestBadAdoption(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: 2 * time.Second, Resolvers: 1, Records: []string{lab.Owner(25) + " 2 IN TLSA " + aStrangers}}, short(setting{}))
	other := h.Certificates().Issue(t, lab.LeafOptions{})
	h.foretells(t, false)
	named := []string{"adopt", "mx1", "--cert", other.Fullchain(), "--key", other.Privkey()}
	h.must(exitDone, "adopt", "mx1")
	h.foretells(t, true)
	for _, b := range []bad{
		{
			name: "a pair that is not served", setting: setting{state: "other"}, args: named, code: exitPerson,
			says: "not-adopted: LAB/ca/leaf-2/fullchain.pem: not the pair that is served: smtp://mx1.example.org at 127.77.0.25:25 presents the certificate with SHA-256 DIGEST… (hint: hand in the files that the server reads)",
		},
		{
			name: "another pair is live", args: named, code: exitError,
			says: "LAB/ca/leaf-2/fullchain.pem: mx1 has a live pair already, and it is another one (hint: tlsaroll rollover mx1 brings this one into service)",
		},
		{
			name: "a record that nobody gives", args: []string{"adopt", "mx1", "--record", someoneElses}, code: exitError,
			says: "mx1: no server gives the record 3 1 1 DIGEST (hint: tlsaroll status mx1 shows what stands)",
		},
		{
			name: "a record that nobody gives, beforehand", args: []string{"adopt", "mx1", "--dry-run", "--record", someoneElses}, code: exitError,
			says: "mx1: no server gives the record 3 1 1 DIGEST (hint: tlsaroll status mx1 shows what stands)",
		},
		{
			name: "a host without address", setting: setting{state: "nowhere", host: "nowhere.example.org"}, args: []string{"adopt", "mx1"}, code: exitPerson,
			says: "not-adopted: no pair is live yet, and none is served that could be taken over: smtp://nowhere.example.org has not been looked at (hint: does its host have an address?)",
		},
	} {
		t.Run(b.name, func(t *testing.T) {
			b.setting = short(b.setting)
			h.suffers(t, b)
		})
	}
	h.starttls(t, "none")
	h.suffers(t, bad{
		setting: short(setting{state: "plain"}), args: []string{"adopt", "mx1"}, code: exitPerson,
		says: "not-adopted: no pair is live yet, and none is served that could be taken over: smtp://mx1.example.org at 127.77.0.25:25: STARTTLS: not offered (hint: is TLS on, and for every client? RFC 7672, section 9.2)",
	})
	h.starttls(t, "may")
	h.must(exitDone, "adopt", "mx1")
}

// aStrangers is a record that stands beside, and matches nothing here.
const aStrangers = "3 1 1 1111111111111111111111111111111111111111111111111111111111111111"

// foretells wants adopt --dry-run to say what is taken over, and to do nothing.
func (h *host) foretells(t *testing.T, before bool) {
	t.Helper()
	first := "mx1: takes over what is in service; nothing that is served or published changes\n"
	if before {
		first = "mx1: has taken over what is in service\n"
	}
	was := h.evidence(t, setting{})
	out, _ := h.must(exitDone, "adopt", "--dry-run", "mx1")
	pair := "  pair     ID for " + lab.Host + ", until " + h.Live.Leaf().NotAfter.UTC().Format("2006-01-02") + "\n"
	want := first + pair + "  file     " + h.Postfix.Combined + ", which nobody but tlsaroll writes from now on\n  ours     " + lab.Owner(25) + " " + h.Live.TLSA(t, tlsa.EE) + "\n  foreign  " + lab.Owner(25) + " " + aStrangers + ": left alone (hint: --record \"" + aStrangers + "\" makes it ours)\n"
	if diff := cmp.Diff(want, regexp.MustCompile(`pair     [0-9a-f]{8} `).ReplaceAllString(out.String(), "pair     ID ")); diff != "" {
		t.Errorf("adopt --dry-run: want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff(was, h.evidence(t, setting{})); diff != "" {
		t.Errorf("adopt --dry-run changes, -before +after:\n%s", diff)
	}
}
