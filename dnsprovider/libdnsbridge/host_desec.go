package libdnsbridge

import (
	"time"

	"github.com/libdns/desec"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// deSEC is https://desec.io, whose API is described at https://desec.readthedocs.io/.
func deSEC() Host {
	return Host{
		Capability: dnsprovider.Capability{
			Type: "desec", Name: "deSEC",
			Verified: "a server written from the API's documentation",
			Atomic:   dnsprovider.AddThenRemove,
			MinTTL:   time.Hour,
			DNSSEC:   "always",
			TXT:      true,

			Margin: 10 * time.Minute,
			MarginSource: "deSEC serves by anycast, and neither documents nor tells when a change is everywhere " +
				"(https://github.com/desec-io/desec-stack/issues/577); two minutes were too few for some " +
				"(https://github.com/desec-io/certbot-dns-desec/issues/18); ten are our own, cautious figure",

			Rights: "a token without the right to manage tokens or domains, with a default policy that forbids writing and policies that let it write " +
				"TLSA at the owner names alone, and TXT at _acme-challenge for dns-01; it reads all zones of the account (https://desec.readthedocs.io/en/latest/auth/tokens.html#token-scoping-policies)",
			Hazards: []string{
				"a TTL below an hour is raised to an hour, so that a rollover takes two hours and more",
				"RRsets are replaced as a whole: an edit by somebody else within the same fraction of a second may be lost",
				"writes are limited to 15 a minute and 300 a day for a domain, and requests to 2000 a day for an account (https://desec.readthedocs.io/en/latest/rate-limits.html)",
				"a zone of more than 500 RRsets cannot be read with this module",
			},
		},
		Settings: []Setting{{Name: "token", Secret: true, Required: true}},
		Open: func(v Values) (Backend, error) {
			if err := printable("token", v["token"]); err != nil {
				return nil, err
			}
			return &desec.Provider{Token: v["token"]}, nil
		},
		// Changes of several owners are one request, all or none.
		Quirks: Quirks{Together: true, MaxTTL: 24 * time.Hour},
	}
}
