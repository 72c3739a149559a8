package page_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/page"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// noon is when the pages are of, in a time zone with an offset.
var noon = time.Date(2027, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))

func in(d time.Duration) *time.Time {
	t := noon.Add(d).UTC()
	return &t
}

const day = 24 * time.Hour

func digest(c string) string { return strings.Repeat(c, 64/len(c)) }

func pair(c string, days int) *rollover.PairStatus {
	return &rollover.PairStatus{ID: tlsa.ChainID(digest(c)), Leaf: digest(c + "0"), SPKI: digest(c + "1"), NotAfter: *in(time.Duration(days) * day)}
}

var old, next = pair("2b0fd18e", 21), pair("9131b748", 89)

// endpoints are two, on two addresses and four servers of which some have what is needed.
func endpoints(served *rollover.PairStatus, has ...rollover.Known) []rollover.EndpointStatus {
	var out []rollover.EndpointStatus
	for _, e := range []struct{ scheme, port string }{{"smtp", "25"}, {"submissions", "465"}} {
		s := rollover.EndpointStatus{URL: e.scheme + "://mx1.example.org", Owner: tlsa.Owner("_" + e.port + "._tcp.mx1.example.org."), TTL: 3600,
			Records: []string{"3 1 1 " + served.SPKI}, Security: rollover.Secure, Verified: rollover.Yes}
		s.Target = s.Owner
		for _, a := range []string{"192.0.2.1:" + e.port, "[2001:db8::1]:" + e.port} {
			s.Served = append(s.Served, rollover.ServedStatus{Address: a, SNI: true, Algorithm: "ecdsa", Leaf: &served.Leaf, Verified: rollover.Yes})
		}
		for i, k := range has {
			v := rollover.ServerStatus{Name: fmt.Sprintf("ns%d.example.org.", i/2+1), Address: []string{fmt.Sprintf("192.0.2.%d", 53+i), fmt.Sprintf("2001:db8::%d", 53+i)}[i%2], Converged: k}
			if k == rollover.Unknown {
				v.Error = "timeout"
			}
			s.Servers = append(s.Servers, v)
		}
		out = append(out, s)
	}
	return out
}

func records(all []rollover.EndpointStatus, more ...string) []rollover.EndpointStatus {
	for i := range all {
		all[i].Records = append(all[i].Records, more...)
	}
	return all
}

const y, n, u = rollover.Yes, rollover.No, rollover.Unknown

func past() []rollover.Period {
	return []rollover.Period{
		{Began: *in(-128 * day), Swapped: *in(-128*day + 2*time.Hour), Ended: *in(-127 * day)},
		{Began: *in(-90 * day), Ended: *in(-90*day + time.Hour)},
		{Began: *in(-68 * day), Swapped: *in(-68*day + 2*time.Hour), Ended: *in(-67*day + 2*time.Hour)},
	}
}

func successor(phase rollover.Phase, ready *time.Time) *rollover.SuccessorStatus {
	return &rollover.SuccessorStatus{PairStatus: *next, Phase: phase, ReadyAt: ready}
}

func steady() rollover.LineageStatus {
	return rollover.LineageStatus{Name: "mx1", Phase: rollover.Steady, Live: old, NextLook: in(11 * time.Minute), Rollovers: past(),
		Renewal: &rollover.RenewalStatus{At: in(-9*time.Minute + 3*day), Reason: "two thirds of its time will be over"}, Endpoints: endpoints(old, y, y, y, y)}
}

func generated() rollover.LineageStatus {
	l := steady()
	l.Phase, l.Successor, l.Since, l.Renewal = rollover.Generated, successor(rollover.Generated, nil), in(-40*time.Second), nil
	l.Endpoints = records(endpoints(old, y, y, n, u), "3 1 1 "+next.SPKI)
	l.Rollovers = append(l.Rollovers, rollover.Period{Began: *l.Since})
	l.Waiting = []rollover.Reason{
		{Code: rollover.CodeNotEverywhere, About: "192.0.2.55", Text: "ns2.example.org. (192.0.2.55) does not have 3 1 1 of 9131b748 at _25._tcp.mx1.example.org. yet"},
		{Code: rollover.CodeServerUnknown, About: "2001:db8::56", Text: "ns2.example.org. (2001:db8::56) gives no answer for _25._tcp.mx1.example.org. (timeout)"},
	}
	return l
}

func published() rollover.LineageStatus {
	l := generated()
	l.Phase, l.Successor, l.Since = rollover.Published, successor(rollover.Published, in(48*time.Minute)), in(-72*time.Minute)
	l.Endpoints = records(endpoints(old, y, y, y, y), "3 1 1 "+next.SPKI)
	l.Queued = pair("77aa01c4", 90)
	l.Waiting = []rollover.Reason{{Code: rollover.CodeVersionAlive, About: "_25._tcp.mx1.example.org.", Until: *in(48 * time.Minute),
		Text: "_25._tcp.mx1.example.org.: an answer without what the successor needs may be held in caches until 2027-03-01 11:48:00Z (ttl 1h0m0s)"}}
	return l
}

func ready() rollover.LineageStatus {
	l := published()
	l.Phase, l.Successor, l.Since, l.Queued = rollover.Ready, successor(rollover.Ready, in(-3*time.Minute)), in(-123*time.Minute), nil
	l.Waiting = []rollover.Reason{{Code: rollover.CodeFrozen, Until: *in(20 * time.Hour), Text: "frozen until 2027-03-02 07:00:00Z (hint: tlsaroll thaw mx1)"}}
	l.Warnings = []rollover.Warning{rollover.NewWarning(rollover.CodeFrozen, "", l.Waiting[0].Text)}
	return l
}

func swapping() rollover.LineageStatus {
	l := ready()
	l.Phase, l.Live, l.Successor, l.Warnings = rollover.Retiring, next, nil, nil
	l.Swapping = &rollover.Swapping{From: old.ID, To: next.ID, Began: *in(-20 * time.Second), Step: rollover.SwapInstalled}
	l.Rollovers[len(l.Rollovers)-1].Swapped = l.Swapping.Began
	l.Endpoints = records(endpoints(next, y, y, y, y), "3 1 1 "+old.SPKI)
	l.Endpoints[0].Served[1].Leaf = &old.Leaf
	l.Waiting = []rollover.Reason{{Code: "settling", Until: *in(40 * time.Second), Text: "[2001:db8::1]:25 still presents 2b0fd18e"}}
	return l
}

func retiring() rollover.LineageStatus {
	l := swapping()
	l.Swapping, l.Rollovers[len(l.Rollovers)-1].Swapped = nil, *in(-15 * time.Hour)
	l.Rollovers[len(l.Rollovers)-1].Began = *in(-17 * time.Hour)
	l.Endpoints = records(endpoints(next, y, y, y, y), "3 1 1 "+old.SPKI)
	l.Waiting = []rollover.Reason{{Code: rollover.CodeRetireWindow, Until: *in(9 * time.Hour), Text: "chain 2b0fd18e was presented at every address of mx1 until 2027-02-28 20:00:00Z: its records stay until 2027-03-01 20:00:00Z"}}
	return l
}

func heldUp() rollover.LineageStatus {
	l := published()
	l.Phase, l.Queued = rollover.Ready, nil
	l.Successor = successor(rollover.Ready, in(-10*time.Minute))
	l.Held = &rollover.Held{Chain: next.ID, Code: "swap-failed", Text: "reload: systemctl reload postfix: exit status 1", Since: *in(-10 * time.Minute), Tries: 1, Again: *in(50 * time.Minute)}
	text := "reload: systemctl reload postfix: exit status 1; the old pair is live, and the records of both stay; tried again at 2027-03-01 11:50:00Z, on a new pair, or by tlsaroll rollover mx1"
	l.Waiting = []rollover.Reason{{Code: rollover.CodeSwapFailed, Text: text, Until: *in(50 * time.Minute)}}
	l.Warnings = []rollover.Warning{rollover.NewWarning(rollover.CodeSwapFailed, "", text), rollover.NewWarning(rollover.CodeExpiresSoon, "", "2b0fd18e ends in 21 days")}
	return l
}

func cancelled() rollover.LineageStatus {
	l := retiring()
	l.Live, l.Rollovers[len(l.Rollovers)-1].Swapped = old, time.Time{}
	l.Endpoints = records(endpoints(old, y, y, y, y), "3 1 1 "+next.SPKI)
	l.Waiting = []rollover.Reason{{Code: rollover.CodeEndpointUnseen, Text: "192.0.2.1:25 is looked at once more before a record leaves that nobody was seen to need"}}
	return l
}

// unverified has a resolver that gives no answer; the rules have not told of it yet.
func unverified() rollover.LineageStatus {
	l := steady()
	for i := range l.Endpoints {
		l.Endpoints[i].Security = rollover.Indeterminate
	}
	return l
}

// lost has neither servers nor addresses that are known, in the midst of a rollover.
func lost() rollover.LineageStatus {
	l := generated()
	for i := range l.Endpoints {
		e := &l.Endpoints[i]
		e.Security, e.Verified, e.Records, e.Served, e.Servers = rollover.Indeterminate, rollover.Unknown, nil, nil, nil
	}
	l.Waiting = nil
	return l
}

func fresh() rollover.LineageStatus {
	return rollover.LineageStatus{Name: "mx2", Phase: rollover.Steady, Waiting: []rollover.Reason{{Code: rollover.CodeServersUnknown, Text: "nothing has been looked at yet"}}}
}

func named(l rollover.LineageStatus, name string) rollover.LineageStatus {
	l.Name = name
	return l
}

// site is a place where much goes on at a time.
func site() rollover.Status {
	standby := named(steady(), "imap")
	standby.Standby = &rollover.StandbyStatus{Record: "3 1 1 " + digest("5c"), SPKI: digest("5c"), Phase: rollover.Ready, ReadyAt: in(-5 * day)}
	standby.Rollovers = nil
	return rollover.Status{
		Lineages: []rollover.LineageStatus{standby, named(published(), "mx1"), named(heldUp(), "mx2"), named(retiring(), "mx3-rsa"), named(fresh(), "new")},
		Warnings: []rollover.Warning{rollover.NewWarning(rollover.CodeNotifyFailed, "", "mail to postmaster@example.org: connection refused")},
	}
}

// many is more lineages than one reads.
func many(n int) rollover.Status {
	var s rollover.Status
	for i := range n {
		l := []rollover.LineageStatus{steady(), steady(), published(), steady(), retiring()}[i%5]
		if i == 7 {
			l = heldUp()
		}
		s.Lineages = append(s.Lineages, named(l, fmt.Sprintf("mx%d", i+1)))
	}
	return s
}

const hostileText = "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'`&{{.}}\x00\x1b[2J\u202e\xff"

// hostile has other people's text wherever it may stand.
func hostile() rollover.Status {
	h := hostileText
	l := heldUp()
	l.Name, l.Phase = h, rollover.Phase(h)
	l.Queued = &rollover.PairStatus{ID: tlsa.ChainID(h), Leaf: h, SPKI: h, NotAfter: noon}
	l.Standby = &rollover.StandbyStatus{Record: h, SPKI: h, Phase: rollover.Phase(h)}
	l.Renewal = &rollover.RenewalStatus{Reason: h, Error: h, Tries: 2}
	l.Held.Text = h
	l.Endpoints = append(l.Endpoints, rollover.EndpointStatus{URL: "javascript:" + h, Owner: tlsa.Owner(h), Target: tlsa.Owner("t" + h), Records: []string{h, ""}, Security: rollover.Security(h), Verified: rollover.Known(h),
		Served:  []rollover.ServedStatus{{Address: h, Algorithm: h, Leaf: &h, Error: h, Verified: rollover.Known(h)}},
		Servers: []rollover.ServerStatus{{Name: h, Address: h, Converged: rollover.Known(h), Error: h}}})
	l.Waiting = append(l.Waiting, rollover.Reason{Code: rollover.Code(h), Text: h, About: h})
	l.Warnings = append(l.Warnings, rollover.Warning{Code: rollover.Code(h), Severity: rollover.Severity(h), Text: h, About: h})
	return rollover.Status{Lineages: []rollover.LineageStatus{l, named(published(), h+"2")}, Warnings: []rollover.Warning{{Code: rollover.Code(h), Severity: rollover.Severity(h), Text: h}}}
}

// one is a place with one lineage.
func one(l rollover.LineageStatus) rollover.Status {
	return rollover.Status{Lineages: []rollover.LineageStatus{l}}
}

// cases are states of the world, each with the page that is about it.
func cases() []struct {
	name   string
	status rollover.Status
} {
	return []struct {
		name   string
		status rollover.Status
	}{
		{"steady", one(steady())}, {"generated", one(generated())}, {"published", one(published())}, {"ready", one(ready())},
		{"swapping", one(swapping())}, {"retiring", one(retiring())}, {"held", one(heldUp())}, {"cancelled", one(cancelled())},
		{"unverified", one(unverified())}, {"lost", one(lost())},
		{"fresh", one(fresh())}, {"none", rollover.Status{}}, {"site", site()}, {"many", many(12)}, {"hostile", hostile()},
	}
}

func facts(s rollover.Status) page.Facts {
	return page.Facts{Status: s, Unseen: []string{"mx3-rsa"}, Host: "mail.example.org", Version: "v1.2.3", Now: noon}
}
