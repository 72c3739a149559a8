package audit

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// slowGreeting is when some senders give up.
const slowGreeting = 10 * time.Second

// tellTLS tells of addresses that could not be asked, where TLS does not work, or not for
// all, and of what else is odd before a certificate is seen.
func (s *scene) tellTLS() {
	var beyond, untested, unseen, slow []Address
	for _, a := range s.Addresses {
		switch {
		case a.Beyond:
			beyond = append(beyond, a)
		case a.Untested != "":
			untested = append(untested, a)
		case !slices.ContainsFunc(a.Handshakes, func(k Handshake) bool { return k.Outcome != rollover.Unreached && k.Outcome != "" }):
			unseen = append(unseen, a)
		default:
			s.tellAddress(a)
		}
		if a.Greeted > slowGreeting {
			slow = append(slow, a)
		}
	}
	if len(beyond) > 0 {
		s.tell(rollover.CodeEndpointUnseen, s.Name, "%s: %s: %s %s not asked", s.Name, beyond[0].Untested, where(beyond), verb(len(beyond), "was", "were")).
			mendedBy("Take addresses out of DNS: senders try few of them.")
	}
	if len(untested) > 0 {
		s.tell(rollover.CodeFamilyUntested, about(s.Name, untested), "%s: %s could not be asked: %s", s.Name, where(untested), untested[0].Untested).
			mendedBy("Check from a host that has a route there.").of("host")
	}
	if len(unseen) > 0 {
		f := s.tell(rollover.CodeEndpointUnseen, about(s.Name, unseen), "%s: %s %s not answer: %s", s.Name, where(unseen), verb(len(unseen), "does", "do"), firstErr(unseen[0]))
		f.mendedBy("Look whether the address answers on port %d, and whether this host may connect to that port; take the address out of DNS if it is gone.", s.Port)
		if len(unseen)+len(untested) == len(s.Addresses) {
			f.of("no address")
		}
	}
	if len(slow) > 0 {
		s.tell(rollover.CodeGreetingSlow, about(s.Name, slow), "%s: %s %s %.1f s to greet", s.Name, where(slow), verb(len(slow), "takes", "take up to"), slowest(slow).Seconds())
	}
	s.tellVersionsOfTLS()
}

func firstErr(a Address) string {
	for _, k := range a.Handshakes {
		if k.Err != "" {
			return k.Err
		}
	}
	return "it was not asked"
}

func slowest(addresses []Address) (d time.Duration) {
	for _, a := range addresses {
		d = max(d, a.Greeted)
	}
	return d
}

// tellAddress tells what is wrong with TLS at an address that answers.
func (s *scene) tellAddress(a Address) {
	with, without := ofSNI(a, true), ofSNI(a, false)
	works := slices.ContainsFunc(with, served)
	demanded := works && refused(without)
	if demanded {
		k := without[slices.IndexFunc(without, failed)]
		s.tell(rollover.CodeSNIDemanded, a.Address.String(), "%s: %s presents a certificate to who sends SNI, and breaks off without: %s", s.Name, a.Address.Addr(), k.Err).reportedAs(cmp.Or(k.ResultType, resultValidation))
	}
	switch broken := slices.IndexFunc(with, failed); {
	case broken >= 0:
		s.tellNoTLS(a, with[broken], works)
	case !demanded:
		s.tellUnanswered(a)
	}
}

// refused reports whether none of some handshakes that were answered came to an end.
func refused(handshakes []Handshake) bool {
	return slices.ContainsFunc(handshakes, failed) && !slices.ContainsFunc(handshakes, served)
}

func ofSNI(a Address, sni bool) (out []Handshake) {
	for _, k := range a.Handshakes {
		if k.SNI == sni {
			out = append(out, k)
		}
	}
	return out
}

func served(k Handshake) bool { return k.Outcome == rollover.Served }
func failed(k Handshake) bool { return k.Outcome == rollover.NoTLS }

// tellNoTLS tells of an address without TLS; records decide what that is to mail. One
// that knows old versions alone is told of as that. TLS may work for others than who makes
// the offer.
func (s *scene) tellNoTLS(a Address, k Handshake, others bool) {
	if a.onlyOld() {
		return
	}
	result := cmp.Or(k.ResultType, resultNoSTARTTLS)
	text := fmt.Sprintf("%s: %s offers no working TLS", s.Name, a.Address.Addr())
	if others {
		text += cmp.Or(asked(k), " now and then")
	}
	switch {
	case s.base == nil && others: // who fails tries another way
	case s.base == nil:
		s.tell(rollover.CodePlaintextOnly, a.Address.String(), "%s: %s", text, k.Err).reportedAs(result)
	case k.Temporary:
		s.tell(rollover.CodeSTARTTLSPutOff, a.Address.String(), "%s: %s puts TLS off, and the records at %s demand it: %s", s.Name, a.Address.Addr(), s.base.at(), k.Err).reportedAs(result)
	default:
		s.tell(rollover.CodeNoTLS, a.Address.String(), "%s, and the records at %s demand it: %s that enforce DANE give up: %s", text, s.base.at(), s.who(), k.Err).
			mendedBy("Switch STARTTLS on for all who connect and look at the server's log. If the server is not to have TLS, take the TLSA records out first.").reportedAs(result)
	}
}

// tellUnanswered tells of offers to which an address gave no answer, while it did to
// others: what it presents there is not known.
func (s *scene) tellUnanswered(a Address) {
	i := slices.IndexFunc(a.Handshakes, func(k Handshake) bool { return k.Outcome == rollover.Unreached })
	if i >= 0 {
		s.tell(rollover.CodeEndpointUnseen, a.Address.String(), "%s: %s did not answer every handshake, so that not all that it presents is known: %s", s.Name, a.Address.Addr(), a.Handshakes[i].Err).
			mendedBy("Check again; look whether the server limits how often one may connect.")
	}
}

// onlyOld reports whether the address takes no version of TLS that may be used (RFC 8996).
func (a Address) onlyOld() bool {
	return a.TLS != nil && len(a.TLS.Versions) > 0 && slices.Max(a.TLS.Versions) < tls.VersionTLS12
}

// tellVersionsOfTLS tells of old versions of TLS, and of new ones alone; by the versions,
// as the addresses of a host mostly take the same.
func (s *scene) tellVersionsOfTLS() {
	groups := map[string][]Address{}
	var order []string
	for _, a := range s.Addresses {
		if a.TLS == nil || len(a.TLS.Versions) == 0 {
			continue
		}
		var names []string
		for _, v := range a.TLS.Versions {
			names = append(names, versionName(v))
		}
		key := listed(names)
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], a)
	}
	for _, key := range order {
		at := groups[key]
		versions := at[0].TLS.Versions
		text := fmt.Sprintf("%s: %s %s %s", s.Name, where(at), verb(len(at), "takes", "take"), key)
		switch {
		case at[0].onlyOld():
			s.tell(rollover.CodeTLSOnlyOld, about(s.Name, at), "%s, and nothing newer", text).reportedAs(resultValidation)
		case slices.Min(versions) < tls.VersionTLS12:
			s.tell(rollover.CodeTLSOld, about(s.Name, at), "%s", text)
		case slices.Min(versions) == tls.VersionTLS13:
			s.tell(rollover.CodeTLSOnlyNew, about(s.Name, at), "%s alone", text)
		}
	}
}
