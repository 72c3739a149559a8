package libdnsbridge

import (
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// A Backend is what is used of a libdns module. SetRecords is not: of ten modules read,
// it loses records in seven.
type Backend interface {
	libdns.RecordGetter
	libdns.RecordAppender
	libdns.RecordDeleter
}

// A Host is a DNS host that is reached through a libdns module: what it can do, what
// its configuration wants, and where its module differs from others.
type Host struct {
	dnsprovider.Capability

	// Settings are the keys of its configuration, beside type and zone.
	Settings []Setting
	// Open checks the settings and makes the backend. It asks nobody, and neither ends
	// the process nor panics, whatever the settings are.
	Open func(Values) (Backend, error)

	// Quirks are where the module differs.
	Quirks Quirks
}

// A Setting is one key of a host's configuration.
type Setting struct {
	Name     string // as in the configuration; of a secret without -file, -env, -credential
	Secret   bool
	Required bool
	URL      bool   // http or https
	Default  string // where it is not given
	Example  string // for the hint
}

// Values are the settings that were given, by name.
type Values map[string]string

// Quirks are where a module differs from the contract of libdns. The zero value is a
// module that does as it should.
type Quirks struct {
	// BareZone is for modules that want the zone without the trailing dot.
	BareZone bool
	// ExactTTL is for modules that delete a record only if its TTL is the one given.
	ExactTTL bool
	// Together is for modules that read the zone in each call that changes something, and that
	// take no harm from a record that stands already: changes of several owners go in
	// one call.
	Together bool
	// MayBeEmpty is for hosts that list neither SOA nor NS records, so that a zone may have none
	// that they list.
	MayBeEmpty bool
	// OneAtATime is for modules that must not be called from two goroutines at once.
	OneAtATime bool
	// Timeout is how long a call takes at worst, where that is longer than with others.
	Timeout time.Duration
	// MaxTTL is the highest TTL that the host takes; zero: none is known.
	MaxTTL time.Duration
	// Short takes from what an error of the module says what is for people; nil: all of it.
	Short func(says string) string
	// Classify says what an error of the module means, 0 where it cannot tell. What is common
	// to all is recognised without it: HTTP statuses, time-outs, connections that end.
	Classify func(error) dnsprovider.Kind
	// Limited says whether an error that Classify knows means that the host is asked too often.
	Limited func(error) bool
}
