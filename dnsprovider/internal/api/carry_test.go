package api_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

type none = struct{}

// host is one that does as it is told.
type host struct {
	zone    map[tlsa.Owner]tlsa.RRset
	show    func(n int) map[tlsa.Owner]tlsa.RRset // what the nth look sees; nil: the zone
	send    func(n int, tasks []*api.Task[none]) (*api.Trouble, bool)
	blind   func(n int) *api.Trouble
	alone   bool
	looks   int
	sent    []string
	forgets int
}

func (h *host) Look(_ context.Context, owners []tlsa.Owner) ([]api.Sight[none], []*api.Trouble) {
	h.looks++
	zone := h.zone
	if h.show != nil {
		zone = h.show(h.looks)
	}
	sights, troubles := make([]api.Sight[none], len(owners)), make([]*api.Trouble, len(owners))
	for i, owner := range owners {
		sights[i].TLSA = zone[owner]
		if h.blind != nil {
			troubles[i] = h.blind(h.looks)
		}
	}
	return sights, troubles
}

func (h *host) Forget(context.Context) { h.forgets++ }

func (h *host) Batches(tasks []*api.Task[none]) (out [][]*api.Task[none]) {
	if !h.alone {
		return [][]*api.Task[none]{tasks}
	}
	for i := range tasks {
		out = append(out, tasks[i:i+1])
	}
	return out
}

func (h *host) Send(_ context.Context, tasks []*api.Task[none]) *api.Trouble {
	var names []string
	for _, k := range tasks {
		names = append(names, string(k.Owner[:1]))
	}
	h.sent = append(h.sent, strings.Join(names, ""))
	if h.send != nil {
		if t, does := h.send(len(h.sent), tasks); !does {
			return t
		} else if t != nil {
			h.make(tasks)
			return t
		}
	}
	h.make(tasks)
	return nil
}

func (h *host) make(tasks []*api.Task[none]) {
	for _, k := range tasks {
		h.zone[k.Owner] = k.Change.Wanted(h.zone[k.Owner])
	}
}

func set(digits ...string) tlsa.RRset {
	s := tlsa.RRset{TTL: time.Hour}
	for _, d := range digits {
		s = s.With(tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("a"+d, 32)})
	}
	return s
}

func additions(n int) (tasks []*api.Task[none]) {
	for i := range n {
		owner := tlsa.Owner(fmt.Sprintf("%c.example.org.", 'a'+i))
		tasks = append(tasks, &api.Task[none]{Owner: owner, Change: dnsprovider.Change{Owner: owner, Before: set("1"), After: set("1", "2")}})
	}
	return tasks
}

func newHost(n int) *host {
	h := &host{zone: map[tlsa.Owner]tlsa.RRset{}}
	for _, k := range additions(n) {
		h.zone[k.Owner] = set("1")
	}
	return h
}

func final(kind dnsprovider.Kind, then api.Then) *api.Trouble {
	return &api.Trouble{Kind: kind, Err: errors.New("no"), Hint: "do", Then: then}
}

// TestWhatIsSentToWhom: what of several is sent again alone, and when nothing more is sent.
func TestWhatIsSentToWhom(t *testing.T) {
	always := func(trouble *api.Trouble) func(int, []*api.Task[none]) (*api.Trouble, bool) {
		return func(int, []*api.Task[none]) (*api.Trouble, bool) { return trouble, false }
	}
	bad := func(trouble *api.Trouble, who string) func(int, []*api.Task[none]) (*api.Trouble, bool) {
		return func(_ int, tasks []*api.Task[none]) (*api.Trouble, bool) {
			for _, k := range tasks {
				if string(k.Owner[:1]) == who {
					return trouble, false
				}
			}
			return nil, true
		}
	}
	for _, test := range []struct {
		name  string
		alone bool
		send  func(int, []*api.Task[none]) (*api.Trouble, bool)
		sent  string
		errs  string // one sign each: . none, c conflict, m malformed, r refused, t temporary
		looks int
	}{
		{"all is well", false, nil, "abc", "...", 2},
		{"one by one", true, nil, "a b c", "...", 2},
		{"one is bad", false, bad(final(dnsprovider.Malformed, api.EachAlone), "b"), "abc a b c", ".m.", 2},
		{"one is disputed", false, bad(final(dnsprovider.Conflict, api.Disputed), "b"), "abc a b c", ".c.", 2},
		{"refused", false, always(final(dnsprovider.Refused, api.Final)), "abc", "rrr", 1},
		{"refused, one by one", true, always(final(dnsprovider.Refused, api.Final)), "a b c", "rrr", 1},
		{"come back later", true, always(final(dnsprovider.Temporary, api.Final)), "a", "ttt", 1},
		{"silence", true, always(final(dnsprovider.Temporary, api.Open)), "a", "ttt", 2},
		{"silence, when it comes to one by one", false, func(n int, _ []*api.Task[none]) (*api.Trouble, bool) {
			if n == 1 {
				return final(dnsprovider.Malformed, api.EachAlone), false
			}
			return final(dnsprovider.Temporary, api.Open), false
		}, "abc a", "ttt", 2},
		{"made, and the reply lost", false, func(int, []*api.Task[none]) (*api.Trouble, bool) {
			return final(dnsprovider.Temporary, api.Open), true
		}, "abc", "...", 2},
		{"made, and disputed", false, func(n int, _ []*api.Task[none]) (*api.Trouble, bool) {
			return final(dnsprovider.Conflict, api.Disputed), n > 1
		}, "abc a b c", "...", 2},
	} {
		h := newHost(3)
		h.alone, h.send = test.alone, test.send
		tasks := additions(3)
		api.Carry(t.Context(), h, tasks)
		errs := ""
		for _, k := range tasks {
			sign := "."
			if k.Trouble != nil {
				sign = k.Trouble.Kind.String()[:1]
			}
			errs += sign
		}
		if sent := strings.Join(h.sent, " "); sent != test.sent || errs != test.errs || h.looks != test.looks {
			t.Errorf("%s: sent %q, results %q, %d looks; want %q, %q, %d", test.name, sent, errs, h.looks, test.sent, test.errs, test.looks)
		}
	}
}

// TestConfirmedIsLookedForAgain: a host may show a change a moment after it confirmed it.
func TestConfirmedIsLookedForAgain(t *testing.T) {
	for _, test := range []struct {
		late time.Duration
		kind dnsprovider.Kind
	}{{0, 0}, {time.Second, 0}, {4 * time.Second, 0}, {time.Minute, dnsprovider.Ignored}} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(1)
			old := map[tlsa.Owner]tlsa.RRset{"a.example.org.": set("1")}
			begin := time.Now()
			h.show = func(int) map[tlsa.Owner]tlsa.RRset {
				if time.Since(begin) < test.late {
					return old
				}
				return h.zone
			}
			if test.late == 0 {
				h.show = nil
			}
			tasks := additions(1)
			api.Carry(t.Context(), h, tasks)
			var kind dnsprovider.Kind
			if tasks[0].Trouble != nil {
				kind = tasks[0].Trouble.Kind
			}
			if kind != test.kind || time.Since(begin) > 6*time.Second || h.forgets != h.looks {
				t.Errorf("%s late: %v after %s, %d looks and %d times what was read was forgotten", test.late, tasks[0].Trouble, time.Since(begin), h.looks, h.forgets)
			}
		})
	}
}

// TestResultsInWords: what is said where it cannot be seen what became of a change.
func TestResultsInWords(t *testing.T) {
	unread := &api.Trouble{Kind: dnsprovider.Temporary, Err: errors.New("503"), Hint: "later"}
	blind := func(n int) *api.Trouble {
		if n > 1 {
			return unread
		}
		return nil
	}
	aliased := func(n int) *api.Trouble {
		if n > 1 {
			return api.Alias("a.example.org.", "b.example.org.")
		}
		return nil
	}
	told := func(trouble *api.Trouble, does bool) func(int, []*api.Task[none]) (*api.Trouble, bool) {
		return func(int, []*api.Task[none]) (*api.Trouble, bool) { return trouble, does }
	}
	for _, test := range []struct {
		name  string
		send  func(int, []*api.Task[none]) (*api.Trouble, bool)
		blind func(int) *api.Trouble
		edit  string
		want  string
	}{
		{"made, unread", told(nil, true), blind, "", "temporary: the host says that the change is made, and it cannot be read back: 503"},
		{"lost, unread", told(final(dnsprovider.Temporary, api.Open), true), blind, "", "temporary: no; whether the change was made cannot be read back: 503"},
		{"disputed, unread", told(final(dnsprovider.Conflict, api.Disputed), false), blind, "", "conflict: no"},
		{"made, and an alias came", told(nil, true), aliased, "", "alias: a CNAME at a.example.org. leads to b.example.org., and no other record can stand beside it"},
		{"lost, not made", told(final(dnsprovider.Temporary, api.Open), false), nil, "", "temporary: no; read back, the change was not made"},
		{"made, and changed again", told(nil, true), nil, "f", `conflict: the change was made, and something else stands there now: the RRset is not what was read: "3 1 1 afafafafafafafaf…" came, "3 1 1 a1a1a1a1a1a1a1a1…" went`},
		{"lost, and changed", told(final(dnsprovider.Temporary, api.Open), false), nil, "f", `conflict: the RRset is not what was read: "3 1 1 afafafafafafafaf…" came, "3 1 1 a1a1a1a1a1a1a1a1…" went`},
	} {
		h := newHost(1)
		h.send, h.blind = test.send, test.blind
		if test.edit != "" {
			h.show = func(n int) map[tlsa.Owner]tlsa.RRset {
				if n > 1 {
					return map[tlsa.Owner]tlsa.RRset{"a.example.org.": set(test.edit)}
				}
				return h.zone
			}
		}
		tasks := additions(1)
		api.Carry(t.Context(), h, tasks)
		if got := tasks[0].Trouble; got == nil || got.Kind.String()+": "+got.Error() != test.want || got.Hint == "" {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// TestChangeOfTheTTLAlone is seen by the TTL; if the host makes another of it, it is done.
func TestChangeOfTheTTLAlone(t *testing.T) {
	for _, test := range []struct {
		becomes time.Duration
		kind    dnsprovider.Kind
	}{{2 * time.Hour, 0}, {90 * time.Minute, 0}, {time.Hour, dnsprovider.Ignored}} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(1)
			h.send = func(int, []*api.Task[none]) (*api.Trouble, bool) {
				s := set("1")
				s.TTL = test.becomes
				h.zone["a.example.org."] = s
				return nil, false
			}
			tasks := additions(1)
			after := set("1")
			after.TTL = 2 * time.Hour
			tasks[0].Change.After = after
			api.Carry(t.Context(), h, tasks)
			var kind dnsprovider.Kind
			if tasks[0].Trouble != nil {
				kind = tasks[0].Trouble.Kind
			}
			if kind != test.kind {
				t.Errorf("becomes %s: %v", test.becomes, tasks[0].Trouble)
			}
		})
	}
}

// TestTheEndOfPatience: once the caller is gone nothing more is begun, and what was begun has
// an error that says so.
func TestTheEndOfPatience(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := newHost(3)
	h.alone = true
	h.send = func(int, []*api.Task[none]) (*api.Trouble, bool) { cancel(); return nil, true }
	tasks := additions(3)
	api.Carry(ctx, h, tasks)
	for i, k := range tasks {
		if !errors.Is(k.Trouble, context.Canceled) {
			t.Errorf("task %d: %v", i, k.Trouble)
		}
	}
	if strings.Join(h.sent, " ") != "a" || h.looks != 1 {
		t.Errorf("sent %v, %d looks", h.sent, h.looks)
	}
}

// remembering is a host whose zone is read once in a pass.
type remembering struct{ *host }

func (r *remembering) Look(ctx context.Context, owners []tlsa.Owner) ([]api.Sight[none], []*api.Trouble) {
	zone, _ := dnsprovider.ReadOnce(ctx, "zone", func(context.Context) (map[tlsa.Owner]tlsa.RRset, error) { return maps.Clone(r.zone), nil })
	sights := make([]api.Sight[none], len(owners))
	for i, owner := range owners {
		sights[i].TLSA = zone[owner]
	}
	return sights, make([]*api.Trouble, len(owners))
}

func (r *remembering) Forget(ctx context.Context) { dnsprovider.ForgetReading(ctx, "zone") }

// TestReadingDuringAChange: what somebody else has read in the same pass while the change was on
// its way says nothing about what became of it.
func TestReadingDuringAChange(t *testing.T) {
	r := &remembering{newHost(2)}
	ctx := dnsprovider.OnePass(t.Context())
	r.send = func(int, []*api.Task[none]) (*api.Trouble, bool) {
		r.Look(ctx, []tlsa.Owner{"c.example.org."})
		return final(dnsprovider.Temporary, api.Open), true
	}
	tasks := additions(1)
	if api.Carry(ctx, r, tasks); tasks[0].Trouble != nil {
		t.Errorf("the change was made: %v", tasks[0].Trouble)
	}
}
