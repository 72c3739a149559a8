package sink_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// sender is what came of each case, a word a case: tls or clear for what was delivered, kept,
// and fell or fellclear for what was delivered after that. The rest did not come.
type sender map[sink.Kind]string

func (s sender) results() (all []sink.Result) {
	for _, k := range append(sink.Kinds(), sink.Bogus) {
		r := sink.Result{Case: sink.Case{Kind: k, Domain: domain(k)}, Outcome: sink.Delivered}
		v := sink.Visit{Hello: "mta", TLS: tls.VersionTLS13, SNI: domain(k), Delivered: []string{domain(k)}}
		switch s[k] {
		case "":
			r.Outcome = sink.Absent
		case "kept":
			r.Outcome, v.Delivered = sink.Kept, nil
		case "fell":
			r.Fell = true
		case "clear":
			r.InClear = true
		case "fellclear":
			r.Fell, r.InClear = true, true
		case "old":
			v.TLS, v.SNI = tls.VersionTLS11, ""
		}
		r.Visits = []sink.Visit{v}
		all = append(all, r)
	}
	return all
}

// TestJudge: each way in which a sender may stand to DANE.
func TestJudge(t *testing.T) {
	t.Parallel()
	good := func(change sender) sender {
		s := sender{sink.Right: "tls", sink.Wrong: "kept", sink.NoTLS: "kept", sink.None: "tls", sink.Unusable: "kept", sink.Agility: "kept"}
		for k, v := range change {
			s[k] = v
		}
		return s
	}
	for name, tc := range map[string]struct {
		sender sender
		want   sink.Stance
		why    string
		notes  string
	}{
		"all well":               {good(nil), sink.Enforces, "it delivered where the record matched, and kept its mail where none did and where TLS was missing", ""},
		"the three that matter":  {sender{sink.Right: "tls", sink.Wrong: "kept", sink.NoTLS: "kept"}, sink.Enforces, "", "it did not deliver to the domain without records"},
		"DANE alone":             {good(sender{sink.None: "kept"}), sink.Enforces, "", "it sends by DANE alone"},
		"no agility":             {good(sender{sink.Agility: "tls"}), sink.Enforces, "", "it believes the weaker digest"},
		"unusable records":       {good(sender{sink.Unusable: "clear"}), sink.Enforces, "", "it delivers in the clear where there are records"},
		"old TLS":                {good(sender{sink.Right: "old"}), sink.Enforces, "", "it names no host by SNI, which it must (RFC 7672, section 8.1)|it takes TLS 1.1"},
		"takes any certificate":  {good(sender{sink.Wrong: "tls", sink.Agility: "tls", sink.NoTLS: "clear", sink.Unusable: "clear"}), sink.Ignores, "it delivered to a host that no record matches; it delivered in the clear to a host with records that offered no TLS", "what it takes: a resolver that validates"},
		"demands TLS":            {good(sender{sink.Wrong: "tls", sink.Agility: "tls"}), sink.Ignores, "it delivered to a host that no record matches", ""},
		"wrong alone":            {sender{sink.Wrong: "tls"}, sink.Ignores, "it delivered to a host that no record matches", ""},
		"falls back":             {good(sender{sink.Wrong: "fellclear"}), sink.Opportunistic, "it delivered to a host that no record matches, in the clear, after it had left once with its mail", ""},
		"stripped":               {good(sender{sink.NoTLS: "clear"}), sink.Opportunistic, "it delivered in the clear to a host with records that offered no TLS", ""},
		"does not validate":      {good(sender{sink.Bogus: "tls"}), sink.Opportunistic, "it delivered to a domain whose DNSSEC is broken, so it or its resolver does not validate", ""},
		"the right one in clear": {good(sender{sink.Right: "fellclear"}), sink.Opportunistic, "it delivered in the clear to a host with records, after it had left once with its mail", ""},
		"no TLS at all":          {sender{sink.Right: "clear", sink.Wrong: "clear", sink.NoTLS: "clear", sink.None: "clear"}, sink.Cleartext, "it was offered STARTTLS, and delivered without it", "what it takes: a resolver that validates"},
		"nothing":                {nil, sink.Silent, "no connection came for any of the domains", ""},
		"nothing is delivered": {sender{sink.Right: "kept", sink.Wrong: "kept", sink.NoTLS: "kept", sink.None: "kept"}, sink.Unknown,
			"it did not deliver even where the record matches (hint: does its resolver validate, and does it see the records? its log says why)", ""},
		"a part": {sender{sink.Right: "tls", sink.Wrong: "kept"}, sink.Unknown, "no mail came for notls (the record matches, no STARTTLS)", ""},
	} {
		v := sink.Judge(tc.sender.results())
		if v.Stance != tc.want || tc.why != "" && v.Why != tc.why {
			t.Errorf("%s: %s: %s, want %s: %s", name, v.Stance, v.Why, tc.want, tc.why)
		}
		notes := strings.Join(v.Notes, "|")
		if tc.notes != "" && !strings.Contains(notes, tc.notes) || tc.notes == "" && tc.want == sink.Enforces && notes != "" {
			t.Errorf("%s: notes %q, want %q", name, notes, tc.notes)
		}
		if v.Stance.About() == "" {
			t.Errorf("%s has no words", v.Stance)
		}
	}
}

// TestRecords: the records do to the sink's chain what the kind says.
func TestRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	chain, record := w.chain, w.record
	for _, k := range append(sink.Kinds(), sink.Bogus) {
		set := tlsa.NewRRset(1, k.Records(record)...)
		ref := tlsa.Reference{SMTP: true}
		matches := set.Authenticates(chain, ref) == nil && len(set.Combinations(ref)) > 0
		if want := k == sink.Right || k == sink.NoTLS; matches != want {
			t.Errorf("%s: matches %t, want %t", k, matches, want)
		}
		if usable := len(set.Combinations(ref)) > 0; usable != (k != sink.None && k != sink.Unusable && k != sink.Bogus) {
			t.Errorf("%s: usable %t", k, usable)
		}
		mark, ok := k.Mark()
		if ok != set.Has(mark) || ok == set.Denial() {
			t.Errorf("%s: the mark %v is not among %v", k, mark, set)
		}
		if k.About() == "" {
			t.Errorf("%s has no words", k)
		}
	}
}
