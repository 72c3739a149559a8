package tlsa

// Authenticates answers as one DANE client: after digest agility (RFC 7671,
// section 9; RFC 7672, section 5) any usable record is enough. It is nil where
// the RRset is a denial or all is unusable: such a client does not authenticate,
// though in the latter case it still insists on TLS (RFC 7672, section 2.2).
func (s RRset) Authenticates(c *Chain, ref Reference) error {
	if i, v := s.nearest(c, &ref); v.kind != "" && v.kind != KindUnusable {
		return c.explain(&s.Associations[i], &ref, v)
	}
	return nil
}

// MatchedBy names the record by which a DANE client accepts the chain, and the
// depth of the certificate that it matches: DANE-EE before DANE-TA before the
// PKIX usages, then the nearest to the leaf. An error of [KindUnusable] says
// that no record is usable, another why the one that came nearest does not match.
func (s RRset) MatchedBy(c *Chain, ref Reference) (a Association, depth int, err error) {
	switch i, v := s.nearest(c, &ref); {
	case i < 0:
		return a, -1, unusable(a, errAbsent)
	case v.kind != "":
		return a, -1, c.explain(&s.Associations[i], &ref, v)
	default:
		return s.Associations[i], v.depth, nil
	}
}

// nearest gives the best match that digest agility leaves, or else the nearest
// miss; -1 where there is no record.
func (s RRset) nearest(c *Chain, ref *Reference) (nearest int, v verdict) {
	nearest, v.kind = -1, KindUnusable
	for i := range s.Associations {
		if s.outclassed(i, ref) {
			continue
		}
		w := c.match(&s.Associations[i], ref)
		if nearest < 0 || w.kind.rank() > v.kind.rank() ||
			w.kind == "" && v.kind == "" && (s.Associations[i].Usage > s.Associations[nearest].Usage || w.depth < v.depth) {
			nearest, v = i, w
		}
	}
	return nearest, v
}

// outclassed reports whether digest agility passes over record i: a usable one of the
// same usage and selector has a stronger digest. Full is never passed over.
func (s RRset) outclassed(i int, ref *Reference) bool {
	a := &s.Associations[i]
	if a.Matching != SHA256 {
		return false
	}
	for j := i + 1; j < len(s.Associations); j++ {
		b := &s.Associations[j]
		if b.Usage != a.Usage || b.Selector != a.Selector {
			break
		}
		if b.Matching == SHA512 && b.unusable(ref, nil) == nil {
			return true
		}
	}
	return false
}

// Vouches answers as a publisher must: every combination in the RRset matches
// (RFC 7671, section 8), so that a client finds a match whichever it supports and
// with or without digest agility. A publisher cannot count on clients that find
// the trust anchor of a 2 1 0 record in the record itself: it must be in the chain
// (section 5.2.3). Unusable records count for nothing. Nil as in Authenticates.
func (s RRset) Vouches(c *Chain, ref Reference) error {
	for rest := s.Associations; len(rest) > 0; {
		n := combination(rest)
		if i, v := vouch(rest[:n], c, &ref); v.kind != "" && v.kind != KindUnusable {
			return c.explain(&rest[i], &ref, v)
		}
		rest = rest[n:]
	}
	return nil
}

// VouchesFor answers for one combination of the RRset: nil where one of its
// records matches, an error of [KindUnusable] where it has no usable one.
func (s RRset) VouchesFor(p Params, c *Chain, ref Reference) error {
	for rest := s.Associations; len(rest) > 0; {
		n := combination(rest)
		if rest[0].Params == p {
			if i, v := vouch(rest[:n], c, &ref); v.kind != "" {
				return c.explain(&rest[i], &ref, v)
			}
			return nil
		}
		rest = rest[n:]
	}
	return unusable(Association{Params: p}, errAbsent)
}

// Combinations are those of the usable records, sorted.
func (s RRset) Combinations(ref Reference) []Params {
	var ps []Params
	for i := range s.Associations {
		a := &s.Associations[i]
		if (len(ps) == 0 || ps[len(ps)-1] != a.Params) && a.unusable(&ref, nil) == nil {
			ps = append(ps, a.Params)
		}
	}
	return ps
}

// combination counts the records at the front that share their combination.
func combination(as []Association) int {
	n := 1
	for n < len(as) && as[n].Params == as[0].Params {
		n++
	}
	return n
}

// vouch gives the first of as that matches, else the nearest miss.
func vouch(as []Association, c *Chain, ref *Reference) (nearest int, v verdict) {
	for i := range as {
		w := c.match(&as[i], ref)
		if w.bare {
			w = verdict{kind: KindNoAnchor, depth: -1}
		}
		if w.kind == "" {
			return i, w
		}
		if i == 0 || w.kind.rank() > v.kind.rank() {
			nearest, v = i, w
		}
	}
	return nearest, v
}
