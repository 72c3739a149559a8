package tlsa

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// An RRset is all TLSA records at one owner name: what is cached and replaced as
// a whole (RFC 9499). Associations are sorted and distinct; do not change them.
// An RRset without any is a denial of existence.
type RRset struct {
	TTL          time.Duration `json:"ttl"`
	Associations []Association `json:"associations,omitempty"`
}

// NewRRset sorts the associations and drops duplicates.
func NewRRset(ttl time.Duration, as ...Association) RRset {
	as = slices.Clone(as)
	slices.SortFunc(as, Compare)
	return RRset{TTL: ttl, Associations: slices.Compact(as)}
}

// Denial reports whether there are no records: DANE is off for who holds this.
func (s RRset) Denial() bool { return len(s.Associations) == 0 }

// Has reports whether a stands in the RRset.
func (s RRset) Has(a Association) bool {
	_, ok := slices.BinarySearchFunc(s.Associations, a, Compare)
	return ok
}

// HasParams reports whether the RRset has a record of combination p.
func (s RRset) HasParams(p Params) bool {
	return slices.ContainsFunc(s.Associations, func(a Association) bool { return a.Params == p })
}

// Same reports whether both hold the same associations, whatever their TTLs.
func (s RRset) Same(t RRset) bool { return slices.Equal(s.Associations, t.Associations) }

// With returns the RRset with as added.
func (s RRset) With(as ...Association) RRset {
	return NewRRset(s.TTL, append(slices.Clone(s.Associations), as...)...)
}

// Without returns the RRset with as taken out.
func (s RRset) Without(as ...Association) RRset {
	return RRset{s.TTL, slices.DeleteFunc(slices.Clone(s.Associations), func(a Association) bool { return slices.Contains(as, a) })}
}

// Missing returns those of as that the RRset lacks.
func (s RRset) Missing(as ...Association) (missing []Association) {
	for _, a := range as {
		if !s.Has(a) {
			missing = append(missing, a)
		}
	}
	return missing
}

// UnmarshalJSON sorts what it reads: a file may have been written by hand.
func (s *RRset) UnmarshalJSON(b []byte) error {
	type plain RRset
	var p plain
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	*s = NewRRset(p.TTL, p.Associations...)
	return nil
}

// Key identifies the content without the TTL; equal keys are equal contents.
func (s RRset) Key() string {
	var b strings.Builder
	for _, a := range s.Associations {
		b.WriteString(a.String())
		b.WriteByte('\n')
	}
	return b.String()
}
