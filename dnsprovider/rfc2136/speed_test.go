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

var speedOwners = flag.Int("owners", 500, "how many owner names TestSpeed changes")

// TestSpeed changes many owner names in one zone of BIND, and has nsupdate add the same records in
// messages of 250, side by side, several times. It prints the medians. Ours looks at each
// owner before and after, and is to take no more than 1.2 times as long; as machines are
// noisy, only three times as long is a failure.
func TestSpeed(t *testing.T) {
	program := needs(t, "nsupdate")
	const rounds = 5
	n := startNamed(t, `allow-update { key "tlsaroll.example.org."; };`)
	p := newProvider(t, bindConfig(n))
	script := func(add bool) []byte {
		var b bytes.Buffer
		fmt.Fprintf(&b, "server %s\nzone %s\n", bytes.ReplaceAll([]byte(n.address), []byte(":"), []byte(" ")), zone)
		for i := range *speedOwners {
			owner := numbered(*speedOwners + i)
			if add {
				fmt.Fprintf(&b, "update add %s 3600 TLSA %s\n", owner, rrset("1").Associations[0])
			} else {
				fmt.Fprintf(&b, "update delete %s TLSA\n", owner)
			}
			if i%250 == 249 {
				b.WriteString("send\n")
			}
		}
		b.WriteString("send\n")
		return b.Bytes()
	}
	key := filepath.Join(t.TempDir(), "key")
	write(t, key, fmt.Sprintf("key %q { algorithm hmac-sha256; secret %q; };\n", keyName, secret))
	theirs := func(input []byte) time.Duration {
		cmd := exec.CommandContext(t.Context(), program, "-v", "-k", key)
		cmd.Stdin = bytes.NewReader(input)
		begin := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("nsupdate: %v\n%s", err, out)
		}
		return time.Since(begin)
	}
	there := additions(*speedOwners)
	back := make([]dnsprovider.Change, len(there))
	for i, c := range there {
		back[i] = dnsprovider.Change{Owner: c.Owner, Before: c.After, After: tlsa.RRset{}}
	}
	ours := func(changes []dnsprovider.Change) time.Duration {
		begin := time.Now()
		errs := p.Apply(t.Context(), zone, changes)
		took := time.Since(begin)
		if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
			t.Fatal(errs[i])
		}
		return took
	}
	add, remove := script(true), script(false)
	var us, them []time.Duration
	for i := range rounds {
		if i%2 == 0 {
			us, them = append(us, ours(there)), append(them, theirs(add))
		} else {
			them, us = append(them, theirs(add)), append(us, ours(there))
		}
		ours(back)
		theirs(remove)
	}
	slices.Sort(us)
	slices.Sort(them)
	mine, their := us[rounds/2], them[rounds/2]
	ratio := float64(mine) / float64(their)
	t.Logf("%d owner names, medians of %d: ours %s, nsupdate %s, ratio %.2f", *speedOwners, rounds, mine.Round(time.Millisecond), their.Round(time.Millisecond), ratio)
	if ratio > 3 {
		t.Errorf("ours takes %.2f times as long as nsupdate", ratio)
	}
}
