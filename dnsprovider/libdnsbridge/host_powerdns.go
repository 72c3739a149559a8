package libdnsbridge

import (
	"errors"
	"net/url"
	"strings"

	"github.com/libdns/powerdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// powerDNS is the HTTP API of PowerDNS
// (https://doc.powerdns.com/authoritative/http-api/index.html).
func powerDNS() Host {
	return Host{
		Capability: dnsprovider.Capability{
			Type: "powerdns", Name: "PowerDNS, HTTP API",
			Verified:     "PowerDNS 4.7, a real server",
			Atomic:       dnsprovider.AddThenRemove,
			DNSSEC:       "by the server's operator",
			TXT:          true,
			MarginSource: "every server that the zone names is asked; if a secondary service has anycast, set margin to what it says",
			Rights:       "the API key of the server, which may do everything: PowerDNS has one (https://doc.powerdns.com/authoritative/http-api/index.html)",
			Hazards: []string{
				"whoever has the API key has every zone of the server; rfc2136 with a TSIG key for one zone needs less",
				"an RRset is replaced as a whole: an edit by somebody else within the same fraction of a second may be lost",
				"without SOA-EDIT-API a zone keeps its serial when the API changes it, and no secondary ever has the change: one that was not made by the API needs pdnsutil set-meta ZONE SOA-EDIT-API DEFAULT",
				"a record that is disabled in PowerDNS counts as one that stands, and nobody is given it",
				"over http the key is readable for all on the way, so that is taken for loopback alone",
			},
		},
		Settings: []Setting{
			{Name: "server", URL: true, Required: true, Example: "http://127.0.0.1:8081"},
			{Name: "token", Secret: true, Required: true},
			{Name: "server-id", Default: "localhost", Example: "localhost"},
		},
		Open: func(v Values) (Backend, error) {
			if strings.ContainsFunc(v["token"], func(r rune) bool { return r < ' ' || r > '~' }) {
				return nil, errors.New("the token has characters that no header may have (hint: the file holds the api-key alone, in one line)")
			}
			if strings.ContainsAny(v["server-id"], "/?#") {
				return nil, errors.New("server-id: no name of a server (hint: it is localhost, whatever the server's name is)")
			}
			u, err := url.Parse(v["server"])
			if err != nil {
				return nil, err
			}
			if path := strings.TrimSuffix(u.Path, "/"); path != "" && path != "/api/v1" {
				return nil, errors.New("server: it has a path (hint: write it without, as in http://127.0.0.1:8081)")
			}
			return &powerdns.Provider{ServerURL: v["server"], ServerID: v["server-id"], APIToken: v["token"]}, nil
		},
		Quirks: Quirks{Together: true, Classify: classifyPowerDNS},
	}
}

// classifyPowerDNS knows the two ways in which the module says that there is no zone.
func classifyPowerDNS(err error) dnsprovider.Kind {
	says := err.Error()
	if says == "zone not found" || strings.HasPrefix(says, "not found: ") {
		return dnsprovider.NoZone
	}
	return 0
}
