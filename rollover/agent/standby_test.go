package agent

import (
	"bytes"
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// standbyWorld has a lineage with standby keys, adopted, whose first one was made.
func standbyWorld(t *testing.T, w *world) (a *Agent, live certwatch.Pair) {
	t.Helper()
	w.lineage("mx1").Policy.Scheme.Standby = true
	live = w.ca.issue(t, "mx1.example.org")
	w.serve("mx1", live)
	a = w.open()
	w.goOn(a, 5*time.Minute, func(r Report) bool { return standbyIs(r, rollover.Ready) && r.State.Lineages["mx1"].Live == live.ID() })
	return a, live
}

func (w *world) keyring() certwatch.Keyring {
	return certwatch.Keyring{Dir: filepath.Join(w.config.State, "keys")}
}

// nextKey is the key in the keyring, with its record.
func (w *world) nextKey() (crypto.Signer, tlsa.Association) {
	w.t.Helper()
	k, err := w.keyring().Next("mx1")
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := k.Association()
	if err != nil {
		w.t.Fatal(err)
	}
	return k.Signer(), a
}

func standbyIs(r Report, phase rollover.Phase) bool {
	s := rollover.Describe(r.State, r.Policy, r.At)[0].Standby
	return s != nil && s.Phase == phase
}

func told(r Report, code rollover.Code) string {
	for _, w := range r.State.Lineages["mx1"].Warnings {
		if w.Code == code {
			return w.Text
		}
	}
	return ""
}

// A renewal with the standby key waits for no cache. The key stays what it is until its
// certificate was seen to be served; then the next one is made and published.
func TestStandbyKeyIsUsedAndFollowed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, live := standbyWorld(t, w)
		defer func() { w.close(a) }()
		key, first := w.nextKey()
		if got := w.stands(owner25("mx1.example.org")); !slices.Equal(got, tlsa.NewRRset(0, record(t, live), first).Associations) {
			t.Errorf("before: %v", got)
		}
		w.close(a)
		a = w.open() // what is remembered and what is kept are the same
		next := w.ca.issueFor(t, key, 90*24*time.Hour, "mx1.example.org")
		w.stage("mx1", next)
		begun := time.Now()
		var swapped time.Time
		w.goOn(a, 10*time.Minute, func(r Report) bool {
			l := r.State.Lineages["mx1"]
			if swapped.IsZero() && l.Live == next.ID() {
				swapped = time.Now()
			}
			if _, now := w.nextKey(); now != first && (l.Live != next.ID() || l.Swapping != nil) {
				t.Fatal("the next key was made before the swap was verified")
			}
			return isSteady("mx1", next)(r) && standbyIs(r, rollover.Ready)
		})
		if took := swapped.Sub(begun); took > time.Minute+time.Second { // the poll that finds the files
			t.Errorf("swapped after %s", took)
		}
		_, second := w.nextKey()
		if got := w.stands(owner25("mx1.example.org")); second == first || !slices.Equal(got, tlsa.NewRRset(0, first, second).Associations) {
			t.Errorf("afterwards: %v", got)
		}
	})
}

// A swap that is undone uses up no key: the same one serves the next try.
func TestFailedSwapUsesUpNoKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, live := standbyWorld(t, w)
		defer w.close(a)
		key, first := w.nextKey()
		w.failing["reload"] = 1
		next := w.ca.issueFor(t, key, 90*24*time.Hour, "mx1.example.org")
		w.stage("mx1", next)
		w.goOn(a, 10*time.Minute, func(r Report) bool { return r.State.Lineages["mx1"].Held != nil && !r.Changed })
		w.stay(a, 10*time.Minute)
		if _, now := w.nextKey(); now != first {
			t.Error("another key was made")
		}
		if got := w.stands(owner25("mx1.example.org")); !slices.Equal(got, tlsa.NewRRset(0, record(t, live), first).Associations) {
			t.Errorf("records: %v", got)
		}
		w.goOn(a, 3*time.Hour, isSteady("mx1", next))
		if _, now := w.nextKey(); now == first {
			t.Error("no other key was made in the end")
		}
	})
}

// Keys that are gone are said to be, and others made; what the journal knows of them is
// of no use, and leaves. Without the journal, what stands is the key's all the same.
func TestLostKeysAndLostJournal(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, live := standbyWorld(t, w)
		_, first := w.nextKey()
		if err := os.RemoveAll(w.keyring().Dir); err != nil {
			t.Fatal(err)
		}
		r := w.goOn(a, 5*time.Minute, func(r Report) bool { return told(r, rollover.CodeStandbyLost) != "" })
		if text := told(r, rollover.CodeStandbyLost); !strings.Contains(text, shortly(first)) {
			t.Errorf("says %q", text)
		}
		r = w.goOn(a, 10*time.Minute, func(r Report) bool { return standbyIs(r, rollover.Ready) && told(r, rollover.CodeStandbyLost) == "" })
		_, second := w.nextKey()
		want := tlsa.NewRRset(0, record(t, live), second).Associations
		if got := w.stands(owner25("mx1.example.org")); second == first || !slices.Equal(got, want) {
			t.Errorf("records: %v\n%s", got, w.story(r))
		}
		w.close(a)
		if err := os.Remove(filepath.Join(w.config.State, "journal.db")); err != nil {
			t.Fatal(err)
		}
		a = w.open()
		defer func() { w.close(a) }()
		w.goOn(a, 20*time.Minute, func(r Report) bool {
			return standbyIs(r, rollover.Ready) && r.State.Lineages["mx1"].Phase == rollover.Steady
		})
		if _, now := w.nextKey(); now != second {
			t.Error("another key was made although one was there")
		}
		key, _ := w.nextKey()
		next := w.ca.issueFor(t, key, 90*24*time.Hour, "mx1.example.org")
		w.stage("mx1", next)
		w.goOn(a, 10*time.Minute, isSteady("mx1", next))
		_, third := w.nextKey()
		if got := w.stands(owner25("mx1.example.org")); !slices.Equal(got, tlsa.NewRRset(0, second, third).Associations) {
			t.Errorf("a record stays as if it were somebody else's: %v", got)
		}
	})
}

// A key that everybody can read is not used, its record stays, and the sentence says
// what to do.
func TestExposedKeyIsKeptPublished(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, live := standbyWorld(t, w)
		defer w.close(a)
		_, first := w.nextKey()
		path := w.keyring().Path("mx1")
		if err := os.Chmod(path, 0o604); err != nil {
			t.Fatal(err)
		}
		r := w.goOn(a, 5*time.Minute, func(r Report) bool { return told(r, rollover.CodeStandbyUnreadable) != "" && !r.Changed })
		if text := told(r, rollover.CodeStandbyUnreadable); !strings.Contains(text, "mode 0604") || !strings.Contains(text, "remove "+path) {
			t.Errorf("says %q", text)
		}
		w.stay(a, 10*time.Minute)
		if got := w.stands(owner25("mx1.example.org")); !slices.Equal(got, tlsa.NewRRset(0, record(t, live), first).Associations) {
			t.Errorf("records: %v", got)
		}
	})
}

// What only looks makes no key, and says that there is none yet.
func TestDryAgentMakesNoKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		live := w.ca.issue(t, "mx1.example.org")
		w.lineage("mx1")
		w.serve("mx1", live)
		a := w.open()
		w.goOn(a, 5*time.Minute, isSteady("mx1", live))
		w.close(a)
		w.config.Lineages[0].Policy.Scheme.Standby = true
		fromDisk, err := OpenDry(w.config)
		if err != nil {
			t.Fatal(err)
		}
		defer w.close(fromDisk)
		a = w.open()
		defer w.close(a)
		beside, err := a.Dry()
		if err != nil {
			t.Fatal(err)
		}
		defer w.close(beside)
		for _, dry := range []*Agent{fromDisk, beside} {
			r, err := dry.Pass(t.Context(), "mx1")
			if err != nil {
				t.Fatal(err)
			}
			if told(r, rollover.CodeStandbyToCome) == "" {
				t.Errorf("nothing is said: %s", w.story(r))
			}
		}
		if _, err := os.Lstat(w.keyring().Dir); err == nil {
			t.Error("a key was made")
		}
	})
}

// A scheme without standby takes the record out and leaves the key; with it again the
// same key stands.
func TestSchemeLosesItsStandbyKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, live := standbyWorld(t, w)
		_, first := w.nextKey()
		w.close(a)
		w.config.Lineages[0].Policy.Scheme.Standby = false
		a = w.open()
		w.goOn(a, 10*time.Minute, func(r Report) bool {
			return slices.Equal(w.stands(owner25("mx1.example.org")), []tlsa.Association{record(t, live)})
		})
		w.close(a)
		w.config.Lineages[0].Policy.Scheme.Standby = true
		a = w.open()
		defer w.close(a)
		w.goOn(a, 10*time.Minute, func(r Report) bool { return standbyIs(r, rollover.Ready) })
		if _, now := w.nextKey(); now != first {
			t.Error("another key was made")
		}
	})
}

// Keys are of the live one's type, unless the configuration says otherwise; one that has
// waited is used before a change of that counts.
func TestStandbyKeyTypes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l := w.lineage("mx1")
		l.Policy.Scheme.Standby = true
		live := w.ca.issueRSA(t, "mx1.example.org")
		w.serve("mx1", live)
		a := w.open()
		w.goOn(a, 5*time.Minute, func(r Report) bool { return standbyIs(r, rollover.Ready) })
		key, first := w.nextKey()
		if got := certwatch.KeyTypeOf(key.Public()); got != certwatch.RSA2048 {
			t.Errorf("the first key is %s", got)
		}
		w.close(a)
		w.config.Lineages[0].KeyType = certwatch.EC384
		a = w.open()
		defer func() { w.close(a) }()
		r := w.goOn(a, 5*time.Minute, func(r Report) bool { return told(r, rollover.CodeStandbyOtherType) != "" })
		if r.State.Lineages["mx1"].Standby != first {
			t.Error("the key that has waited is not kept")
		}
		next := w.ca.issueFor(t, key, 90*24*time.Hour, "mx1.example.org")
		w.stage("mx1", next)
		w.goOn(a, 10*time.Minute, isSteady("mx1", next))
		if key, _ := w.nextKey(); certwatch.KeyTypeOf(key.Public()) != certwatch.EC384 {
			t.Errorf("the key after it is %s", certwatch.KeyTypeOf(key.Public()))
		}
	})
}

// A certificate that was ordered with a request comes without its key: that is the
// standby key; and when it is live, the file is still taken for what it is.
func TestCertificateWithoutItsKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := standbyWorld(t, w)
		w.close(a)
		w.config.Lineages[0].Staged.Key = ""
		a = w.open()
		defer func() { w.close(a) }()
		key, _ := w.nextKey()
		next := w.ca.issueFor(t, key, 90*24*time.Hour, "mx1.example.org")
		w.write(w.config.Lineages[0].Staged.Cert, next.ChainPEM())
		r := w.goOn(a, 10*time.Minute, func(r Report) bool { return isSteady("mx1", next)(r) && standbyIs(r, rollover.Ready) })
		installed, err := os.ReadFile(w.paths["mx1"])
		if err != nil || !bytes.Contains(installed, next.ChainPEM()) {
			t.Errorf("installed: %v", err)
		}
		w.goOn(a, 3*time.Minute, func(r Report) bool { return r.At.Sub(r.State.Lineages["mx1"].Verified) > 2*time.Minute })
		if why := r.State.Lineages["mx1"].Waiting; len(why) > 0 {
			t.Errorf("it waits: %v", why)
		}
		w.write(w.config.Lineages[0].Staged.Cert, w.ca.issue(t, "mx1.example.org").ChainPEM())
		w.goOn(a, 5*time.Minute, func(r Report) bool {
			return slices.ContainsFunc(r.State.Lineages["mx1"].Waiting, func(w rollover.Reason) bool {
				return w.Code == rollover.CodeStagedUnreadable && strings.Contains(w.Text, "none that is kept for this lineage fits")
			})
		})
	})
}

// Some ACME clients keep their next key in a file: that is published, and none is made
// here. While an order is under way no file holds the key that it is for: its record
// stays until the certificate is there, or can be no more expected.
func TestNextKeyOfAnACMEClient(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		now := realNow(t, w.dir)
		w.ahead(time.Until(now)) // the disk's times are not the bubble's
		l := w.lineage("mx1")
		l.Policy.Scheme.Standby = true
		l.NextKey = filepath.Join(w.dir, "mx1.key.next")
		live := w.ca.issue(t, "mx1.example.org")
		w.serve("mx1", live)
		a := w.open()
		defer w.close(a)
		r := w.goOn(a, 5*time.Minute, func(r Report) bool { return told(r, rollover.CodeStandbyAbsent) != "" && isSteady("mx1", live)(r) })
		if text := told(r, rollover.CodeStandbyAbsent); !strings.Contains(text, "--always-force-new-domain-key") {
			t.Errorf("says %q", text)
		}
		if got := w.stands(owner25("mx1.example.org")); len(got) != 1 {
			t.Errorf("without a next key there stand %v", got)
		}
		keep := func() (crypto.Signer, tlsa.Association) {
			k, err := certwatch.EC256.Generate()
			if err != nil {
				t.Fatal(err)
			}
			w.write(l.NextKey, k.PEM())
			record, err := k.Association()
			if err != nil {
				t.Fatal(err)
			}
			return k.Signer(), record
		}
		key, first := keep()
		w.goOn(a, 5*time.Minute, func(r Report) bool { return standbyIs(r, rollover.Ready) && r.State.Lineages["mx1"].Standby == first })
		_, second := keep() // the order begins
		w.stay(a, 20*time.Minute)
		if got := w.stands(owner25("mx1.example.org")); !slices.Equal(got, tlsa.NewRRset(0, record(t, live), first).Associations) {
			t.Errorf("while the order is under way there stand %v", got)
		}
		next := w.ca.issueFor(t, key, 90*24*time.Hour, "mx1.example.org")
		w.stage("mx1", next)
		begun := time.Now()
		w.goOn(a, 10*time.Minute, func(r Report) bool { return r.State.Lineages["mx1"].Live == next.ID() })
		if took := time.Since(begun); took > time.Minute+time.Second { // the poll
			t.Errorf("swapped after %s", took)
		}
		w.goOn(a, 10*time.Minute, func(r Report) bool { return isSteady("mx1", next)(r) && standbyIs(r, rollover.Ready) })
		if got := w.stands(owner25("mx1.example.org")); !slices.Equal(got, tlsa.NewRRset(0, first, second).Associations) {
			t.Errorf("afterwards there stand %v", got)
		}
		_, third := keep() // an order that comes to nothing
		w.goOn(a, 3*time.Hour, func(r Report) bool {
			return r.State.Lineages["mx1"].Standby == third && !r.Changed && len(w.stands(owner25("mx1.example.org"))) == 2
		})
		if err := os.Remove(l.NextKey); err != nil {
			t.Fatal(err)
		}
		w.goOn(a, 5*time.Minute, func(r Report) bool { return told(r, rollover.CodeStandbyUnreadable) != "" })
		if got := w.stands(owner25("mx1.example.org")); !slices.Equal(got, tlsa.NewRRset(0, first, third).Associations) {
			t.Errorf("with the file gone there stand %v", got)
		}
		if _, err := w.keyring().Next("mx1"); err == nil {
			t.Error("a key was made beside the client's")
		}
	})
}

// realNow is the time by which the disk goes.
func realNow(t *testing.T, dir string) time.Time {
	t.Helper()
	path := filepath.Join(dir, "now")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

// A standby key that is live already and could not be followed by another one is never
// again the key of what comes next, once it was declared compromised.
func TestCompromisedKeyIsNoStandbyKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := standbyWorld(t, w)
		defer w.close(a)
		full := &fullKeys{Keys: a.rooms.Keys, full: true}
		a.rooms.Keys = full
		key, first := w.nextKey()
		second := w.ca.issueFor(t, key, 90*24*time.Hour, "mx1.example.org")
		w.stage("mx1", second)
		w.goOn(a, 10*time.Minute, func(r Report) bool {
			return isSteady("mx1", second)(r) && told(r, rollover.CodeStandbyUnreadable) != ""
		})
		third := w.ca.issue(t, "mx1.example.org")
		if _, err := a.Offer("mx1", third); err != nil {
			t.Fatal(err)
		}
		if err := a.Order("mx1", rollover.Orders{Emergency: true}); err != nil {
			t.Fatal(err)
		}
		w.goOn(a, time.Hour, isSteady("mx1", third))
		full.full = false
		w.goOn(a, time.Hour, func(r Report) bool { return isSteady("mx1", third)(r) && standbyIs(r, rollover.Ready) })
		_, next := w.nextKey()
		if got := w.stands(owner25("mx1.example.org")); next == first || !slices.Equal(got, tlsa.NewRRset(0, record(t, third), next).Associations) {
			t.Errorf("the next key is the compromised one: %t; there stand %v", next == first, got)
		}
	})
}

// fullKeys lets no key go while its disk is full.
type fullKeys struct {
	Keys
	full bool
}

func (k *fullKeys) Drop(lineage string) error {
	if k.full {
		return errors.New("no space left on device")
	}
	return k.Keys.Drop(lineage)
}

// A key whose certificate is live is no next key, though another one cannot be made
// before its swap is verified: what a person has ordered in between is of a fresh one.
func TestOrderWhileTheStandbyKeyIsTakenUp(t *testing.T) {
	inOrderedWorld(t, func(t *testing.T, w *world, c *aCA, first certwatch.Pair) {
		w.config.Lineages[0].Policy.Scheme.Standby = true
		a := w.open()
		defer w.close(a)
		w.goOn(a, 13*time.Hour, func(r Report) bool { return isSteady("mx1", first)(r) && standbyIs(r, rollover.Ready) })
		second, err := a.IssueNow(t.Context(), "mx1")
		if err != nil {
			t.Fatal(err)
		}
		r := w.goOn(a, time.Hour, func(r Report) bool { l := r.State.Lineages["mx1"]; return l.Live == second.ID() && l.Swapping != nil })
		if s := rollover.Describe(r.State, r.Policy, r.At)[0].Standby; s != nil {
			t.Errorf("status says that the live key is the standby key: %+v", s)
		}
		third, err := a.IssueNow(t.Context(), "mx1")
		if err != nil {
			t.Fatal(err)
		}
		if third.Chain.SPKI() == second.Chain.SPKI() {
			t.Error("the key of the live pair is used again")
		}
		w.goOn(a, time.Hour, isSteady("mx1", third))
	})
}
