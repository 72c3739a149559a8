package rollover_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// fatality is where the process is to die.
type fatality struct {
	at   sim.Moment
	kind string
}

// run lets the world go on, and ends with when the next looks are due.
func (s *story) run(d time.Duration) {
	s.on(d, func() bool { return false })
	s.nextLook()
}

func (s *story) nextLook() {
	if s.Plan.Wake().After(s.Now) {
		s.line("next", "looks at servers at T+%s, at addresses at T+%s", s.since(s.Plan.LookDNS), s.since(s.Plan.LookServed))
	} else {
		s.line("next", "looks at once")
	}
}

// on lets the world go on until what is true, for d at most, and tells of it. It
// halts where an answer that fails leaves the last cache, too.
func (s *story) on(d time.Duration, what func() bool) bool {
	for end := s.Now.Add(d); s.Now.Before(end); {
		if s.fatal != nil {
			s.die(end.Sub(s.Now))
			continue
		}
		stop, failing := end, s.failing()
		if _, change := s.Refusals(); !change.IsZero() && change.Before(end) {
			stop = change.Add(time.Nanosecond)
		}
		s.Wait(stop.Sub(s.Now), func() bool { s.followKeys(); s.tell(); return what() || s.failing() != failing })
		if what() {
			return true
		}
	}
	s.tell()
	return what()
}

// failing reports whether some sender cannot deliver now.
func (s *story) failing() bool { return len(s.told.refusals) > 0 }

// die goes on until the process dies where it is to, and starts it again.
func (s *story) die(d time.Duration) {
	f, did := *s.fatal, rollover.Action(nil)
	killed := s.UntilKilled(d, f.at, func(a rollover.Action) bool {
		if strings.HasPrefix(a.String(), f.kind) {
			did = a
		}
		return did != nil
	}, s.tell)
	s.fatal = nil
	if !killed {
		s.T.Fatalf("no %s to die in within %s", f.kind, d)
	}
	will := f.kind
	if will == "back" {
		will = "go back"
	}
	what := map[sim.Moment]string{
		sim.BeforeSaving: "before it has noted that it will " + will,
		sim.BeforeActing: "when it has noted that it will " + will + ", before it does",
		sim.AfterActing:  "after the " + f.kind + ", before it has noted how that ended",
	}
	s.line("killed", "%s; it starts again", what[f.at])
	s.startsAgain()
	if swap, is := did.(rollover.Swap); is && f.at == sim.AfterActing {
		s.line("does", "%s", s.swap(swap))
		s.swaps++
	}
}

// until lets the world go on until something is so, for 60 days at most.
func (s *story) until(w *words) {
	limit := w.duration(w.get("within", "60d"))
	lineage := w.get("lineage", "mx1")
	var what func() bool
	here := func() rollover.Lineage { return s.State.Lineages[lineage] }
	switch word := w.next(); word {
	case "swapped":
		was := here().Live
		what = func() bool { return here().Live != was }
		if w.more() {
			to := s.chainNamed(w, w.next())
			what = func() bool { return here().Live == to }
		}
	case "steady":
		what = func() bool {
			for _, name := range s.lineages {
				if l := s.State.Lineages[name]; l.Live == "" || l.Successor != "" || l.Phase != rollover.Steady {
					return false
				}
			}
			return true
		}
	case "retiring", "published":
		what = func() bool { return string(here().Phase) == word }
	case "held":
		what = func() bool { return here().Held != nil }
	case "waits":
		code := rollover.Code(w.next())
		what = func() bool {
			return slices.ContainsFunc(here().Waiting, func(r rollover.Reason) bool { return r.Code == code })
		}
	case "warned", "unwarned":
		code := rollover.Code(w.next())
		what = func() bool {
			told := slices.ContainsFunc(here().Warnings, func(v rollover.Warning) bool { return v.Code == code })
			return told == (word == "warned")
		}
	default:
		w.fail("until what?")
	}
	if !s.on(limit, what) {
		w.fail("not within %s\n%s%s", span(limit), s.out.String(), s.Story())
	}
	s.nextLook()
}

// renew issues a pair and hands it in, as an ACME client does.
func (s *story) renew(w *words) {
	lineage := w.get("lineage", "mx1")
	var l sim.Leaf
	how := "a new key"
	switch key := w.get("key", "new"); key {
	case "new":
	case "same":
		l.Key, how = s.keys[s.newest[lineage]], "the key of "+s.pair(s.newest[lineage])
	case "standby":
		l.Key, how = s.standby[lineage], "the key of "+strings.TrimPrefix(s.record(s.Hosts[lineage].Standby), "3 1 1 of ")
	default:
		w.fail("key=%s?", key)
	}
	l.Begins = s.Now.Add(-time.Hour)
	if begins := w.get("begins", ""); begins != "" {
		l.Begins = s.Now.Add(w.duration(begins))
	}
	l.Ends = l.Begins.Add(s.life)
	if names := w.get("names", ""); names != "" {
		l.Names = strings.Split(names, ",")
		how += ", for " + names
	}
	issuer := w.get("issuer", "A")
	if w.has("cross-signed") {
		cross := issuer + crossSigned
		if s.issuers[cross] == nil {
			s.issuers[cross] = s.CrossSigned(s.issuer(issuer), s.CA("Root of old", nil))
		}
		how += ", its issuer's certificate is cross-signed"
		issuer = cross
	}
	id := s.issue(lineage, issuer, l)
	s.hand(lineage, id, false, ": "+how+", ends at T+"+s.since(l.Ends))
}

// offer hands in a pair that there is.
func (s *story) offer(w *words, person bool) {
	s.hand(w.get("lineage", "mx1"), s.chainNamed(w, w.next()), person, "")
}

func (s *story) hand(lineage string, id tlsa.ChainID, person bool, how string) {
	s.OfferTo(lineage, id, person)
	who := "staged for "
	if person {
		who = "handed in by a person for "
	}
	s.line("comes", "%s is %s%s%s", s.pair(id), who, lineage, how)
}

// server changes a name server.
func (s *story) server(w *words) {
	name := w.next()
	if w.has("comes") {
		v := s.Server(name+".example.org.", 5*time.Second)
		v.NSTTL = s.Servers[0].NSTTL
		if zone := w.get("with", ""); zone != "" {
			s.Takes(v, s.backups[zone])
			v.Lag = w.duration(w.get("lag", "5s"))
			s.After(v.Lag, func() { s.CatchUp(v) })
		}
		return
	}
	v := s.named(w, name)
	switch word := w.next(); word {
	case "hides":
		v.Hidden = true
	case "answers":
		v.Hidden = false
		s.Start(v)
	case "stops":
		s.Stop(v)
	case "is":
		switch state := w.next(); state {
		case "stuck":
			v.Lag = 1000 * time.Hour
		case "unsigned":
			v.View = func(view *rollover.ServerView) { view.Unsigned = true }
		case "signed":
			v.View = nil
		default:
			w.fail("is %s?", state)
		}
	case "catches":
		if w.next() != "up" {
			w.fail("catches what?")
		}
		v.Lag = 5 * time.Second
		s.CatchUp(v)
	case "lags":
		v.Lag = w.duration(w.next())
	case "takes":
		s.Takes(v, s.backups[w.next()])
	case "leaves":
		s.Unlist(v)
	case "gets": // another address, which this host has no route to
		if w.next() != "ipv6" {
			w.fail("gets what?")
		}
		six := s.Server(v.Name, v.Lag)
		six.NSTTL, six.Address = v.NSTTL, "2001:db8::54"
		six.View = func(view *rollover.ServerView) { view.Untested = true }
	default:
		w.fail("%s?", word)
	}
}

// address changes a machine: the nth address of all lineages.
func (s *story) address(w *words) {
	n, err := strconv.Atoi(w.next())
	if err != nil {
		w.fail("which address?")
	}
	lineage := w.get("lineage", "mx1")
	h := s.Hosts[lineage]
	node := h.Nodes[slices.Sorted(maps.Keys(h.Nodes))[n-1]]
	switch word := w.next(); word {
	case "lags":
		node.Slow = w.duration(w.next())
	case "hides":
		node.Unseen = true
	case "answers":
		node.Unseen = false
	case "ignores":
		node.Stuck = w.next() == "reloads"
	case "hears":
		node.Stuck = w.next() != "reloads"
	case "breaks":
		node.Broken = true
	case "works":
		node.Broken = false
		node.Served = h.Installed
	case "presents":
		node.Served = s.chainNamed(w, w.next())
	case "goes":
		if w.next() == "off" {
			s.SwitchOff(node)
		}
	case "returns":
		s.SwitchOn(node, s.chainNamed(w, w.get("with", "")))
	default:
		w.fail("%s?", word)
	}
}

// zone changes what a validating resolver says of the zone.
func (s *story) zone(w *words) {
	switch word := w.next(); word {
	case "secure", "insecure", "bogus", "indeterminate":
		s.Security = rollover.Security(word)
	case "lost":
		s.NSErr = "parent: SERVFAIL"
	case "found":
		s.NSErr = ""
	case "signed": // for so long, and nobody signs it again
		until := s.Now.Add(w.duration(w.next()))
		s.everyServer(func(view *rollover.ServerView) { view.SignedUntil = until })
	case "resigned":
		s.everyServer(nil)
	default:
		w.fail("%s?", word)
	}
}

func (s *story) everyServer(view func(*rollover.ServerView)) {
	for _, v := range s.Servers {
		v.View = view
	}
}

// provider changes who holds the zone.
func (s *story) provider(w *words) {
	switch word := w.next(); word {
	case "fails":
		s.CopyErr = "api: 503 service unavailable"
	case "answers":
		s.CopyErr = ""
	default:
		w.fail("%s?", word)
	}
}

// fault lets the next action of a kind end with an error.
func (s *story) fault(w *words) {
	switch word := w.next(); word {
	case "publish", "retire", "check", "reload":
		s.Faults[word] = w.get("error", word+" failed")
	case "lost":
		kind := w.next()
		s.Faults["lost "+kind] = w.get("error", "no reply")
	default:
		w.fail("%s?", word)
	}
}

// crash lets the process die now, or in the next pass that does something.
func (s *story) crash(w *words) {
	moments := map[string]sim.Moment{"before-saving": sim.BeforeSaving, "before": sim.BeforeActing, "after": sim.AfterActing}
	kind := w.get("at", "")
	if kind == "" {
		s.Die(w.duration(w.get("down", "0s")))
		s.startsAgain()
		s.line("killed", "it starts again")
		return
	}
	at, known := moments[w.get("when", "before")]
	if !known {
		w.fail("when?")
	}
	s.fatal = &fatality{at, kind}
}

// reboot starts the machine anew: time that nobody can vouch for does not count.
func (s *story) reboot(w *words) {
	s.Die(w.duration(w.get("down", "5m")))
	s.startsAgain()
	switch clock := w.get("clock", "trusted"); clock {
	case "trusted":
		s.line("boots", "the clock is synchronised: the time that passed counts")
	case "unknown":
		s.State = rollover.Restart(s.State, s.Now)
		s.line("boots", "nobody can tell how much time has passed: waits start again")
	default:
		w.fail("clock=%s?", clock)
	}
}

// lose takes the journal away, or a standby key, in whose place another one is made.
func (s *story) lose(w *words) {
	switch w.next() {
	case "journal":
		s.State = rollover.State{}
		s.startsAgain()
	case "key":
		s.nextKey("mx1")
		s.Plan.LookDNS = s.Now
	default:
		w.fail("lose what?")
	}
}

// startsAgain lets a process start that knows of no plan: it looks at once.
func (s *story) startsAgain() { s.Plan, s.Passed = rollover.Plan{}, time.Time{} }

// config changes the configuration.
func (s *story) config(w *words) {
	s.Configure(func(p *rollover.LineagePolicy) {
		if text := w.get("scheme", ""); text != "" {
			scheme, err := rollover.ParseScheme(text)
			if err != nil {
				w.fail("%v", err)
			}
			p.Scheme = scheme
			if scheme.Standby && s.standby["mx1"] == nil {
				s.nextKey("mx1")
			}
		}
		if service := w.get("ignore", ""); service != "" {
			p.Ignore = map[tlsa.Owner]bool{s.endpoint(w, service).Owner: true}
		}
		if service := w.get("also", ""); service != "" {
			p.Endpoints = append(p.Endpoints, s.endpoint(w, service))
		}
		if policy := w.get("mta-sts", ""); policy != "" {
			s.MTASTS = map[string]rollover.Sight[bool]{"mx1": rollover.Seen(policy == "enforce")}
		}
		if letters := w.get("issuers", ""); letters != "" {
			p.Issuers = nil
			for letter := range strings.SplitSeq(letters, ",") {
				record := s.IssuerRecord(s.issuer(letter))
				s.cast.name(record, "issuer "+letter)
				p.Issuers = append(p.Issuers, record)
			}
		}
		p.Deadline = rollover.Deadline(w.get("deadline", string(p.Deadline)))
		p.Revision = fmt.Sprint(p.Revision, "+")
	})
	s.startsAgain()
}
