package libdnsbridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/libdns/libdns"

	libdnshetzner "github.com/libdns/hetzner/v2"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// hetzner is the DNS of Hetzner's Cloud (https://docs.hetzner.cloud/reference/cloud#dns).
func hetzner() Host {
	return Host{
		Capability: dnsprovider.Capability{
			Type: "hetzner", Name: "Hetzner",
			Verified: "a server written from the API's documentation",
			Atomic:   dnsprovider.AddThenRemove,
			MinTTL:   time.Minute,
			DNSSEC:   "no",
			TXT:      true,
			Margin:   10 * time.Minute,
			MarginSource: "ours: Hetzner gives no figure, and lego waits for a minute until its servers have a change " +
				"(https://go-acme.github.io/lego/dns/hetzner/)",
			Rights: "an API token with \"Read & Write\" of the project that has the zone, made in the Console at \"Security\", \"API tokens\"; " +
				"put the zone into a project of its own, as the token is for all that is in the project",
			Hazards: []string{
				"Hetzner does not sign zones, so nobody who sends mail believes a TLSA record in one (RFC 7672, section 2.2): " +
					"there are DS records and no DNSKEY (https://docs.hetzner.com/networking/dns/record-types/ds-record); " +
					"sign elsewhere, and let Hetzner's servers copy the signed zone as a zone in secondary mode, or take a host that signs",
				"a zone in secondary mode is copied from your own server and cannot be changed here",
				"tokens of the old DNS Console do not work with the Cloud",
				"Hetzner calls this part of its API beta",
			},
		},
		Settings: []Setting{{Name: "token", Secret: true, Required: true}},
		Open: func(v Values) (Backend, error) {
			// Without a token the module takes one from the environment, or panics.
			if err := printable("token", v["token"]); err != nil {
				return nil, err
			}
			return hetznerZones{libdnshetzner.New(v["token"])}, nil
		},
		Quirks: Quirks{Classify: classifyHetzner},
	}
}

// hetznerZones is the module, one record at a time: of two that it is given at once it sends the
// second while the first is on its way, which is a conflict. The module asks again by itself after
// conflicts and where it is asked to wait, up to half a minute.
type hetznerZones struct{ module *libdnshetzner.Provider }

// hetznerGrace is what the module has less than there is, to say why it has asked so long.
const hetznerGrace = 200 * time.Millisecond

func hetznerTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, end.Add(-hetznerGrace))
	}
	return context.WithCancel(ctx)
}

func (b hetznerZones) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	ctx, cancel := hetznerTime(ctx)
	defer cancel()
	records, err := b.module.GetRecords(ctx, zone)
	return records, hetznerError(err)
}

// ListZones lists the zones of the project.
func (b hetznerZones) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	ctx, cancel := hetznerTime(ctx)
	defer cancel()
	zones, err := b.module.ListZones(ctx)
	return zones, hetznerError(err)
}

// AppendRecords leaves the TTL out where the RRset exists with another, which is
// refused, or has none of its own.
func (b hetznerZones) AppendRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, _ error) {
	ctx, cancel := hetznerTime(ctx)
	defer cancel()
	for _, record := range records {
		_, err := b.module.AppendRecords(ctx, zone, []libdns.Record{record})
		if err != nil && strings.Contains(err.Error(), hetznerOtherTTL) {
			rr := record.RR()
			rr.TTL = 0
			_, err = b.module.AppendRecords(ctx, zone, []libdns.Record{rr})
		}
		if err != nil {
			return done, hetznerError(err)
		}
		done = append(done, record)
	}
	return done, nil
}

// hetznerOtherTTL is in the error about an RRset that has another TTL
// (https://github.com/stalwartlabs/dns-update/pull/76).
const hetznerOtherTTL = "differing record TTLs"

func (b hetznerZones) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, _ error) {
	ctx, cancel := hetznerTime(ctx)
	defer cancel()
	for _, record := range records {
		gone, err := b.module.DeleteRecords(ctx, zone, []libdns.Record{record})
		if err != nil {
			return done, hetznerError(err)
		}
		done = append(done, gone...)
	}
	return done, nil
}

// hetznerError says the status too, which the module leaves out.
func hetznerError(err error) error {
	if e := (hcloud.Error{}); errors.As(err, &e) && e.Response() != nil && e.Response().Response != nil {
		return fmt.Errorf("HTTP %d: %w", e.Response().StatusCode, err)
	}
	return err
}

// classifyHetzner knows the codes of https://docs.hetzner.cloud/reference/cloud#errors that mean
// something else than their status does elsewhere.
func classifyHetzner(err error) dnsprovider.Kind {
	switch {
	case errors.As(err, new(hcloud.ActionError)):
		return dnsprovider.Temporary
	case hcloud.IsError(err, hcloud.ErrorCodeLocked, hcloud.ErrorCodeMaintenance, hcloud.ErrorCodeResourceUnavailable):
		return dnsprovider.Temporary
	case hcloud.IsError(err, hcloud.ErrorCodeConflict, hcloud.ErrorCodeRateLimitExceeded):
		return dnsprovider.Temporary // the module has asked again already
	case hcloud.IsError(err, hcloud.ErrorCodeProtected):
		return dnsprovider.Refused
	case hcloud.IsError(err, "incorrect_zone_mode", hcloud.ErrorUnsupportedError, hcloud.ErrorDeprecatedAPIEndpoint):
		return dnsprovider.Unsupported
	case strings.HasSuffix(err.Error(), " not found at Hetzner"):
		return dnsprovider.NoZone
	}
	return 0
}
