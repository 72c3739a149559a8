package rollover

import (
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// epoch is when the books begin.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// bookkeeper enters looks into one ledger. Contents are named by letters: "ab" is
// an RRset of the records a and b, "" a denial, "?" no answer.
type bookkeeper struct {
	t       *testing.T
	l       Ledger
	w       waits
	now     time.Duration // since epoch
	target  tlsa.Owner
	nobody  bool   // holds the zone
	unknown string // why the servers are not known
}

func keepBooks(t *testing.T) *bookkeeper {
	return &bookkeeper{t: t, w: waits{Timing: Timing{TTLs: 1, Floor: time.Minute}}, target: "_25._tcp.mx1.example.org."}
}

const bookTTL = 10 * time.Minute // of every RRset; dead 11 minutes after it was last possibly served

func content(letters string) tlsa.RRset {
	var as []tlsa.Association
	for _, r := range letters {
		as = append(as, tlsa.Association{Params: tlsa.EE, Data: strings.Repeat(string(r)+"0", 32)})
	}
	return tlsa.NewRRset(bookTTL, as...)
}

// look enters what the servers give at a moment, in turn: s1, s2, ...
func (b *bookkeeper) look(minutes float64, answers ...string) {
	v := OwnerView{Target: b.target, Zone: "example.org.", Provider: "ns1", Security: Secure, Err: b.unknown}
	if b.nobody {
		v.Provider = ""
	}
	for i, a := range answers {
		sv := ServerView{Name: "ns.example.org.", Address: string(rune('1' + i)), NSTTL: bookTTL, Answer: Seen(content(a))}
		if a == "?" {
			sv.Answer = Unseen[tlsa.RRset]("timeout")
		}
		v.Servers = append(v.Servers, sv)
	}
	b.at(minutes, func(a *accounting) { a.enter(v, nil) })
}

func (b *bookkeeper) at(minutes float64, enter func(*accounting)) {
	b.now = time.Duration(minutes * float64(time.Minute))
	b.l = b.l.clone()
	enter(&accounting{Ledger: &b.l, waits: b.w, assumed: time.Minute, now: epoch.Add(b.now)})
}

func (b *bookkeeper) copied(minutes float64, letters string) {
	b.at(minutes, func(a *accounting) { a.copied(content(letters)) })
}

func (b *bookkeeper) written(minutes float64, letters string) {
	b.at(minutes, func(a *accounting) { a.written(content(letters)) })
}

// dead checks when a content is dead, in minutes; never is -1.
func (b *bookkeeper) dead(letters string, want float64) {
	b.t.Helper()
	for _, v := range b.l.Versions {
		if v.Unknown || !v.RRset.Same(content(letters)) {
			continue
		}
		got := -1.0
		if dead := b.w.dead(v); !dead.IsZero() {
			got = dead.Sub(epoch).Minutes()
		}
		if got != want {
			b.t.Errorf("%q is dead after %g minutes, want %g", letters, got, want)
		}
		return
	}
	b.t.Errorf("%q is not in the ledger", letters)
}

func TestLastPossiblyServedIsTheFirstLookWithoutIt(t *testing.T) {
	b := keepBooks(t)
	b.look(0, "a", "a")
	b.look(20, "ab", "a")
	b.dead("a", -1) // the second server gives it still
	b.look(40, "ab", "ab")
	b.dead("a", 51) // it may have been given until a moment ago
	b.look(45, "ab", "ab")
	b.dead("a", 51)
}

func TestSilenceRevivesWhatWasNotDead(t *testing.T) {
	b := keepBooks(t)
	b.look(0, "a", "a")
	b.look(10, "ab", "ab")
	b.dead("a", 21)
	b.look(15, "ab", "?") // out of sight, when a was not dead
	b.dead("a", 21)
	b.look(15.5, "ab", "ab") // made good within a minute: it does not count
	b.dead("a", 21)
	b.look(20, "ab", "?")
	b.look(30, "ab", "?")
	b.dead("a", -1)
	b.look(40, "ab", "ab")
	b.dead("a", 51)
}

func TestOneMissedLookIsALongSilenceWhereLooksAreRare(t *testing.T) {
	b := keepBooks(t)
	b.look(0, "a")
	b.look(10, "ab")
	b.look(20, "?")
	b.look(25, "ab")
	b.dead("a", 36)
}

func TestSilenceDoesNotReviveTheDead(t *testing.T) {
	b := keepBooks(t)
	b.look(0, "a")
	b.look(10, "ab")
	b.look(22, "?")
	b.look(26, "?")
	b.dead("a", 21)
}

func TestServersThatAreNotKnownMayGiveAnything(t *testing.T) {
	b := keepBooks(t)
	b.look(0, "a")
	b.look(10, "ab")
	b.unknown = "parent: SERVFAIL"
	b.look(10.5, "ab")
	b.dead("a", 21)
	b.look(15, "ab") // the one we know answers; there may be others
	b.dead("a", -1)
	b.unknown = ""
	b.look(30, "ab")
	b.dead("a", 41)
}

func TestNewServerMayHaveGivenAnything(t *testing.T) {
	b := keepBooks(t)
	b.look(0, "a")
	b.look(10, "ab")
	b.look(20, "ab", "ab") // it came at some time since the last look
	b.dead("a", 31)
	b.look(35, "ab", "ab")
	b.look(40, "ab", "ab", "ab") // by then a was dead
	b.dead("a", 31)
	b.look(45, "ab", "ab", "ab", "?") // not once heard
	b.dead("ab", -1)
	b.look(46, "abc", "abc", "abc", "?")
	b.dead("ab", -1)
}

func TestCopyCountsUntilEveryServerWasSeenAfter(t *testing.T) {
	b := keepBooks(t)
	b.look(0, "a", "a")
	b.copied(1, "a")
	b.look(2, "ab", "ab") // somebody added b
	b.dead("a", -1)       // for all we know the copy holds a
	b.copied(3, "ab")
	b.dead("a", -1)
	b.look(4, "ab", "?")
	b.dead("a", -1) // the second may take it from the copy yet
	b.look(4.5, "ab", "ab")
	b.dead("a", 15.5)
}

func TestWhatIsAboutToBeWrittenCounts(t *testing.T) {
	b := keepBooks(t)
	b.look(0, "a")
	b.copied(1, "a")
	b.written(1, "ab") // and whether it was, nobody knows
	b.look(2, "a")
	b.dead("ab", -1)
	b.copied(3, "a")
	b.dead("ab", -1)
	b.look(4, "a")
	b.dead("ab", 15)
}

func TestCopyOfAnotherPlaceIsLeftBehind(t *testing.T) {
	b := keepBooks(t)
	b.look(0, "a")
	b.copied(1, "a")
	b.target, b.nobody = "_dane.example.net.", true // an alias, to where nobody of ours writes
	b.look(10, "b")
	b.look(11, "b")
	b.dead("a", 22)
}

func TestExcludedServerLeavesWhatItGave(t *testing.T) {
	b := keepBooks(t)
	b.look(0, "ab", "a")
	b.at(10, func(a *accounting) {
		a.enter(OwnerView{Target: b.target, Servers: []ServerView{
			{Address: "1", Answer: Seen(content("ab"))}, {Address: "2", Answer: Seen(content("a"))}}}, map[string]bool{"2": true})
	})
	b.dead("a", 21)
	if len(b.l.Servers) != 1 {
		t.Errorf("%d servers are asked, want 1", len(b.l.Servers))
	}
}

func TestServerOfAnAliasHasNoContent(t *testing.T) {
	b := keepBooks(t)
	b.at(0, func(a *accounting) {
		a.enter(OwnerView{Target: b.target, Servers: []ServerView{
			{Address: "1", Answer: Seen(content("a"))}, {Address: "2", Alias: true, Answer: Seen(content(""))}}}, nil)
	})
	for _, v := range b.l.Versions {
		if !v.Unknown && v.RRset.Denial() {
			t.Error("the alias's server counts as giving a denial")
		}
	}
	if latest := b.l.latest(); !latest.Same(content("a")) {
		t.Errorf("what stands is %v", latest)
	}
}

// Servers that give one content with ever other TTLs do not fill the ledger, and
// the longest counts.
func TestLedgerStaysSmall(t *testing.T) {
	b := keepBooks(t)
	for i := range 100 {
		b.at(float64(i)/10, func(a *accounting) {
			s := content("a")
			s.TTL -= time.Duration(i) * time.Second
			a.enter(OwnerView{Target: b.target, Servers: []ServerView{{Address: "1", Answer: Seen(s)}}}, nil)
		})
	}
	if n := len(b.l.Versions); n > manyVersions+1 {
		t.Errorf("%d versions", n)
	}
	var last time.Time
	for _, v := range b.l.Versions {
		if !v.Unknown && !v.current() {
			last = latest(last, b.w.dead(v))
		}
	}
	// The last but one was given until the last look.
	if want := epoch.Add(99*6*time.Second + bookTTL - 98*time.Second + time.Minute); last.Before(want) {
		t.Errorf("all dead at %s, want %s at least", last.Sub(epoch), want.Sub(epoch))
	}
	b.look(60, "b")
	if n := len(b.l.Versions); n > 3 {
		t.Errorf("%d versions long after", n)
	}
}

// Where versions become one, the longest TTL stands for all of them.
func TestLongestTTLStandsForAll(t *testing.T) {
	b := keepBooks(t)
	for i := range 40 {
		b.at(float64(i)/60, func(a *accounting) {
			s := content("a")
			if i > 0 {
				s.TTL = time.Duration(i) * time.Second
			}
			a.enter(OwnerView{Target: b.target, Servers: []ServerView{{Address: "1", Answer: Seen(s)}}}, nil)
		})
	}
	b.look(1, "b")
	var last time.Time
	for _, v := range b.l.Versions {
		if v.RRset.Same(content("a")) {
			last = latest(last, b.w.dead(v))
		}
	}
	if want := epoch.Add(time.Second + bookTTL + time.Minute); last.Before(want) {
		t.Errorf("all dead after %s, and the first one not before %s", last.Sub(epoch), want.Sub(epoch))
	}
}

func TestCountedLooksAreSpaced(t *testing.T) {
	b := keepBooks(t)
	holds := func(want int) {
		t.Helper()
		if got := b.l.Servers[0].holds(content("a").Associations[0]); got != want {
			t.Errorf("at %s: seen %d times, want %d", b.now, got, want)
		}
	}
	b.look(0, "a")
	holds(1)
	b.look(0.4, "a") // closer than 30 s
	holds(1)
	b.look(0.5, "a")
	holds(2)
	b.look(0.9, "?")
	holds(2)
	b.look(1.1, "a")
	holds(3)
	b.look(2, "b")
	b.look(3, "a")
	holds(1) // from the beginning
}

// A name whose servers are all out of sight looks like no alias: it leads to where it led.
func TestAliasIsNotForgottenWhileNobodyAnswers(t *testing.T) {
	b := keepBooks(t)
	owner := b.target
	b.target = "_dane.example.org."
	b.look(0, "a", "a")
	b.copied(1, "a")
	b.target = owner
	b.look(10, "?", "?")
	if b.l.Target != "_dane.example.org." || b.l.Err == "" || !b.l.latest().Same(content("a")) {
		t.Errorf("it leads to %s (%s), where %v stands", b.l.Target, b.l.Err, b.l.latest())
	}
	b.dead("a", -1)
	b.look(20, "?", "ab") // it is one no more
	if b.l.Target != owner || b.l.Err != "" {
		t.Errorf("it leads to %s (%s)", b.l.Target, b.l.Err)
	}
}
