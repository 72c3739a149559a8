package survey

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// ask says how a question to the validating resolver ends.
func (r *Round) ask(ctx context.Context, name string, qtype uint16) audit.Lookup {
	return lookupOf(r.pass.Ask(ctx, name+".", qtype))
}

func lookupOf(a lookup.Answer) audit.Lookup {
	return audit.Lookup{Security: rollover.Security(a.Security), Text: a.Text, Exists: len(a.Records) > 0, NoName: a.Err == "" && a.Rcode == dns.RcodeNameError, Err: a.Err}
}

// withheld is why nobody whose resolver validates gets an answer; "" where they do.
func withheld(a lookup.Answer) string {
	if a.Err == "" && a.Security == lookup.Bogus {
		return a.Text
	}
	return a.Err
}

func unknown(why string) audit.Lookup {
	return audit.Lookup{Security: rollover.Indeterminate, Text: why, Err: why}
}

// isAddress reports whether a name is an address in disguise: labels of digits
// alone are no host name (RFC 1123, section 2.1).
func isAddress(name string) bool {
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil
}

// spf is the SPF policy at a name, "" where there is none (RFC 7208, section 4.5).
func (r *Round) spf(ctx context.Context, name string) string {
	for _, text := range texts(r.pass.Ask(ctx, name+".", dns.TypeTXT)) {
		if text == "v=spf1" || strings.HasPrefix(text, "v=spf1 ") {
			return text
		}
	}
	return ""
}

// texts are the strings of each TXT record in an answer, put together. They are sorted, as
// resolvers give the records of an RRset in another order each time.
func texts(a lookup.Answer) []string {
	var out []string
	for _, rr := range a.Records {
		if txt, ok := rr.(*dns.TXT); ok {
			out = append(out, strings.Join(txt.Txt, ""))
		}
	}
	slices.Sort(out)
	return out
}

// reports is the TLSRPT record of a domain (RFC 8460, section 3). Of several none counts.
func (r *Round) reports(ctx context.Context, domain string) rollover.Sight[string] {
	a := r.pass.Ask(ctx, "_smtp._tls."+domain+".", dns.TypeTXT)
	if why := withheld(a); why != "" {
		return rollover.Unseen[string](why)
	}
	var found []string
	for _, text := range texts(a) {
		if version, _, _ := strings.Cut(text, ";"); strings.TrimSpace(version) == "v=TLSRPTv1" {
			found = append(found, text)
		}
	}
	return rollover.Seen(strings.Join(found, "\n"))
}

// caa are the CAA records that hold for a name: those of the nearest name above or at
// it that has any (RFC 8659, section 3).
func (r *Round) caa(ctx context.Context, host string) rollover.Sight[[]string] {
	for name := host + "."; name != "." && name != ""; {
		a := r.pass.Ask(ctx, name, dns.TypeCAA)
		if why := withheld(a); why != "" {
			return rollover.Unseen[[]string](why)
		}
		var found []string
		for _, rr := range a.Records {
			if caa, ok := rr.(*dns.CAA); ok {
				found = append(found, strings.TrimPrefix(caa.String(), caa.Hdr.String()))
			}
		}
		if len(found) > 0 {
			slices.Sort(found) // as texts are
			return rollover.Seen(found)
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return rollover.Seen[[]string](nil)
}
