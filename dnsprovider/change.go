package dnsprovider

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Change moves the RRset of one owner from Before to After.
type Change struct {
	Owner tlsa.Owner
	// Before is what was read, a denial where there was nothing.
	Before tlsa.RRset
	// After is what is wanted. Its TTL counts if Before is a denial, or if the
	// contents are the same: then the change is one of the TTL.
	After tlsa.RRset
}

// TTLOnly reports whether the change leaves the content and moves the TTL.
func (c Change) TTLOnly() bool {
	return c.Before.Same(c.After) && !c.After.Denial() && c.Before.TTL != c.After.TTL
}

// Add returns the associations that After has and Before lacks.
func (c Change) Add() []tlsa.Association { return c.Before.Missing(c.After.Associations...) }

// Remove returns the associations that Before has and After lacks.
func (c Change) Remove() []tlsa.Association { return c.After.Missing(c.Before.Associations...) }

// Done reports whether found is what the change leads to.
func (c Change) Done(found tlsa.RRset) bool {
	return found.Same(c.After) && (!c.TTLOnly() || found.TTL == c.After.TTL)
}

// Wanted returns what the RRset will be once the change is carried out on found:
// After, with the TTL that found has, where it exists and the change is not one
// of the TTL.
func (c Change) Wanted(found tlsa.RRset) tlsa.RRset {
	wanted := c.After
	switch {
	case wanted.Denial():
		wanted.TTL = 0
	case !found.Denial() && !c.TTLOnly():
		wanted.TTL = found.TTL
	}
	return wanted
}

// Mismatch says, for an error of kind [Conflict], in what found is not Before.
func (c Change) Mismatch(found tlsa.RRset) error {
	var parts []string
	if came := c.Before.Missing(found.Associations...); len(came) > 0 {
		parts = append(parts, enumerate(came)+" came")
	}
	if gone := found.Missing(c.Before.Associations...); len(gone) > 0 {
		parts = append(parts, enumerate(gone)+" went")
	}
	if len(parts) == 0 {
		return errors.New("the RRset was changed by somebody else meanwhile")
	}
	return fmt.Errorf("the RRset is not what was read: %s", strings.Join(parts, ", "))
}

// enumerate shortens the data: a record is to be recognised, not to be copied.
func enumerate(as []tlsa.Association) string {
	words := make([]string, len(as))
	for i, a := range as {
		data := a.Data
		if len(data) > 16 {
			data = data[:16] + "…"
		}
		words[i] = fmt.Sprintf("%q", a.Params.String()+" "+data)
	}
	return strings.Join(words, " and ")
}

// maxTTL is the largest TTL there is (RFC 2181, section 8).
const maxTTL = math.MaxInt32 * time.Second

// Validate says what about the change no provider could carry out, nil if there
// is nothing: an owner name that is none, data that are no hex, a TTL that is none.
func (c Change) Validate() error {
	owner, err := tlsa.ParseOwner(string(c.Owner))
	if err != nil {
		return err
	}
	if owner != c.Owner {
		return fmt.Errorf("owner name %q: not canonical (hint: write %s)", string(c.Owner), owner)
	}
	for _, s := range [...]tlsa.RRset{c.Before, c.After} {
		for _, a := range s.Associations {
			if _, err := hex.DecodeString(a.Data); err != nil {
				return fmt.Errorf("record %q: the association data is not hex: %w", a, err)
			}
		}
	}
	for _, a := range c.Add() {
		if a.Data == "" {
			return fmt.Errorf("record %q: no association data", a)
		}
	}
	if (c.Before.Denial() && !c.After.Denial()) || c.TTLOnly() {
		return validTTL(c.After.TTL)
	}
	return nil
}

func validTTL(ttl time.Duration) error {
	switch {
	case ttl == 0:
		return errors.New("no TTL (hint: a new RRset needs one, such as 1h)")
	case ttl < 0 || ttl > maxTTL:
		return fmt.Errorf("TTL %s: a TTL is from 1s to %s (RFC 2181, section 8)", ttl, maxTTL)
	case ttl%time.Second != 0:
		return fmt.Errorf("TTL %s: a TTL is a number of whole seconds", ttl)
	}
	return nil
}
