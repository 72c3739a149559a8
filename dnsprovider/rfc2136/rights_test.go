package rfc2136_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLeastRights: what the documentation says to give a key suffices, and is not more: TLSA
// at one name and TXT at another.
func TestLeastRights(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) *named{
		"BIND": func(t *testing.T) *named {
			return startNamed(t, `update-policy {
				grant tlsaroll.example.org. name _25._tcp.mx.example.org. TLSA;
				grant tlsaroll.example.org. name _acme-challenge.mx.example.org. TXT;
			};`)
		},
		"BIND, signed": func(t *testing.T) *named {
			return startNamed(t, `update-policy {
				grant tlsaroll.example.org. name _25._tcp.mx.example.org. TLSA;
				grant tlsaroll.example.org. name _acme-challenge.mx.example.org. TXT;
			}; dnssec-policy default;`)
		},
		"Knot": func(t *testing.T) *named {
			return startKnotWith(t, `    action: [query, update]
    update-type: [TLSA, TXT]
    update-owner: name
    update-owner-match: equal
    update-owner-name: [_25._tcp.mx, _acme-challenge.mx]`, "dnssec-signing: on")
		},
		"PowerDNS with Lua": func(t *testing.T) *named {
			script := filepath.Join(t.TempDir(), "policy.lua")
			write(t, script, pdnsPolicy)
			return startPowerDNS(t, "lua-dnsupdate-policy-script="+script, pdnsAllow, "secure-zone "+zone).named
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, bindConfig(start(t)))
			steps := []tlsa.RRset{{}, rrset("1"), rrset("1", "2"), tlsa.NewRRset(2*time.Hour, record("1"), record("2")), rrset("2"), {}}
			for i := range steps[1:] {
				if err := apply(t, p, steps[i], steps[i+1]); err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
			}
			if err := p.AddTXT(t.Context(), zone, challenge, "value", time.Minute); err != nil {
				t.Error(err)
			}
			if err := p.RemoveTXT(t.Context(), zone, challenge, "value"); err != nil {
				t.Error(err)
			}
			errs := p.Apply(t.Context(), zone, []dnsprovider.Change{{Owner: numbered(1), After: rrset("1")}, {Owner: owner, After: rrset("1")}})
			no(t, errs[0])
			if errs[1] != nil {
				t.Errorf("another owner had no rights, and this one suffered: %v", errs[1])
			}
			no(t, p.AddTXT(t.Context(), zone, "mx.example.org.", "value", time.Minute))
		})
	}
}

// no is for what the key may not do. PowerDNS says that it was done, and Knot that it does
// not know the key.
func no(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, dnsprovider.ErrRefused) && !errors.Is(err, dnsprovider.ErrIgnored) &&
		(!errors.Is(err, dnsprovider.ErrUnauthentic) || !strings.Contains(err.Error(), "Knot says so, too, where no acl lets the key do this")) {
		t.Errorf("error is %v", err)
	}
}

// TestPowerDNSRights: in the zone's metadata rights are for the whole zone.
func TestPowerDNSRights(t *testing.T) {
	n := startPowerDNS(t, "", pdnsAllow)
	if err := apply(t, newProvider(t, bindConfig(n.named)), rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	c := bindConfig(n.named)
	c.KeyName, c.Secret = "", rfc2136.Secret{}
	c.Unsigned = true
	if err := apply(t, newProvider(t, c), rrset("1"), rrset("1", "2")); !errors.Is(err, dnsprovider.ErrRefused) {
		t.Errorf("without a key: %v", err)
	}
}

// pdnsPolicy lets one key change records of one type at one name, and another key all.
const pdnsPolicy = `function updatepolicy(input)
  local key, name, rtype = input:getTsigName():toString(), input:getQName():toString(), input:getQType()
  return key == "tlsaroll.example.org." and (
    name == "_25._tcp.mx.example.org." and rtype == pdns.TLSA or
    name == "_acme-challenge.mx.example.org." and rtype == pdns.TXT)
end
`
