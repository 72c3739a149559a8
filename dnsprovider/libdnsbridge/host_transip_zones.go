package libdnsbridge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/libdns/libdns"
	"github.com/pbergman/provider"

	libdnstransip "github.com/libdns/transip"
	"github.com/libdns/transip/client"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// transipZones is the module's client without its Provider, which reads the zone
// before and after each change: with the reading that is done anyway it would be five
// times for a record that comes and one that goes. The zone is read without either, see GetRecords.
//
// Each change has a client of its own, as clients keep the buffers of requests, and give one to the
// next request while the last one may still close it. They share their tokens.
type transipZones struct {
	config *libdnstransip.Provider
	tokens *transipTokens
}

// with calls do with a client that has a token, and once more if the host knows the token no more.
// Nothing was done then: see [transipTokens.Set].
func (b transipZones) with(ctx context.Context, do func(client.ApiClient) error) error {
	for again := false; ; again = true {
		if err := b.tokens.ensure(ctx); err != nil {
			return err
		}
		err := do(client.NewClient(b.config, b.tokens, client.RecordLevelControl))
		if again || !b.tokens.refused(err) {
			return transipError(err)
		}
	}
}

// ListZones lists the domains of the account.
func (b transipZones) ListZones(ctx context.Context) (zones []libdns.Zone, _ error) {
	err := b.with(ctx, func(c client.ApiClient) (err error) {
		zones, err = provider.ListZones(ctx, nil, c)
		return err
	})
	return zones, err
}

func (b transipZones) AppendRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, _ error) {
	for _, record := range records {
		if err := transipName(record, zone); err != nil {
			return done, err
		}
		err := b.with(ctx, func(c client.ApiClient) error {
			_, err := provider.AppendRecords(ctx, nil, transipSight{c, nil}, zone, []libdns.Record{record.RR()})
			return err
		})
		if err != nil {
			return done, err
		}
		done = append(done, record)
	}
	return done, nil
}

func (b transipZones) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, _ error) {
	for _, record := range records {
		one := []libdns.Record{record.RR()}
		if err := transipName(record, zone); err != nil {
			return done, err
		}
		err := b.with(ctx, func(c client.ApiClient) error {
			_, err := provider.DeleteRecords(ctx, nil, transipSight{c, one}, zone, one)
			return err
		})
		if e := (client.ErrorResponse{}); err != nil && !(errors.As(err, &e) && e.Code == http.StatusNotFound) { // somebody else was faster
			return done, err
		}
		done = append(done, record)
	}
	return done, nil
}

// transipSight is a client for which the zone has the records given, however often it is read: the
// caller has read it, and knows what it wants to add or remove.
type transipSight struct {
	client.ApiClient
	zone []libdns.Record
}

func (s transipSight) GetDNSList(context.Context, string) ([]libdns.Record, error) {
	return slices.Clone(s.zone), nil
}

// transipError says the status too, which the module leaves out.
func transipError(err error) error {
	if e := (client.ErrorResponse{}); errors.As(err, &e) {
		return fmt.Errorf("HTTP %d: %w", e.Code, err)
	}
	return err
}

// errTransIPName is a name that the module cannot send.
var errTransIPName = errors.New("the module takes the zone off names that end like it, and would write at another name")

func transipName(record libdns.Record, zone string) error {
	if name := record.RR().Name; libdns.RelativeName(name, zone) != name {
		return errTransIPName
	}
	return nil
}

// classifyTransIP knows what is no status with its usual meaning: what is not in order has 406.
func classifyTransIP(err error) dnsprovider.Kind {
	if errors.Is(err, errTransIPName) {
		return dnsprovider.Unsupported
	}
	if statusIn(err.Error()) == http.StatusNotAcceptable {
		return dnsprovider.Malformed
	}
	return 0
}
