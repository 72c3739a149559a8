package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestUnserved holds when the live certificate counts as served: somebody presents
// it at every endpoint, and nobody what fails. What is not known is not served.
func TestUnserved(t *testing.T) {
	const url = "smtp://mx1.example.org"
	live, old := "11", "22"
	cell := func(leaf *string, err string) rollover.ServedStatus {
		return rollover.ServedStatus{Address: "192.0.2.1:25", Leaf: leaf, Error: err}
	}
	for _, test := range []struct {
		name     string
		verified rollover.Known
		served   []rollover.ServedStatus
		looked   bool
		want     string
	}{
		{"served", rollover.Yes, []rollover.ServedStatus{cell(&live, "")}, true, ""},
		{"served without records", rollover.Unknown, []rollover.ServedStatus{cell(&live, "")}, true, ""},
		{"another node has the old one", rollover.Yes, []rollover.ServedStatus{cell(&old, ""), cell(&live, "")}, true, ""},
		{"another node is silent", rollover.Unknown, []rollover.ServedStatus{cell(&live, ""), cell(nil, "no answer")}, true, ""},
		{"another node fails", rollover.No, []rollover.ServedStatus{cell(&live, ""), cell(nil, "no TLS")}, true, url + " presents something that its records do not vouch for"},
		{"never looked at", rollover.Unknown, nil, false, "the live certificate is not served: " + url + " has not been looked at (hint: does its host have an address?)"},
		{"silent", rollover.Unknown, []rollover.ServedStatus{cell(nil, "no answer")}, true, "the live certificate is not served: no answer"},
		{"the old one", rollover.Yes, []rollover.ServedStatus{cell(&old, "")}, true, "the live certificate is not served: " + url + " at 192.0.2.1:25 presents another one (hint: does the server read what is installed?)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := rollover.LineageStatus{Live: &rollover.PairStatus{Leaf: live}, Endpoints: []rollover.EndpointStatus{{URL: url, Verified: test.verified, Served: test.served}}}
			if got := unserved(s); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if got := looked(s); got != test.looked {
				t.Errorf("looked at: %t", got)
			}
		})
	}
}

// TestLogLines holds the form in which a person sees the agent's records.
func TestLogLines(t *testing.T) {
	var errs bytes.Buffer
	log := newUI(world{stdout: &bytes.Buffer{}, stderr: &errs, lookupEnv: func(string) (string, bool) { return "", false }}).logger()
	log.Info("done", "action", "swap mx1: a -> b")
	log.Error("action failed", "action", "swap mx1: a -> b", "err", errors.New("mx1: reload: false: exit status 1"))
	log.Warn("was a symlink", "lineage", "mx1", "code", "replaced-symlink")
	log.Warn("the stash could not be swept", "err", errors.New("denied"))
	log.With("lineage", "mx2").Debug("nobody sees this")
	const want = "tlsaroll: done: swap mx1: a -> b\n" +
		"tlsaroll: error: mx1: reload: false: exit status 1\n" +
		"tlsaroll: warning: mx1: was a symlink\n" +
		"tlsaroll: warning: the stash could not be swept: denied\n"
	if errs.String() != want {
		t.Errorf("got\n%s\nwant\n%s", errs.String(), want)
	}
}
