package dnsprovider_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const owner = tlsa.Owner("_25._tcp.mx.example.org.")

func record(digit string) tlsa.Association {
	return tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("a"+digit, 32)}
}

func rrset(ttl time.Duration, digits ...string) tlsa.RRset {
	s := tlsa.RRset{TTL: ttl}
	for _, d := range digits {
		s = s.With(record(d))
	}
	return s
}

func TestErrorIsOneSentence(t *testing.T) {
	cause := errors.New("REFUSED")
	for _, test := range []struct {
		err  dnsprovider.Error
		want string
	}{
		{dnsprovider.Error{Op: "change", Provider: "rfc2136 192.0.2.53:53", Owner: owner, Kind: dnsprovider.Refused, Err: cause, Hint: "ask"},
			"change _25._tcp.mx.example.org.: rfc2136 192.0.2.53:53: REFUSED (hint: ask)"},
		{dnsprovider.Error{Op: "read", Kind: dnsprovider.Temporary, Err: cause}, "read: REFUSED"},
		{dnsprovider.Error{Op: "change", Owner: owner, Kind: dnsprovider.Conflict}, "change _25._tcp.mx.example.org.: conflict"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestErrorIsItsKindAndItsCause(t *testing.T) {
	kinds := []dnsprovider.Kind{
		dnsprovider.Conflict, dnsprovider.Refused, dnsprovider.NoZone, dnsprovider.OutsideZone, dnsprovider.Alias,
		dnsprovider.Unauthentic, dnsprovider.Temporary, dnsprovider.Malformed, dnsprovider.Unsupported, dnsprovider.Ignored,
	}
	for _, kind := range kinds {
		err := fmt.Errorf("mx1: %w", &dnsprovider.Error{Op: "change", Kind: kind, Err: context.Canceled})
		if !errors.Is(err, kind.Err()) || !errors.Is(err, context.Canceled) || dnsprovider.KindOf(err) != kind {
			t.Errorf("%v: %v", kind, err)
		}
		for _, other := range kinds {
			if other != kind && errors.Is(err, other.Err()) {
				t.Errorf("%v is also %v", kind, other)
			}
		}
	}
	if got := dnsprovider.KindOf(context.Canceled); got != 0 || got.Err() != nil || got.String() != "unknown" {
		t.Errorf("an error of another package is of kind %v", got)
	}
}

func TestChange(t *testing.T) {
	const hour = time.Hour
	for _, test := range []struct {
		name           string
		before, after  tlsa.RRset
		found          tlsa.RRset
		ttlOnly, done  bool
		wanted         tlsa.RRset
		nAdd, nRemoved int
	}{
		{"first", tlsa.RRset{}, rrset(hour, "1"), tlsa.RRset{}, false, false, rrset(hour, "1"), 1, 0},
		{"first, done", tlsa.RRset{}, rrset(hour, "1"), rrset(2*hour, "1"), false, true, rrset(2*hour, "1"), 1, 0},
		{"TTL kept", rrset(hour, "1"), rrset(hour, "1", "2"), rrset(2*hour, "1"), false, false, rrset(2*hour, "1", "2"), 1, 0},
		{"replaced", rrset(hour, "1"), rrset(hour, "2"), rrset(hour, "1"), false, false, rrset(hour, "2"), 1, 1},
		{"last", rrset(hour, "1"), rrset(hour), rrset(hour, "1"), false, false, tlsa.RRset{}, 0, 1},
		{"TTL", rrset(hour, "1"), rrset(2*hour, "1"), rrset(hour, "1"), true, false, rrset(2*hour, "1"), 0, 0},
		{"TTL, done", rrset(hour, "1"), rrset(2*hour, "1"), rrset(2*hour, "1"), true, true, rrset(2*hour, "1"), 0, 0},
		{"nothing", rrset(hour, "1"), rrset(hour, "1"), rrset(2*hour, "1"), false, true, rrset(2*hour, "1"), 0, 0},
		{"denials", tlsa.RRset{}, rrset(hour), tlsa.RRset{}, false, true, tlsa.RRset{}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dnsprovider.Change{Owner: owner, Before: test.before, After: test.after}
			if c.TTLOnly() != test.ttlOnly || c.Done(test.found) != test.done || len(c.Add()) != test.nAdd || len(c.Remove()) != test.nRemoved {
				t.Errorf("TTLOnly %v, Done %v, Add %v, Remove %v", c.TTLOnly(), c.Done(test.found), c.Add(), c.Remove())
			}
			got := c.Wanted(test.found)
			if !got.Same(test.wanted) || got.TTL != test.wanted.TTL {
				t.Errorf("wanted %v, want %v", got, test.wanted)
			}
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestChangeRefused(t *testing.T) {
	with := func(data string) tlsa.RRset {
		return tlsa.NewRRset(time.Hour, tlsa.Association{Params: tlsa.EE, Data: data})
	}
	for want, c := range map[string]dnsprovider.Change{
		`name "": empty (hint: write it whole, as in mx1.example.org)`:                               {},
		`owner name "_25._TCP.mx.example.org": not canonical (hint: write _25._tcp.mx.example.org.)`: {Owner: "_25._TCP.mx.example.org"},
		`record "3 1 1 zz": the association data is not hex: encoding/hex: invalid byte: U+007A 'z'`: {Owner: owner, After: with("zz")},
		`record "3 1 1 abc": the association data is not hex: encoding/hex: odd length hex string`:   {Owner: owner, Before: with("abc")},
		`record "3 1 1 ": no association data`:                                                       {Owner: owner, After: with("")},
		`no TTL (hint: a new RRset needs one, such as 1h)`:                                           {Owner: owner, After: rrset(0, "1")},
		`TTL 1.5s: a TTL is a number of whole seconds`:                                               {Owner: owner, After: rrset(1500*time.Millisecond, "1")},
		`TTL -1s: a TTL is from 1s to 596523h14m7s (RFC 2181, section 8)`:                            {Owner: owner, After: rrset(-time.Second, "1")},
		`TTL 596523h14m8s: a TTL is from 1s to 596523h14m7s (RFC 2181, section 8)`: {
			Owner: owner, Before: rrset(time.Hour, "1"), After: rrset((1<<31)*time.Second, "1")},
	} {
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("error is\n%v, want\n%s", err, want)
		}
	}
}

func TestMismatchSaysWhatCameAndWent(t *testing.T) {
	c := dnsprovider.Change{Owner: owner, Before: rrset(time.Hour, "1", "2"), After: rrset(time.Hour, "1", "2", "3")}
	for _, test := range []struct {
		found tlsa.RRset
		want  string
	}{
		{rrset(time.Hour, "1", "f"), `the RRset is not what was read: "3 1 1 afafafafafafafaf…" came, "3 1 1 a2a2a2a2a2a2a2a2…" went`},
		{tlsa.RRset{}, `the RRset is not what was read: "3 1 1 a1a1a1a1a1a1a1a1…" and "3 1 1 a2a2a2a2a2a2a2a2…" went`},
		{rrset(time.Hour, "1", "2"), "the RRset was changed by somebody else meanwhile"},
	} {
		if got := c.Mismatch(test.found).Error(); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

func TestZones(t *testing.T) {
	for in, want := range map[string]string{"": "", "example.org": "example.org.", "Example.ORG.": "example.org."} {
		if got, err := dnsprovider.CanonicalZone(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if got, err := dnsprovider.CanonicalZone("."); err == nil {
		t.Errorf("the root is the zone %q", got)
	}
	for name, want := range map[string]bool{"example.org.": true, "_25._tcp.mx.example.org.": true, "notexample.org.": false, "org.": false} {
		if got := dnsprovider.InZone(name, "example.org."); got != want {
			t.Errorf("%s in example.org.: %v", name, got)
		}
	}
}

func TestAliasError(t *testing.T) {
	err := &dnsprovider.AliasError{Type: "CNAME", At: owner, Target: "_dane.example.net."}
	want := []string{
		"a CNAME at _25._tcp.mx.example.org. leads to _dane.example.net., and no other record can stand beside it",
		"the records belong at _dane.example.net., written by whoever holds that zone; or remove the CNAME",
	}
	if diff := cmp.Diff(want, []string{err.Error(), err.Hint()}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
