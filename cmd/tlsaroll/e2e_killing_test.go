package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// killing is a host whose daemon is killed again and again, and started again at once,
// as systemd does it. It is for one goroutine.
type killing struct {
	*host
	score   *score
	random  *rand.Rand
	kills   int
	sources []source
	before  map[string][]string // what stood in a directory at first
	old     []string            // ids of the pairs that were live before, by source
	shown   []string            // ids of all pairs that were ever switched to

	daemon *lab.Daemon
	told   []*lab.Daemon    // the last of those that were killed
	armed  map[string]int   // where it kills itself, at the how-manieth passing
	moment <-chan time.Time // when it is killed wherever it is
	left   int              // how often it still is in this rollover
	ahead  bool             // pairs have the keys that were made ahead
	shot   bool
}

// A source is a lineage, and where its pairs come from.
type source struct {
	lineage   string
	key       lab.KeyType
	lego      *lab.Lego
	installed string
}

func newKilling(h *host, score *score, program string) *killing {
	seed := uint64(time.Now().UnixNano())
	h.t.Logf("seed %d", seed)
	h.program = program
	k := &killing{host: h, score: score, random: rand.New(rand.NewPCG(seed, 0))}
	h.t.Cleanup(func() {
		for _, d := range append(k.told, k.daemon) {
			if h.t.Failed() && d != nil {
				h.t.Log(d)
			}
		}
	})
	return k
}

// arm says where the next daemon kills itself: at each point where that is still to be
// seen, or in a long run at some of the rarest, at whatever passing.
func (k *killing) arm(long bool) {
	k.armed, k.left = map[string]int{}, 4
	points := k.score.unhit()
	if long {
		points = k.score.rarest(k.random)[:12]
	}
	for _, point := range points {
		k.armed[point] = 1
		if long {
			k.armed[point] = 1 + k.random.IntN(1+2*min(1, k.score.at(point)))
		}
	}
	k.aim()
	k.shoot() // the next one hears of it
}

// adopt starts the first daemon: in one life it is killed when it has adopted what is
// served, in the next one at all points up to there.
func (k *killing) adopt() {
	k.arm(false)
	if whole := "adopt: done"; k.armed[whole] > 0 && k.score.first() {
		k.armed = map[string]int{whole: 1}
	}
	k.start()
}

// shoot kills the daemon wherever it is.
func (k *killing) shoot() {
	if k.daemon != nil {
		k.shot = true
		k.daemon.Kill() // it may just have killed itself
	}
}

// aim chooses the next moment to kill the daemon at.
func (k *killing) aim() {
	k.moment = nil
	if k.left--; k.left >= 0 {
		k.moment = time.After(time.Duration(k.random.ExpFloat64() * float64(4*time.Second)))
	}
}

// start starts the daemon, and does not wait until it runs.
func (k *killing) start() {
	var plan []string
	for point, nth := range k.armed {
		plan = append(plan, fmt.Sprintf("%s#%d", point, nth))
	}
	k.daemon = lab.StartDaemon(k.t, lab.DaemonOptions{Dir: k.Dir, Env: []string{"TLSAROLL_FAILPOINTS=" + strings.Join(plan, ";")}}, k.program, "-c", k.config, "run")
}

// again notes where the daemon was killed, and starts it again.
func (k *killing) again() {
	k.t.Helper()
	at := ""
	if k.shot {
		at, k.shot = anyMoment, false
	}
	for _, line := range k.daemon.Lines() {
		if point, ok := strings.CutPrefix(line.Text, "failpoint: "); ok {
			at, _, _ = strings.Cut(point, "#")
		}
	}
	if code := k.ends(k.daemon); code != -1 || at == "" {
		k.t.Fatalf("it ended by itself, with %d", code)
	}
	delete(k.armed, at)
	k.kills++
	k.score.killed(at)
	k.told = append(k.told[max(0, len(k.told)-5):], k.daemon)
	k.start()
}

// stop ends the daemon in good order.
func (k *killing) stop() {
	k.daemon.Signal(k.t, syscall.SIGTERM)
	if code := k.ends(k.daemon); code != exitDone {
		k.t.Errorf("it ended with %d", code)
	}
}

// until keeps the daemon running, whoever kills it, until nothing lacks any more.
func (k *killing) until(limit time.Duration, what string, lacks func([]rollover.LineageStatus) string) []rollover.LineageStatus {
	k.t.Helper()
	end := time.After(limit)
	statuses := make(chan []rollover.LineageStatus, 1)
	look := func(after time.Duration) {
		time.Sleep(after)
		statuses <- k.look()
	}
	go look(0)
	why := "no status"
	for {
		select {
		case <-k.daemon.Ended():
			k.again()
		case <-k.moment:
			k.shoot()
			k.aim()
		case all := <-statuses:
			if all != nil {
				if why = lacks(all); why == "" {
					return all
				}
			}
			go look(100 * time.Millisecond)
		case <-end:
			k.t.Fatalf("not %s after %s: %s", what, limit, why)
		}
	}
}

// now is how all lineages stand.
func (k *killing) now() []rollover.LineageStatus {
	k.t.Helper()
	return k.until(10*time.Second, "there", func([]rollover.LineageStatus) string { return "" })
}

// look is what status says of all lineages, nil where it could not: it was asked just
// when the daemon was killed, or had the journal and did not yet answer.
func (k *killing) look() []rollover.LineageStatus {
	code, out, _ := k.tlsaroll("status", "--json")
	var s rollover.Status
	if code != exitDone || json.Unmarshal([]byte(out.String()), &s) != nil || len(s.Lineages) != len(k.sources) {
		return nil
	}
	return s.Lineages
}

// renew has every lineage get a new pair, left by lego or handed in.
func (k *killing) renew(handsIn bool) []*lab.Pair {
	k.t.Helper()
	var pairs []*lab.Pair
	for _, s := range k.sources {
		o := lab.LeafOptions{KeyType: s.key}
		if k.ahead {
			o.Key = k.standbyKey(s.lineage).Signer()
		}
		p := k.Certificates().Issue(k.t, o)
		pairs = append(pairs, p)
		if !handsIn {
			s.lego.Renew(k.t, p)
			continue
		}
		done := make(chan struct{})
		go func() { // as often as the daemon is killed before it answers
			defer close(done)
			for {
				code, _, _ := k.tlsaroll("rollover", s.lineage, "--cert", p.Fullchain(), "--key", p.Privkey())
				if code == exitDone || code == exitWaiting || k.t.Context().Err() != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}()
		k.until(time.Minute, "handed in", func([]rollover.LineageStatus) string {
			select {
			case <-done:
				return ""
			default:
				return "nobody has taken the pair"
			}
		})
	}
	return pairs
}

// keyring has the keys that were made ahead.
func (k *killing) keyring() certwatch.Keyring {
	return certwatch.Keyring{Dir: agent.KeysIn(filepath.Join(k.Dir, "tlsaroll"))}
}

// standbyKey is a lineage's, once it is made.
func (k *killing) standbyKey(lineage string) (key certwatch.Key) {
	k.t.Helper()
	k.until(time.Minute, "with a standby key", func([]rollover.LineageStatus) string {
		var err error
		if key, err = k.keyring().Next(lineage); err != nil {
			return err.Error()
		}
		return ""
	})
	return key
}

// finished makes a rollover, and wants it to come to its end with nothing left over.
func (k *killing) finished(handsIn bool) {
	k.t.Helper()
	k.old = nil
	for _, s := range k.now() {
		k.old = append(k.old, string(s.Live.ID))
	}
	k.shown = append(k.shown, k.old...)
	pairs := k.renew(handsIn)
	k.until(5*time.Minute, "finished", func(all []rollover.LineageStatus) string {
		for i, s := range all {
			switch {
			case s.Standby != nil && (s.Standby.Phase != rollover.Ready || s.Standby.SPKI == s.Live.SPKI):
				return "the standby key is " + string(s.Standby.Phase)
			case !live(pairs[i])(s) || s.Queued != nil || s.Held != nil || len(s.Waiting)+len(s.Warnings) > 0:
				return s.Explain(time.Now())
			case slices.ContainsFunc(s.Endpoints, func(e rollover.EndpointStatus) bool { return e.Verified != rollover.Yes }):
				return "an endpoint is not verified"
			}
		}
		return k.litter(all)
	})
	k.score.ended(false)
	k.wants(pairs...)
	for i, s := range k.sources {
		want, err := os.ReadFile(pairs[i].Combined())
		if err != nil {
			k.t.Fatal(err)
		}
		if got := k.read(s.installed); got != string(want) {
			k.t.Errorf("%s holds another pair than the newest", s.installed)
		}
	}
	if len(pairs) == 1 { // of two it presents what the client prefers
		k.soonPresents(k.t, pairs[0])
	}
	if k.Dovecot != nil {
		if got := k.presentsIMAPS(k.t); got != leafID(pairs[0]) {
			k.t.Errorf("Dovecot presents %s, want %s", got, leafID(pairs[0]))
		}
	}
}

// undone has a swap that must be undone, as Dovecot does not hear of it: the old pair is
// served, and the records of both stand.
func (k *killing) undone() {
	k.t.Helper()
	old := k.now()[0].Live
	k.write(k.deaf(), "")
	next := k.renew(true)[0]
	k.until(5*time.Minute, "undone", func(all []rollover.LineageStatus) string {
		s := all[0]
		if s.Held == nil || s.Swapping != nil || s.Live == nil || s.Live.ID != old.ID || !succeeds(next)(s) {
			return s.Explain(time.Now())
		}
		return ""
	})
	k.score.ended(true)
	k.shown = append(k.shown, string(k.now()[0].Successor.ID))
	if got := k.presentsIMAPS(k.t); got != old.Leaf {
		k.t.Errorf("Dovecot presents %s, want %s", got, old.Leaf)
	}
	if records := k.records(lab.Owner(993)); len(records) != 2 || !slices.Contains(records, next.TLSA(k.t, tlsa.EE)) {
		k.t.Errorf("the records are %q", records)
	}
	if err := os.Remove(k.deaf()); err != nil {
		k.t.Fatal(err)
	}
}

// cancelled hands in a pair and cancels it again: it leaves the stash when no answer
// that is held vouches for it any more, and there the daemon is killed.
func (k *killing) cancelled(points ...string) {
	k.t.Helper()
	k.armed, k.moment = map[string]int{}, nil
	for _, point := range points {
		k.armed[point] = 1
	}
	last := k.daemon
	k.shoot()
	live := string(k.running(last)[0].Live.ID)
	k.renew(true)
	for end := time.Now().Add(time.Minute); ; {
		k.running(nil)
		code, _, errs := k.tlsaroll("cancel", "mx1")
		if s := k.now()[0]; s.Successor == nil && s.Queued == nil {
			break
		}
		if time.Now().After(end) {
			k.t.Fatalf("it cannot be cancelled: exit %d\n%s", code, errs)
		}
	}
	k.until(time.Minute, "out of the stash", func([]rollover.LineageStatus) string {
		for _, id := range k.names(filepath.Join(k.Dir, "tlsaroll", "stash")) {
			if id != live && !slices.Contains(k.shown, id) {
				return "the stash holds " + id
			}
		}
		return ""
	})
}

// running waits until a daemon other than the last one answers: without one, commands do
// themselves what is to be done.
func (k *killing) running(last *lab.Daemon) []rollover.LineageStatus {
	k.t.Helper()
	runs := func(l lab.Line) bool { return strings.Contains(l.Text, "tlsaroll runs") }
	return k.until(time.Minute, "running", func([]rollover.LineageStatus) string {
		if k.daemon == last || !slices.ContainsFunc(k.daemon.Lines(), runs) {
			return "the daemon does not run yet"
		}
		return ""
	})
}

func (k *killing) deaf() string { return filepath.Join(k.Dir, "dovecot-is-deaf") }

// wants wants the records of pairs and someone else's, and no others.
func (k *killing) wants(pairs ...*lab.Pair) {
	k.t.Helper()
	var records []string
	for _, p := range pairs {
		records = append(records, p.TLSA(k.t, tlsa.EE))
	}
	for _, s := range k.now() {
		if s.Standby != nil {
			records = append(records, s.Standby.Record)
		}
	}
	if k.Dovecot != nil {
		k.only(lab.Owner(993), records...)
	}
	k.only(lab.Owner(25), append(slices.Clone(records), someoneElses)...)
}

// hammers are the senders, and who fetches mail.
func (k *killing) hammers() []*lab.Tally {
	hammers := []*lab.Tally{k.Hammer(k.t.Context(), lab.HammerOptions{Rate: 3, Stagger: lifeTTL})}
	if k.Dovecot != nil {
		hammers = append(hammers, k.Hammer(k.t.Context(), lab.HammerOptions{Rate: 3, Port: 993, Stagger: lifeTTL}))
	}
	for _, s := range k.sources[1:] {
		hammers = append(hammers, k.Hammer(k.t.Context(), lab.HammerOptions{Rate: 3, Takes: []lab.KeyType{s.key}, Stagger: lifeTTL}))
	}
	return hammers
}

// makeDirectory makes a directory of a symlink to one.
func (k *killing) makeDirectory(path string) {
	k.t.Helper()
	target, err := filepath.EvalSymlinks(path)
	if err == nil {
		err = os.Remove(path)
	}
	if err == nil {
		err = os.Rename(target, path)
	}
	if err != nil {
		k.t.Fatal(err)
	}
}
