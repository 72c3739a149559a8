package libdnsbridge

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/libdns/libdns"
	"github.com/libdns/route53"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// awsRoute53 is Amazon Route 53
// (https://docs.aws.amazon.com/Route53/latest/APIReference/).
func awsRoute53() Host {
	return Host{
		Capability: dnsprovider.Capability{
			Type: "route53", Name: "Amazon Route 53",
			Verified: "a server written from the API's documentation",
			Atomic:   dnsprovider.AddThenRemove,
			DNSSEC:   "on request",
			TXT:      true,

			Margin: time.Minute,
			MarginSource: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html " +
				"has changes on all servers \"generally within 60 seconds\"",

			Rights: "route53:ListResourceRecordSets and route53:ChangeResourceRecordSets on the one hosted zone, the latter with conditions for the type TLSA, " +
				"and TXT for dns-01, and for the names; route53:ListHostedZonesByName unless hosted-zone-id is set " +
				"(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html)",
			Hazards: []string{
				"record sets are replaced as a whole: an edit by somebody else within the same fraction of a second may be lost",
				"the module reads the zone once more for each record set that it changes, and Route 53 answers five requests a second for an account",
				"with a public and a private zone of one name, set hosted-zone-id",
				"DNSSEC signing is off until it is switched on for the hosted zone and the DS record is at the registrar",
			},
		},
		Settings: []Setting{
			{Name: "access-key-id", Example: "AKIAIOSFODNN7EXAMPLE"},
			{Name: "secret-access-key", Secret: true},
			{Name: "session-token", Secret: true},
			{Name: "profile", Example: "dns"},
			{Name: "region", Default: "us-east-1", Example: "us-east-1"},
			{Name: "hosted-zone-id", Example: "Z0123456789ABCDEFGHIJ"},
		},
		Open:   openRoute53,
		Quirks: Quirks{Classify: classifyRoute53, Short: shortRoute53},
	}
}

var hostedZoneForm = regexp.MustCompile(`^Z[0-9A-Z]{1,31}$`)

// openRoute53 checks first what the module would end the process for: it calls log.Fatalf
// where the SDK does not take the configuration.
func openRoute53(v Values) (Backend, error) {
	switch id, secret := v["access-key-id"], v["secret-access-key"]; {
	case (id == "") != (secret == ""):
		return nil, errors.New("access-key-id and secret-access-key: one without the other (hint: both, or neither for what the SDK finds in its environment)")
	case v["session-token"] != "" && id == "":
		return nil, errors.New("a session-token without access-key-id (hint: they belong together)")
	case v["hosted-zone-id"] != "" && !hostedZoneForm.MatchString(strings.TrimPrefix(v["hosted-zone-id"], "/hostedzone/")):
		return nil, fmt.Errorf("hosted-zone-id %q: no id of a hosted zone (hint: it begins with Z, and the zone's details have it)", v["hosted-zone-id"])
	}
	for _, name := range []string{"access-key-id", "secret-access-key", "session-token"} {
		if v[name] != "" {
			if err := printable(name, v[name]); err != nil {
				return nil, err
			}
		}
	}
	var options []func(*config.LoadOptions) error
	if v["profile"] != "" {
		options = append(options, config.WithSharedConfigProfile(v["profile"]))
	}
	options = append(options, config.WithRegion(v["region"]))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := config.LoadDefaultConfig(ended, options...); err != nil {
		return nil, fmt.Errorf("the SDK does not take this configuration: %w", err)
	}
	b := &route53Backend{&route53.Provider{
		Region: v["region"], Profile: v["profile"], AccessKeyId: v["access-key-id"], SecretAccessKey: v["secret-access-key"], SessionToken: v["session-token"],
		HostedZoneID: strings.TrimPrefix(v["hosted-zone-id"], "/hostedzone/"),
		MaxRetries:   1, // what is tried again, and when, is decided here
	}}
	// The module loads its configuration in its first call. That is now, as somebody may spoil
	// the files of the SDK until the first pass. It asks nobody: its time is over.
	_, _ = b.Provider.GetRecords(ended, "invalid.")
	return b, nil
}

// route53Backend is the module, which takes a reply that is no listing for an empty one.
type route53Backend struct{ *route53.Provider }

// GetRecords lists the zone. Every hosted zone has an SOA record
// (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html).
func (b *route53Backend) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	records, err := b.Provider.GetRecords(ctx, zone)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(records, func(r libdns.Record) bool { return r.RR().Type == "SOA" })
	switch {
	case i < 0:
		return nil, errors.New("unexpected EOF: a listing without an SOA record, which no hosted zone lacks")
	case records[i].RR().Name != "@": // names of another zone look relative to this one
		return nil, errors.New("HostedZoneNotFound: hosted-zone-id is that of another zone")
	}
	return records, nil
}

// shortRoute53 leaves the SDK's circumstances out: what AWS says stands at the end.
func shortRoute53(says string) string {
	if _, said, ok := strings.Cut(says, "api error "); ok {
		return said
	}
	if _, said, ok := strings.Cut(says, "RequestID: , "); ok {
		return said
	}
	return says
}

// classifyRoute53 knows the codes of
// https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html, which come with
// statuses that say less.
func classifyRoute53(err error) dnsprovider.Kind {
	says := err.Error()
	for _, known := range []struct {
		code string
		kind dnsprovider.Kind
	}{
		{"HostedZoneNotFound", dnsprovider.NoZone},
		{"NoSuchHostedZone", dnsprovider.NoZone},
		{"InvalidClientTokenId", dnsprovider.Refused},
		{"SignatureDoesNotMatch", dnsprovider.Refused},
		{"ExpiredToken", dnsprovider.Refused},
		{"AccessDenied", dnsprovider.Refused},
		{"get credentials", dnsprovider.Refused},
		{"InvalidChangeBatch", dnsprovider.Malformed},
		{"InvalidInput", dnsprovider.Malformed},
		{"PriorRequestNotComplete", dnsprovider.Temporary},
	} {
		if strings.Contains(says, known.code) {
			return known.kind
		}
	}
	return 0
}
