package lookup

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	maxAliases = 8  // in a row: about what resolvers follow
	maxStops   = 32 // names in all, while servers disagree
)

// A walk follows a name through all that any server says of it: while servers
// disagree, a cache may hold any of it.
type walk struct {
	pass  *Pass
	start string
	stops map[string]*stop
	order []*stop
	err   string
}

// A stop is one name on the way.
type stop struct {
	name   string
	depth  int
	zones  []*zone // more than one only while servers disagree on a cut
	sights []sighting
}

func (w *walk) run(ctx context.Context) {
	queue := []*stop{w.add(w.start, 0)}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if err := w.visit(ctx, s); err != nil {
			w.fail(err)
			continue
		}
		for _, target := range slices.Sorted(maps.Keys(s.targets())) {
			if w.stops[target] != nil {
				continue
			}
			if s.depth == maxAliases {
				w.fail(fmt.Errorf("%s: more than %d aliases", w.start, maxAliases))
				continue
			}
			if len(w.order) == maxStops {
				w.fail(fmt.Errorf("%s: the servers lead to more than %d different names", w.start, maxStops))
				break
			}
			queue = append(queue, w.add(target, s.depth+1))
		}
	}
	if loop := w.loop(w.start, nil, map[string]bool{}); loop != nil {
		w.fail(fmt.Errorf("%s: the aliases lead in a circle: %s", w.start, strings.Join(loop, " -> ")))
	}
}

func (w *walk) add(name string, depth int) *stop {
	s := &stop{name: name, depth: depth}
	w.stops[name] = s
	w.order = append(w.order, s)
	return s
}

func (w *walk) fail(err error) {
	if w.err == "" {
		w.err = err.Error()
	}
}

// visit asks all servers of the name's zone, and of a deeper one that they lead to.
func (w *walk) visit(ctx context.Context, s *stop) error {
	next, err := w.pass.ZoneOf(ctx, s.name)
	for err == nil && next != "" {
		var z *zone
		var seen []sighting
		if z, err = w.pass.look(ctx, next); err != nil {
			break
		}
		if seen, err = w.pass.sightings(ctx, z, s.name); err != nil {
			break
		}
		s.zones = append(s.zones, z)
		s.sights = append(s.sights, seen...)
		next = s.cut()
	}
	return err
}

// cut is a zone that servers lead to and that is not looked at yet.
func (s *stop) cut() string {
	for _, x := range s.sights {
		if x.err == nil && x.cut && !slices.ContainsFunc(s.zones, func(z *zone) bool { return z.name == x.leads }) {
			return x.leads
		}
	}
	return ""
}

// targets are the names that aliases here lead to, with the longest TTL.
func (s *stop) targets() map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, x := range s.sights {
		if x.err == nil && x.leads != "" && !x.cut {
			out[x.leads] = max(out[x.leads], x.lasts)
		}
	}
	return out
}

// ends reports whether a server has an answer of its own here, with or without records.
func (s *stop) ends() bool {
	return slices.ContainsFunc(s.sights, func(x sighting) bool { return x.err == nil && x.leads == "" })
}

// loop returns a circle of aliases reachable from name; way leads there, and
// names in done lead to none.
func (w *walk) loop(name string, way []string, done map[string]bool) []string {
	if i := slices.Index(way, name); i >= 0 {
		return append(slices.Clone(way[i:]), name)
	}
	s := w.stops[name]
	if s == nil || done[name] {
		return nil
	}
	way = append(slices.Clone(way), name)
	for _, target := range slices.Sorted(maps.Keys(s.targets())) {
		if found := w.loop(target, way, done); found != nil {
			return found
		}
	}
	done[name] = true
	return nil
}

// path is the way from the start to the name where records are to be written.
// Where servers disagree, the resolver's way decides, then the alphabet.
func (w *walk) path(resolver Answer) []string {
	steps, _, _ := chase(resolver.Records, w.start)
	way := []string{w.start}
	for {
		here := way[len(way)-1]
		s := w.stops[here]
		if s == nil {
			return way
		}
		targets := slices.Sorted(maps.Keys(s.targets()))
		if len(targets) == 0 {
			return way
		}
		next := targets[0]
		if i := slices.IndexFunc(steps, func(a Alias) bool { return a.Owner == here && slices.Contains(targets, a.Target) }); i >= 0 {
			next = steps[i].Target
		} else if s.ends() {
			return way
		}
		if slices.Contains(way, next) {
			return way
		}
		way = append(way, next)
	}
}

// reach is, for each name on the way, the longest sum of alias TTLs up to it. In a
// circle, which is an error, it is too long.
func (w *walk) reach() map[string]time.Duration {
	sums := map[string]time.Duration{w.start: 0}
	// No way without a circle has more steps than there are names.
	for range w.order {
		for _, s := range w.order {
			sum, reached := sums[s.name]
			for target, t := range s.targets() {
				if old, ok := sums[target]; reached && (!ok || sum+t > old) {
					sums[target] = sum + t
				}
			}
		}
	}
	return sums
}

func (w *walk) aliases() []Alias {
	var out []Alias
	for _, s := range w.order {
		targets := s.targets()
		for _, target := range slices.Sorted(maps.Keys(targets)) {
			zone := ""
			if len(s.zones) > 0 {
				zone = s.zones[len(s.zones)-1].name
			}
			out = append(out, Alias{Owner: s.name, Target: target, Zone: zone, TTL: targets[target]})
		}
	}
	return out
}

func (w *walk) excluded() []Server {
	var out []Server
	for _, z := range w.zones() {
		for _, s := range z.excluded {
			if x := (Server{s.name, s.addr}); !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
	}
	return out
}

func (w *walk) incomplete() string {
	var out []string
	for _, z := range w.zones() {
		if z.incomplete != "" {
			out = append(out, z.incomplete)
		}
	}
	return strings.Join(out, "; ")
}

// zones are the zones on the way, each once.
func (w *walk) zones() []*zone {
	var out []*zone
	for _, s := range w.order {
		for _, z := range s.zones {
			if !slices.Contains(out, z) {
				out = append(out, z)
			}
		}
	}
	return out
}

func (w *walk) findings() []Finding {
	var out []Finding
	for _, z := range w.zones() {
		out = append(out, z.findings...)
	}
	for _, s := range w.order {
		for _, x := range s.sights {
			out = append(out, x.findings...)
		}
		out = append(out, s.disagreements()...)
	}
	return out
}

// disagreements are what the servers of one name do not say alike, beside its records.
func (s *stop) disagreements() []Finding {
	var out []Finding
	targets := slices.Sorted(maps.Keys(s.targets()))
	if len(targets) > 1 || (len(targets) == 1 && s.ends()) {
		own := ""
		if s.ends() {
			own = ", and some have no alias there"
		}
		out = append(out, finding(FindingAliasDisagree, Warning, s.name, "%s: the servers lead to different names: %s%s; all are looked at", s.name, strings.Join(targets, ", "), own))
	}
	if len(s.zones) > 1 {
		out = append(out, finding(FindingCutDisagree, Warning, s.name, "%s: the resolver finds it in zone %s, servers lead to %s", s.name, s.zones[0].name, s.zones[len(s.zones)-1].name))
	}
	tags := map[string][]string{}
	for _, x := range s.sights {
		if x.err == nil && len(x.keys) > 0 {
			k := strings.Join(x.keys, ", ")
			tags[k] = append(tags[k], x.server.String())
		}
	}
	if len(tags) > 1 {
		var sets []string
		for k, servers := range tags {
			sets = append(sets, fmt.Sprintf("%s at %s", k, strings.Join(servers, ", ")))
		}
		slices.SortFunc(sets, cmp.Compare[string])
		out = append(out, finding(FindingKeysDiffer, Warning, s.zones[0].name, "zone %s: the servers give different DNSKEYs: %s; who takes keys from one and records from the other may find them bogus", s.zones[0].name, strings.Join(sets, "; ")))
	}
	return out
}
