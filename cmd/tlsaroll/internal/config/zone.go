package config

import "net/netip"

func (r *reader) readZones(root *fields) (zones []Zone) {
	v, ok := root.take("zones")
	if !ok {
		return nil
	}
	f, ok := v.mapping("write zones: {example.org: {…}}")
	if !ok {
		return nil
	}
	at := map[string]string{}
	for _, v := range f.all() {
		z, ok := v.readZone()
		if !ok {
			continue
		}
		if first, twice := at[z.Name]; twice {
			v.lacks("the same zone as "+first, "keep one")
			continue
		}
		at[z.Name] = v.name()
		zones = append(zones, z)
	}
	return zones
}

func (v value) readZone() (Zone, bool) {
	var z Zone
	f, ok := v.mapping("write " + v.name() + ": {hidden: [192.0.2.53]}")
	if !ok {
		return z, false
	}
	key := v
	key.node = v.key.Key
	z.Name, ok = key.canonical(v.name(), "write the zone's name, as in example.org")
	if h, ok := f.take("hidden"); ok {
		for _, item := range h.list() {
			if ap, ok := item.addressPort(53); ok {
				z.Hidden = append(z.Hidden, ap)
			}
		}
	}
	if e, ok := f.take("exclude"); ok {
		for _, item := range e.list() {
			item.readExclude(&z)
		}
	}
	f.flag("private", &z.Private)
	f.flag("allow-insecure", &z.AllowInsecure)
	f.done()
	return z, ok
}

// readExclude reads a server, by name or by address.
func (v value) readExclude(z *Zone) {
	s, ok := v.text("write a server's name or address")
	if !ok {
		return
	}
	if a, err := netip.ParseAddr(s); err == nil {
		z.ExcludeAddresses = append(z.ExcludeAddresses, a.Unmap())
		return
	}
	if name, ok := v.canonical(s, "write a server's name or address"); ok {
		z.ExcludeNames = append(z.ExcludeNames, name)
	}
}
