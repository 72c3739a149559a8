package audit

import "cmp"

// lookups are the steps from a domain to its hosts.
func (d Domain) lookups() []LookupReport {
	steps := []LookupReport{}
	for _, a := range d.MX.Aliases {
		steps = append(steps, a.report())
	}
	if d.MX.Given {
		return steps
	}
	return append(steps, d.MX.report("MX", d.Name))
}

// lookups are the steps from a host to its addresses and records.
func (h Host) lookups() []LookupReport {
	steps := []LookupReport{}
	for _, a := range h.Aliases {
		steps = append(steps, a.report())
	}
	steps = append(steps, h.Reach.report("A, AAAA", h.Target))
	for _, b := range h.Bases {
		text := b.SecurityText
		if b.InVain {
			text = "not asked for, as the addresses are not signed"
		}
		steps = append(steps, LookupReport{What: "TLSA", Name: b.Owner.String(), Security: b.Security, Text: cmp.Or(text, b.Resolved.Err)})
	}
	return steps
}

func (l Lookup) report(what, name string) LookupReport {
	return LookupReport{What: what, Name: name, Security: l.Security, Text: cmp.Or(l.Err, l.Text)}
}

func (s Step) report() LookupReport {
	return LookupReport{What: "CNAME", Name: s.Owner, Security: s.Security, Text: "leads to " + s.Target}
}

// reports are what each authoritative server gives. Those that gave an alias on the way
// have no records of their own.
func (b *Base) reports() []ServerReport {
	out := []ServerReport{}
	for _, s := range b.Servers {
		if s.Alias && s.Answer.Known() {
			continue
		}
		r := ServerReport{Name: s.Name, Address: s.Address, Records: []string{}, TTL: int(s.Answer.Value.TTL.Seconds()), SignedUntil: s.SignedUntil, Error: s.Answer.Err}
		for _, a := range s.Answer.Value.Associations {
			r.Records = append(r.Records, a.String())
		}
		out = append(out, r)
	}
	return out
}
