package tlsa

import "errors"

// Authenticates answers as one DANE client: after digest agility (RFC 7671,
// section 9; RFC 7672, section 5) any usable record is enough. It is nil where
// the RRset is a denial or all is unusable: such a client does not authenticate,
// though TLS stays mandatory in the latter case (RFC 7672, section 2.2).
func (s RRset) Authenticates(c *Chain, ref Reference) error {
	_, _, err := s.MatchedBy(c, ref)
	var miss *MatchError
	if errors.As(err, &miss) && miss.Kind == KindUnusable {
		return nil
	}
	return err
}

// MatchedBy names the record by which a DANE client accepts the chain, and the
// depth of the certificate that it matches: DANE-EE before DANE-TA before the
// PKIX usages, then the nearest to the leaf. An error of [KindUnusable] says
// that there is no usable record, any other why the nearest miss is one.
func (s RRset) MatchedBy(c *Chain, ref Reference) (a Association, depth int, err error) {
	best, nearest := -1, -1
	var found, missed verdict
	for i := range s.Associations {
		if s.outclassed(i, &ref) {
			continue
		}
		v := c.match(&s.Associations[i], &ref)
		switch {
		case v.kind != "":
			if nearest < 0 || v.kind.rank() > missed.kind.rank() {
				nearest, missed = i, v
			}
		case best < 0 || preferred(s.Associations[i].Usage, v.depth, s.Associations[best].Usage, found.depth):
			best, found = i, v
		}
	}
	switch {
	case best >= 0:
		return s.Associations[best], found.depth, nil
	case nearest < 0:
		return a, -1, &MatchError{Kind: KindUnusable, Depth: -1, Cause: errNoRecords}
	}
	return a, -1, c.explain(&s.Associations[nearest], &ref, missed)
}

func preferred(u Usage, depth int, than Usage, thanDepth int) bool {
	if u != than {
		return u > than
	}
	return depth < thanDepth
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
// with or without digest agility. Unusable records count for nothing. Nil as in
// Authenticates.
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
	return &MatchError{Association: Association{Params: p}, Kind: KindUnusable, Depth: -1, Cause: errNoRecords}
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
func vouch(as []Association, c *Chain, ref *Reference) (nearest int, missed verdict) {
	for i := range as {
		v := c.match(&as[i], ref)
		if v.kind == "" {
			return i, v
		}
		if i == 0 || v.kind.rank() > missed.kind.rank() {
			nearest, missed = i, v
		}
	}
	return nearest, missed
}
