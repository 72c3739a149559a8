package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

var killsWanted = flag.Int("kills", 0, "how often TestKilled kills the daemon, at least; 0: once at each point, and a few times at any moment")

// killedLives are the hosts on which the daemon is killed, side by side.
var killedLives = []killedLife{
	{name: "file and directory, standby keys", options: lab.Options{Dovecot: true}, realDirectory: true, standby: true, cancels: [][]string{
		{"offer: stashed, before it is saved", "stash: entry renamed away", "discard: before it", "discard: forgotten by the journal"},
	}},
	{name: "undone swaps", options: lab.Options{Dovecot: true}, undoes: true, cancels: [][]string{{"offer: saved", "discard: done"}, {"stash: entry removed"}}},
	{name: "two keys", options: lab.Options{RSA: true}},
	{name: "lagging secondary", options: lab.Options{SecondaryLag: 4 * time.Second}, handsIn: true},
}

// TestKilled kills the daemon with SIGKILL at every point that it names and at any
// moment, through rollover after rollover, and starts it again at once. Nobody's
// handshake fails, every rollover comes to its end, and nothing is left over: no record
// that is not needed, no temporary file, no pair in the stash but the live one.
// The long run is
//
//	go test ./cmd/tlsaroll -run TestKilled -kills 200 -timeout 60m -v
func TestKilled(t *testing.T) {
	t.Parallel()
	lives := killedLives
	if *killsWanted == 0 {
		lives = lives[:2] // they pass all points
	}
	score := newScore(t)
	program := sync.OnceValue(func() string {
		return lab.BuildProgram(t, "github.com/tlsaroll/tlsaroll/cmd/tlsaroll", "-tags=failpoints")
	})
	var all sync.WaitGroup // parallel tests of this one would begin when all others have
	for i, l := range lives {
		wanted := (*killsWanted + i) / len(lives)
		all.Go(func() {
			t.Run(l.name, func(t *testing.T) { l.live(t, score, program, wanted) })
		})
	}
	all.Wait()
	if t.Failed() {
		t.Log(score)
		return
	}
	if *killsWanted == 0 && score.total() == 0 {
		t.Skip("LEFT OUT, like the lives, which say why")
	}
	t.Log(score)
	if left := score.unhit(); len(left) > 0 {
		t.Errorf("nobody was killed at %q", left)
	}
	if score.total() < *killsWanted {
		t.Errorf("%d kills, want %d", score.total(), *killsWanted)
	}
}

// A killedLife says what a host is like, and how its rollovers go.
type killedLife struct {
	name          string
	options       lab.Options
	realDirectory bool // Dovecot's is no symlink at first
	standby       bool // every other pair has the key that was made ahead
	undoes        bool // every other swap is undone, as Dovecot does not reload
	handsIn       bool // every other pair is handed in, and not left by lego
	// cancels are pairs that are cancelled: where it is killed when each leaves the stash. Who was
	// killed there comes by none of the later points, as it sweeps the stash when it starts.
	cancels [][]string
}

// live makes rollovers until the daemon was killed so often, or if that is 0, until it
// was killed at each point.
func (l killedLife) live(t *testing.T, score *score, program func() string, wanted int) {
	k := l.begin(t, score, program)
	hammers := k.hammers()
	for n := 0; n < 1 || k.kills < wanted || n < 3 && len(score.unhit()) > 0; n++ {
		if n%2 == 0 {
			for _, points := range l.cancels {
				k.cancelled(points...)
			}
		}
		k.arm(wanted > 0 && n > 0)
		if l.undoes && n%2 == 0 {
			k.undone()
		}
		k.ahead = l.standby && n%2 == 0
		k.finished(l.handsIn && n%2 == 1)
		k.ahead = false
		if t.Failed() {
			break
		}
	}
	k.stop()
	k.named()
	for _, hammer := range hammers {
		k.unharmed(hammer, 40)
		score.shook(hammer.Counts())
	}
}

// begin starts a host, with a reload command that Dovecot does not hear while a file
// says so.
func (l killedLife) begin(t *testing.T, score *score, program func() string) *killing {
	o := l.options
	o.TTL, o.Resolvers, o.Records = lifeTTL, 3, append(o.Records, foreignRecord...)
	if o.SecondaryLag == 0 {
		o.SecondaryLag = time.Second
	}
	h := newHost(t, o, setting{})
	k := newKilling(h, score, program())
	s := setting{staged: staged(h.Lego()), knownTTL: "5s", check: "[['true']]", reload: "[" + argv(h.Postfix.Reload) + "]"}
	if h.Dovecot != nil {
		deaf := filepath.Join(h.Dir, "reload-dovecot")
		h.write(deaf, "#!/bin/sh\ntest -e "+k.deaf()+" || exec "+strings.Join(h.Dovecot.Reload, " ")+"\n")
		if err := os.Chmod(deaf, 0o700); err != nil {
			t.Fatal(err)
		}
		s.endpoints = []string{"imaps://" + lab.Host}
		s.reload = "[" + argv(h.Postfix.Reload) + ", " + argv([]string{deaf}) + "]"
	}
	if l.realDirectory {
		k.makeDirectory(h.Dovecot.TLS)
	}
	if l.standby {
		s.scheme = "ee+standby"
	}
	h.configure(s)
	k.sources = []source{{"mx1", lab.ECDSA, h.Lego(), h.Postfix.Combined}}
	if o.RSA {
		h.addLineage("mx1rsa", h.SecondLego(), h.Postfix.CombinedRSA)
		k.sources = append(k.sources, source{"mx1rsa", lab.RSA, h.SecondLego(), h.Postfix.CombinedRSA})
	}
	k.list()
	k.adopt()
	k.until(3*time.Minute, "adopted", func(all []rollover.LineageStatus) string {
		for _, s := range all {
			if s.Live == nil {
				return s.Name + " has no live pair"
			}
		}
		return ""
	})
	return k
}
