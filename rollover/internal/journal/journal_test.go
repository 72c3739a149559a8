package journal

import (
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestRoundTrip(t *testing.T) {
	path := pathIn(t)
	g, other := groupOf(t, "mx1", "mx1-rsa"), groupOf(t, "mx2")
	g.Offers = map[string][]rollover.Offer{"mx1": {{Chain: idOf(1)}, {Chain: idOf(2), Explicit: true}}, "mx1-rsa": nil}
	j, empty := mustOpen(t, path)
	if !empty.Stamp.Time.IsZero() || len(empty.Lineages)+len(empty.Ledgers)+len(empty.Chains) > 0 {
		t.Errorf("a new journal holds %+v", empty)
	}
	mustSave(t, j, g, time.Minute)
	mustSave(t, j, other, 2*time.Minute)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	read, err := Read(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	_, c := mustOpen(t, path)
	for _, c := range []Contents{c, read} {
		expect(t, "mx1", g, c)
		expect(t, "mx2", other, c)
		if diff := cmp.Diff(stampAt(2*time.Minute), c.Stamp); diff != "" {
			t.Errorf("stamp (-saved +loaded):\n%s", diff)
		}
		if diff := cmp.Diff(map[string][]rollover.Offer{"mx1": g.Offers["mx1"]}, c.Offers); diff != "" {
			t.Errorf("offers (-saved +loaded):\n%s", diff)
		}
	}
	for id, chain := range g.State.Chains {
		for i, cert := range chain.Certificates() {
			if !c.Chains[id].Certificates()[i].Equal(cert) {
				t.Errorf("certificate %d of chain %s is another", i, id.Short())
			}
		}
	}
}

// TestSaveWritesWhatChanged counts pages: to write one ledger must not write the
// rest, and to write nothing must not sync.
func TestSaveWritesWhatChanged(t *testing.T) {
	path := pathIn(t)
	j, _ := mustOpen(t, path)
	groups := map[string]Group{}
	for i := range 200 {
		name := "mx" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		groups[name] = groupOf(t, name)
		mustSave(t, j, groups[name], 0)
	}
	before := commits(t, j)
	g := groups["mxac"]
	mustSave(t, j, g, time.Hour)
	if n := commits(t, j) - before; n != 0 {
		t.Errorf("saving the same again made %d commits", n)
	}
	l := g.State.Lineages["mxac"]
	l.Phase = rollover.Ready
	g.State.Lineages = map[string]rollover.Lineage{"mxac": l}
	earlier := j.db.Stats()
	mustSave(t, j, g, time.Hour)
	now := j.db.Stats()
	written := now.Sub(&earlier)
	octets := written.TxStats.GetPageAlloc()
	if n := commits(t, j) - before; n != 1 || octets == 0 {
		t.Errorf("saving a changed lineage made %d commits, %d octets", n, octets)
	}
	if info, err := os.Stat(path); err != nil || octets > info.Size()/10 {
		t.Errorf("to change one lineage of 200, %d of %d octets were written (%v)", octets, info.Size(), err)
	}
	expect(t, "mxac", g, mustLoad(t, j))
	expect(t, "mxad", groups["mxad"], mustLoad(t, j))
}

// commits is how many there were since the file was made.
func commits(t *testing.T, j *Journal) int {
	t.Helper()
	var n int
	if err := j.db.View(func(tx *bbolt.Tx) error { n = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOwnerNamesLeaveWithTheState(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	g, other := groupOf(t, "mx1", "mx2"), groupOf(t, "mx10")
	mustSave(t, j, g, 0)
	mustSave(t, j, other, 0)
	delete(g.State.Owners, owner(hostOf("mx2")))
	mustSave(t, j, g, 0)
	c := mustLoad(t, j)
	if got := c.State(g.Lineages, nil).Owners; len(got) != 1 {
		t.Errorf("the group has the ledgers %v", slices.Collect(maps.Keys(got)))
	}
	expect(t, "a group whose name begins alike", other, c)
}

// TestTwoGroupsKeepOneOwner: an owner name that no configuration lists may belong
// to the certificates of several groups. Neither may overwrite what the other saw.
func TestTwoGroupsKeepOneOwner(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	shared := owner("mail.example.net")
	one, two := groupOf(t, "mx1"), groupOf(t, "mx2")
	one.State.Owners[shared] = rollover.Ledger{Target: shared, Since: epoch}
	two.State.Owners[shared] = rollover.Ledger{Target: shared, Since: epoch.Add(time.Hour)}
	mustSave(t, j, one, 0)
	mustSave(t, j, two, 0)
	c := mustLoad(t, j)
	expect(t, "mx1", one, c)
	expect(t, "mx2", two, c)
	joined := c.State([]string{"mx1", "mx2"}, nil)
	if got := joined.Owners[shared].Since; !got.Equal(epoch) {
		t.Errorf("two groups became one: its ledger begins at %s, want the older one's %s", got, epoch)
	}
	if len(joined.Lineages) != 2 || len(joined.Chains) != 4 {
		t.Errorf("two groups became one: %d lineages, %d chains", len(joined.Lineages), len(joined.Chains))
	}
}

// TestLineageMoves: the ledger of an owner name follows the name, whichever lineage has it.
func TestLineageMoves(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	g := groupOf(t, "mx1", "mx2")
	mustSave(t, j, g, 0)
	c := mustLoad(t, j)
	renamed := c.State([]string{"new"}, []tlsa.Owner{owner(hostOf("mx2"))})
	if _, ok := renamed.Owners[owner(hostOf("mx2"))]; !ok || len(renamed.Owners) != 1 || len(renamed.Lineages) != 0 {
		t.Errorf("got owners %v, lineages %v", renamed.Owners, renamed.Lineages)
	}
	// the group falls apart: what each saves leaves the other's alone
	alone := Group{Lineages: []string{"mx2"}, State: c.State([]string{"mx2"}, []tlsa.Owner{owner(hostOf("mx2"))})}
	delete(alone.State.Owners, owner(hostOf("mx1")))
	mustSave(t, j, alone, 0)
	rest := mustLoad(t, j).State([]string{"mx1"}, []tlsa.Owner{owner(hostOf("mx1"))})
	if diff := cmp.Diff(g.State.Owners[owner(hostOf("mx1"))], rest.Owners[owner(hostOf("mx1"))]); diff != "" {
		t.Errorf("mx1's ledger (-saved +loaded):\n%s", diff)
	}
}

// TestGroupFallsApart: whichever of them is saved first, and be it the only one for now, what
// the others need of what was kept together stays.
func TestGroupFallsApart(t *testing.T) {
	for _, first := range []string{"mx1", "mx2", "mx3"} {
		j, _ := mustOpen(t, pathIn(t))
		g := groupOf(t, "mx1", "mx2", "mx3")
		mustSave(t, j, g, 0)
		alone := func(name string) Group {
			own := owner(hostOf(name))
			s := mustLoad(t, j).State([]string{name}, []tlsa.Owner{own})
			maps.DeleteFunc(s.Owners, func(o tlsa.Owner, _ rollover.Ledger) bool { return o != own })
			return Group{Lineages: []string{name}, State: s}
		}
		mustSave(t, j, alone(first), 0)
		for _, name := range g.Lineages {
			own := owner(hostOf(name))
			if diff := cmp.Diff(g.State.Owners[own], alone(name).State.Owners[own]); diff != "" {
				t.Errorf("%s was saved alone; %s's ledger (-saved +loaded):\n%s", first, name, diff)
			}
		}
		for _, name := range g.Lineages {
			changed := alone(name)
			l := changed.State.Owners[owner(hostOf(name))]
			l.Looked, l.Ours = l.Looked.Add(time.Hour), nil
			changed.State.Owners[owner(hostOf(name))] = l
			mustSave(t, j, changed, 0)
			if diff := cmp.Diff(changed.State.Owners, alone(name).State.Owners); diff != "" {
				t.Errorf("%s was saved alone first, then %s's ledger (-saved +loaded):\n%s", first, name, diff)
			}
		}
		if n := len(mustLoad(t, j).Ledgers); n != len(g.Lineages) {
			t.Errorf("%s was saved alone first: %d ledgers in the end, want one for each owner name", first, n)
		}
	}
}

// TestFirstLineageIsTakenOut: what it kept together with others is theirs, and is not to be
// taken for newer than what they have kept since.
func TestFirstLineageIsTakenOut(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	shared := owner("mail.example.net")
	g := groupOf(t, "mx1", "mx2")
	g.State.Owners[shared] = g.State.Owners[owner(hostOf("mx1"))]
	mustSave(t, j, g, 0)
	rest := Group{Lineages: []string{"mx2"}, State: mustLoad(t, j).State([]string{"mx2"}, []tlsa.Owner{shared})}
	l := rest.State.Owners[shared]
	l.Looked, l.Ours = l.Looked.Add(time.Hour), append(slices.Clone(l.Ours), l.Retired...)
	rest.State.Owners[shared] = l
	mustSave(t, j, rest, time.Hour)
	again := mustLoad(t, j).State([]string{"mx2"}, []tlsa.Owner{shared})
	if diff := cmp.Diff(l, again.Owners[shared]); diff != "" {
		t.Errorf("(-saved +loaded):\n%s", diff)
	}
}

// TestRenamedLineage: it goes on with what it had under its former name, and then with what it
// keeps itself, although waits that started again made that begin later (DESIGN 4.13).
func TestRenamedLineage(t *testing.T) {
	for _, former := range []string{"a", "z"} {
		j, _ := mustOpen(t, pathIn(t))
		g := groupOf(t, former)
		own := owner(hostOf(former))
		mustSave(t, j, g, 0)
		renamed := Group{Lineages: []string{"mx1"}, State: mustLoad(t, j).State([]string{"mx1"}, []tlsa.Owner{own})}
		if diff := cmp.Diff(g.State.Owners, renamed.State.Owners); diff != "" {
			t.Errorf("from %s at first (-saved +loaded):\n%s", former, diff)
		}
		renamed.State = rollover.Restart(renamed.State, epoch.Add(time.Hour))
		mustSave(t, j, renamed, time.Hour)
		if diff := cmp.Diff(renamed.State.Owners, mustLoad(t, j).State([]string{"mx1"}, []tlsa.Owner{own}).Owners); diff != "" {
			t.Errorf("from %s after a restart (-saved +loaded):\n%s", former, diff)
		}
	}
}

// TestOpenQuestionIsNoHistory: that one group does not know of an owner name does not make
// another forget what it knows.
func TestOpenQuestionIsNoHistory(t *testing.T) {
	for _, asks := range []string{"mx1", "mx2"} {
		j, _ := mustOpen(t, pathIn(t))
		shared := owner("mail.example.net")
		want := rollover.Ledger{Target: shared, Since: epoch, Looked: epoch}
		for _, name := range []string{"mx1", "mx2"} {
			g := groupOf(t, name)
			if g.State.Owners[shared] = want; name == asks {
				g.State.Owners[shared] = rollover.Ledger{Err: "timeout"}
			}
			mustSave(t, j, g, 0)
		}
		joined := mustLoad(t, j).State([]string{"mx1", "mx2"}, []tlsa.Owner{shared})
		if diff := cmp.Diff(want, joined.Owners[shared]); diff != "" {
			t.Errorf("%s asks (-want +got):\n%s", asks, diff)
		}
	}
}

func TestForgetKeepsWhatIsNamed(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	g, other := groupOf(t, "mx1"), groupOf(t, "mx2")
	mustSave(t, j, g, 0)
	mustSave(t, j, other, 0)
	if err := j.Offer("mx3", []rollover.Offer{{Chain: idOf(7)}}); err != nil {
		t.Fatal(err)
	}
	byLineage, byLedger, unnamed := newChain(t, "a.example"), newChain(t, "b.example"), newChain(t, "c.example")
	for _, c := range []*tlsa.Chain{byLineage, byLedger, unnamed} {
		g.State.Chains[c.ID()] = c
	}
	mustSave(t, j, g, 0)
	l := other.State.Lineages["mx2"]
	l.Queued = byLineage.ID()
	other.State.Lineages["mx2"] = l
	o := other.State.Owners[owner(hostOf("mx2"))]
	o.Presented = append(o.Presented, rollover.PresentedChain{Chain: byLedger.ID()})
	other.State.Owners[owner(hostOf("mx2"))] = o
	mustSave(t, j, other, 0)

	if got, want := mustLoad(t, j).Orphans(), []tlsa.ChainID{unnamed.ID()}; !slices.Equal(got, want) {
		t.Errorf("orphans are %v, want %v", got, want)
	}
	gone, err := j.Forget([]tlsa.ChainID{byLineage.ID(), byLedger.ID(), unnamed.ID(), idOf(7)})
	if err != nil {
		t.Fatal(err)
	}
	if want := []tlsa.ChainID{unnamed.ID()}; !slices.Equal(gone, want) {
		t.Errorf("dropped %v, want %v", gone, want)
	}
	c := mustLoad(t, j)
	if c.Chains[unnamed.ID()] != nil || c.Chains[byLineage.ID()] == nil || c.Chains[byLedger.ID()] == nil {
		t.Error("the wrong chains went")
	}
	if got := c.Orphans(); len(got) > 0 {
		t.Errorf("orphans are left: %v", got)
	}
}

func TestOffersWaitForAPass(t *testing.T) {
	path := pathIn(t)
	j, _ := mustOpen(t, path)
	g := groupOf(t, "mx1")
	if err := j.Offer("mx1", []rollover.Offer{{Chain: idOf(1), Explicit: true}, {Chain: idOf(2)}}); err != nil {
		t.Fatal(err)
	}
	if err := j.Offer("mx2", []rollover.Offer{{Chain: idOf(3)}}); err != nil {
		t.Fatal(err)
	}
	g.Offers = map[string][]rollover.Offer{"mx1": {{Chain: idOf(2)}}}
	mustSave(t, j, g, 0)
	want := map[string][]rollover.Offer{"mx1": {{Chain: idOf(2)}}, "mx2": {{Chain: idOf(3)}}}
	if diff := cmp.Diff(want, mustLoad(t, j).Offers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	g.Offers = nil
	mustSave(t, j, g, 0)
	if diff := cmp.Diff(want, mustLoad(t, j).Offers); diff != "" {
		t.Errorf("a pass that took up nothing (-want +got):\n%s", diff)
	}
	g.Offers = map[string][]rollover.Offer{}
	mustSave(t, j, g, 0)
	if err := j.Offer("mx2", nil); err != nil {
		t.Fatal(err)
	}
	if got := mustLoad(t, j).Offers; len(got) > 0 {
		t.Errorf("taken up, and still there: %v", got)
	}
}

// TestSaveTogether: many groups saved at once share syncs, and all are there.
func TestSaveTogether(t *testing.T) {
	j, _ := mustOpen(t, pathIn(t))
	var groups []Group
	for i := range 64 {
		groups = append(groups, groupOf(t, string(rune('a'+i/26))+string(rune('a'+i%26))))
	}
	before := commits(t, j)
	var wait sync.WaitGroup
	for _, g := range groups {
		wait.Go(func() { mustSave(t, j, g, 0) })
	}
	wait.Wait()
	if n := commits(t, j) - before; n > 32 {
		t.Errorf("%d groups saved at once took %d commits", len(groups), n)
	}
	c := mustLoad(t, j)
	for _, g := range groups {
		expect(t, g.Lineages[0], g, c)
	}
}
