package finder

import (
	"context"
	"slices"

	"github.com/goccy/go-yaml"
)

const knotConf = "/etc/knot/knot.conf"

// knotConfig is what concerns us of knot.conf(5).
type knotConfig struct {
	Key []struct {
		ID        string `yaml:"id"`
		Algorithm string `yaml:"algorithm"`
	} `yaml:"key"`
	ACL      []knotRule `yaml:"acl"`
	Template []knotZone `yaml:"template"`
	Zone     []knotZone `yaml:"zone"`
}

type knotRule struct {
	ID     string `yaml:"id"`
	Key    words  `yaml:"key"`
	Action words  `yaml:"action"`
	Deny   string `yaml:"deny"`
	Types  words  `yaml:"update-type"`
}

type knotZone struct {
	ID       string `yaml:"id"`
	Domain   string `yaml:"domain"`
	Template string `yaml:"template"`
	ACL      words  `yaml:"acl"`
	Master   words  `yaml:"master"`
}

// words is one text or a list of them.
type words []string

// UnmarshalYAML takes either.
func (w *words) UnmarshalYAML(src []byte) error {
	var list []string
	if yaml.Unmarshal(src, &list) == nil {
		*w = list
		return nil
	}
	var one string
	err := yaml.Unmarshal(src, &one)
	if *w = nil; one != "" {
		*w = words{one}
	}
	return err
}

// knot asks knotc, which puts included files together.
func (h Host) knot(ctx context.Context, note func(string, ...any)) (found []Primary) {
	file := or(h.Knot, knotConf)
	if !h.has(file) {
		return nil
	}
	out, ok := h.ask(ctx, note, "Knot", "knotc", "-c", file, "conf-export")
	if !ok {
		return nil
	}
	var conf knotConfig
	if yaml.Unmarshal(out, &conf) != nil { // whose message would quote a secret
		note("Knot: what knotc prints of %s is not understood", file)
		return nil
	}
	ring := keyring{}
	for _, k := range conf.Key {
		ring[keyName(k.ID)] = Key{Algorithm: or(k.Algorithm, "hmac-sha256")}
	}
	ring = ring.in(h, file)
	for _, z := range conf.Zone {
		z = conf.inherited(z)
		name, ours := zoneName(z.Domain)
		if !ours || len(z.Master) > 0 {
			continue
		}
		found = append(found, Primary{Server: "Knot", Zone: name, Provider: byUpdate, Keys: conf.updaters(z, ring)})
	}
	return found
}

// inherited is a zone with what its template has.
func (c knotConfig) inherited(z knotZone) knotZone {
	i := slices.IndexFunc(c.Template, func(t knotZone) bool { return t.ID == or(z.Template, "default") })
	if i < 0 {
		return z
	}
	if z.ACL == nil {
		z.ACL = c.Template[i].ACL
	}
	if z.Master == nil {
		z.Master = c.Template[i].Master
	}
	return z
}

// updaters are the keys that may change a zone's TLSA records, those that may change these
// alone first.
func (c knotConfig) updaters(z knotZone, ring keyring) []Key {
	var only, all []Key
	for _, r := range c.ACL {
		if !slices.Contains(z.ACL, r.ID) || !slices.Contains(r.Action, "update") || r.Deny == "on" || r.Deny == "true" {
			continue
		}
		for _, name := range r.Key {
			switch {
			case slices.Contains(r.Types, "TLSA"):
				only = append(only, ring.named(name))
			case len(r.Types) == 0:
				all = append(all, ring.named(name))
			}
		}
	}
	return append(only, all...)
}
