package dnsprovider

import (
	"context"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Provider changes RRsets in the provider's own copy of the zone. It is safe for
// concurrent use.
type Provider interface {
	// RRset reads the TLSA RRset at owner in the provider's own copy. That there is
	// none is no error: the answer is a denial, with TTL 0. An alias at owner
	// is [ErrAlias]: the records have to stand where it leads (RFC 7671, section 7).
	RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error)

	// Apply carries out the changes and returns one result for each, in order; nil
	// where the copy was read to hold After. Only the changes of one owner are atomic
	// together: that one of several fails says nothing about the others. Several changes of
	// one owner are carried out in order. To apply a change a second time is no error
	// and changes nothing.
	//
	// Once ctx is done nothing more is begun, and the errors wrap ctx.Err().
	//
	// An error is not always proof that nothing was done: after ErrTemporary,
	// ErrUnauthentic and ErrIgnored read the RRset again.
	Apply(ctx context.Context, zone string, changes []Change) []error
}
