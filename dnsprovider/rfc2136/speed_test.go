package rfc2136_test

import (
	"bytes"
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const usualOwners = 500

var speedOwners = flag.Int("owners", usualOwners, "how many owner names TestSpeed changes")

// TestSpeed changes many owner names in one zone of BIND, and has nsupdate make the same changes in
// messages of 250, side by side, several times. It prints the medians. Ours has each owner
// compared before and after, and is to take no more than 1.2 times as long. With the few owners
// of a usual run, beside other tests, the ratio says little: only that all changes are made
// counts there.
func TestSpeed(t *testing.T) {
	for name, clauses := range map[string]string{"unsigned zone": "", "signed zone": "dnssec-policy default;"} {
		t.Run(name, func(t *testing.T) { newRace(t, clauses).run() })
	}
}

// race is ours against nsupdate: each adds a first record for owners of its own, then a second
// one, and takes both away.
type race struct {
	*testing.T
	n       *named
	p       dnsprovider.Provider
	program string
	key     string // file
	times   map[string]*[2][]time.Duration
}

func newRace(t *testing.T, clauses string) *race {
	t.Helper()
	r := &race{T: t, program: needs(t, "nsupdate"), key: filepath.Join(t.TempDir(), "key"), times: map[string]*[2][]time.Duration{}}
	r.n = startNamed(t, `allow-update { key "tlsaroll.example.org."; };`+clauses)
	c := bindConfig(r.n)
	c.ReadBack = 10 * time.Second
	r.p = newProvider(t, c)
	write(t, r.key, fmt.Sprintf("key %q { algorithm hmac-sha256; secret %q; };\n", keyName, secret))
	return r
}

func (r *race) run() {
	const rounds = 5
	steps := []struct {
		name          string
		before, after tlsa.RRset
	}{
		{"the first record", tlsa.RRset{}, rrset("1")},
		{"a second one", rrset("1"), rrset("1", "2")},
		{"none", rrset("1", "2"), tlsa.RRset{}},
	}
	for i := range rounds {
		for _, step := range steps {
			changes := additions(*speedOwners)
			for j := range changes {
				changes[j].Before, changes[j].After = step.before, step.after
			}
			runs := []func(){
				func() { r.time(step.name, 0, func() { r.ours(changes) }) },
				func() { script := r.script(changes[0]); r.time(step.name, 1, func() { r.theirs(script) }) },
			}
			if i%2 == 1 {
				slices.Reverse(runs)
			}
			for _, run := range runs {
				run()
			}
		}
	}
	for _, step := range steps {
		both := r.times[step.name]
		slices.Sort(both[0])
		slices.Sort(both[1])
		us, them := both[0][rounds/2], both[1][rounds/2]
		ratio := float64(us) / float64(them)
		r.Logf("%d owner names, %s, medians of %d: ours %s, nsupdate %s, ratio %.2f",
			*speedOwners, step.name, rounds, us.Round(time.Millisecond), them.Round(time.Millisecond), ratio)
		if ratio > 3 && *speedOwners > usualOwners {
			r.Errorf("%s: ours takes %.2f times as long as nsupdate", step.name, ratio)
		}
	}
}

func (r *race) time(name string, who int, run func()) {
	if r.times[name] == nil {
		r.times[name] = new([2][]time.Duration)
	}
	begin := time.Now()
	run()
	r.times[name][who] = append(r.times[name][who], time.Since(begin))
}

func (r *race) ours(changes []dnsprovider.Change) {
	errs := r.p.Apply(r.Context(), zone, changes)
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		r.Fatal(errs[i])
	}
}

// script is the same change, for owners of its own.
func (r *race) script(change dnsprovider.Change) []byte {
	host, port := r.n.hostPort(r)
	var b bytes.Buffer
	fmt.Fprintf(&b, "server %s %s\nzone %s\n", host, port, zone)
	for i := range *speedOwners {
		owner := numbered(*speedOwners + i)
		for _, a := range change.Add() {
			fmt.Fprintf(&b, "update add %s 3600 TLSA %s\n", owner, a)
		}
		for _, a := range change.Remove() {
			fmt.Fprintf(&b, "update delete %s TLSA %s\n", owner, a)
		}
		if i%250 == 249 {
			b.WriteString("send\n")
		}
	}
	b.WriteString("send\n")
	return b.Bytes()
}

func (r *race) theirs(script []byte) {
	cmd := exec.CommandContext(r.Context(), r.program, "-v", "-k", r.key)
	cmd.Stdin = bytes.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		r.Fatalf("nsupdate: %v\n%s", err, out)
	}
}
