package demo

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Result is what the two renewals came to.
type Result struct {
	SwapFirst, Tlsaroll Counts
	// Left is the RRset that each server gives at the end, and Wanted what it should be.
	Left   []tlsa.RRset
	Wanted tlsa.RRset
}

// verdict says what is wrong with a result.
func (r Result) verdict() error {
	var errs []error
	if r.SwapFirst.Failed == 0 {
		errs = append(errs, errors.New("no handshake failed although the certificate was changed before its record: this shows nothing (hint: run it again)"))
	}
	if r.Tlsaroll.Failed > 0 {
		errs = append(errs, fmt.Errorf("with tlsaroll there were %s, the last with: %s (hint: a very busy host may be too slow; else this is a defect)", r.Tlsaroll, r.Tlsaroll.Why))
	}
	if !r.clean() {
		errs = append(errs, fmt.Errorf("the zone ends with %s: this is a defect", r.content()))
	}
	return errors.Join(errs...)
}

// clean reports whether every server gives what it should, and no more.
func (r Result) clean() bool {
	return len(r.Left) > 0 && !slices.ContainsFunc(r.Left, func(s tlsa.RRset) bool { return !s.Same(r.Wanted) || s.TTL != r.Wanted.TTL })
}

// content is what the zone holds, in words.
func (r Result) content() string {
	if r.clean() {
		return "the new record and another host's, which nobody touched"
	}
	return fmt.Sprintf("%v, not with %v", r.Left, r.Wanted)
}
