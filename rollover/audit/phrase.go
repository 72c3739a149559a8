package audit

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// shorten writes a record with as much of its data as tells it from others.
func shorten(a tlsa.Association) string {
	const enough = 8
	if len(a.Data) <= enough {
		return a.String()
	}
	return a.Params.String() + " " + a.Data[:enough] + "…"
}

func shortenAll(as []tlsa.Association) string {
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = shorten(a)
	}
	return listed(out)
}

// listed joins words as in a sentence, and keeps long lists short.
func listed(words []string) string {
	const enough = 6
	if len(words) > enough {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:enough], ", "), len(words)-enough)
	}
	if len(words) > 1 {
		return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
	}
	return strings.Join(words, "")
}

// where lists addresses, without the port that all have.
func where(addresses []Address) string {
	out := make([]string, len(addresses))
	for i, a := range addresses {
		out[i] = a.Address.Addr().String()
	}
	return listed(out)
}

// about names addresses as a finding does that is about them: the one, or the host.
func about(host string, addresses []Address) string {
	if len(addresses) == 1 {
		return addresses[0].Address.String()
	}
	return host
}

// verb is for one or for several.
func verb(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

func serverName(s rollover.ServerView) string {
	address := strings.TrimSuffix(s.Address, ":53")
	if s.Name == "" || strings.HasPrefix(address, s.Name) {
		return address
	}
	return s.Name + " (" + address + ")"
}

// day writes a date, and minute a time, both in UTC.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// zoneLine is a record as it stands in a zone file.
func zoneLine(owner tlsa.Owner, a tlsa.Association) string {
	return fmt.Sprintf("%s IN TLSA %s", owner, a)
}

// seconds writes a TTL.
func seconds(d time.Duration) string { return fmt.Sprintf("%d s", int64(d/time.Second)) }

// hours writes a time that is left.
func hours(d time.Duration) string {
	n := int(d.Hours())
	return fmt.Sprintf("%d %s", n, verb(n, "hour", "hours"))
}

// at names where the records of a base domain stand.
func (b *Base) at() string { return strings.TrimSuffix(b.Owner.String(), ".") }

// alias says that the records of a base domain stand elsewhere, if they do.
func (b *Base) alias() string {
	if b.Target == "" || b.Target == b.Owner {
		return ""
	}
	return ", an alias of " + strings.TrimSuffix(b.Target.String(), ".")
}

// cause is why a record is of no use, without the record.
func cause(err error) string {
	if miss, ok := errors.AsType[*tlsa.MatchError](err); ok && miss.Cause != nil {
		return miss.Cause.Error()
	}
	return err.Error()
}
