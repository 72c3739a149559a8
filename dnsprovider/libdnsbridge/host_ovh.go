package libdnsbridge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/libdns/libdns"
	libdnsovh "github.com/libdns/ovh"
	goovh "github.com/ovh/go-ovh/ovh"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// ovh is OVHcloud (https://eu.api.ovh.com/console/, section /domain).
func ovh() Host {
	return Host{
		Capability: dnsprovider.Capability{
			Type: "ovh", Name: "OVHcloud",
			Verified: "a server written from the API's documentation",
			Atomic:   dnsprovider.AddThenRemove,
			MinTTL:   time.Minute,
			DNSSEC:   "on request",
			TXT:      true,
			Margin:   5 * time.Minute,
			MarginSource: "ours: OVHcloud gives no figure, and has anycast as an option; lego waits for 60s " +
				"(https://go-acme.github.io/lego/dns/ovh/)",
			Rights: "an application key with a consumer key for GET on /domain/zone/ZONE/*, POST on /domain/zone/ZONE/record and " +
				"/domain/zone/ZONE/refresh, and DELETE on /domain/zone/ZONE/record/*, made at https://eu.api.ovh.com/createToken/ " +
				"(or ca.api.ovh.com, api.us.ovhcloud.com)",
			Hazards: []string{
				"name servers get changes when the zone is refreshed, and that publishes whatever else was prepared in the zone",
				"where the process ends between a change and its refresh, the console shows the record and DNS does not: press refresh there, or change something else",
				"the zone is read record by record, a request each",
				"one record that the module cannot parse makes the whole zone unreadable",
			},
		},
		Settings: []Setting{
			{Name: "endpoint", Default: "ovh-eu", Example: "ovh-eu"},
			{Name: "application-key", Required: true, Example: "7kbG7Bk7S9Nt7ZSV"},
			{Name: "application-secret", Secret: true, Required: true},
			{Name: "consumer-key", Secret: true, Required: true},
		},
		Open:   openOVH,
		Quirks: Quirks{Classify: classifyOVH, Timeout: 90 * time.Second},
	}
}

func openOVH(v Values) (Backend, error) {
	name := v["endpoint"]
	if name == "" {
		name = "ovh-eu"
	}
	// The names and no URLs: the keys are for one of OVH's. The module gets the URL, as
	// with the name it would take what is missing from /etc/ovh.conf and others.
	endpoint, ok := goovh.Endpoints[name]
	if !ok {
		return nil, fmt.Errorf("endpoint: %q is none of OVHcloud's (hint: ovh-eu, ovh-ca or ovh-us)", name)
	}
	for _, key := range []string{"application-key", "application-secret", "consumer-key"} {
		if err := printable(key, v[key]); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"OVH_ACCESS_TOKEN", "OVH_CLIENT_ID", "OVH_CLIENT_SECRET"} {
		if os.Getenv(name) != "" {
			return nil, fmt.Errorf("the environment has %s, and the module would not know which of the two to use (hint: unset it)", name)
		}
	}
	b := &ovhBackend{
		turn: make(chan struct{}, 1), unpublished: map[string]bool{}, ttls: map[string]time.Duration{},
		endpoint: endpoint, key: v["application-key"], secret: v["application-secret"], consumer: v["consumer-key"],
	}
	return b, b.connect()
}

// printable refuses what would break a header of HTTP, without showing it.
func printable(name, value string) error {
	switch {
	case value == "":
		return fmt.Errorf("%s: missing", name)
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("%s: has blanks, line ends or letters that no key has (hint: copy it again)", name)
	}
	return nil
}

// ovhBackend is the module, and what it leaves out: after a failure it does not
// refresh the zone, so that what was changed before would be seen in the API and by no
// name server, for good; records with the zone's TTL are given out with the TTL 0; and its first
// request cannot be cancelled.
type ovhBackend struct {
	endpoint, key, secret, consumer string

	turn        chan struct{} // held while at work: one request at a time
	module      *libdnsovh.Provider
	client      *goovh.Client // for what the module lacks
	told        bool          // the API has told the time
	unpublished map[string]bool
	ttls        map[string]time.Duration
}

// connect starts afresh, asking nobody.
func (b *ovhBackend) connect() error {
	client, err := goovh.NewClient(b.endpoint, b.key, b.secret, b.consumer)
	if err != nil {
		return fmt.Errorf("%w (hint: the OVH module reads /etc/ovh.conf, ~/.ovh.conf and ./ovh.conf, and has to be able to)", err)
	}
	client.Timeout = 10 * time.Second
	b.client, b.told = client, false
	b.module = &libdnsovh.Provider{Endpoint: b.endpoint, ApplicationKey: b.key, ApplicationSecret: b.secret, ConsumerKey: b.consumer}
	return nil
}

// GetRecords reads what name servers have: what may not have reached them is sent there first.
func (b *ovhBackend) GetRecords(ctx context.Context, zone string) (records []libdns.Record, err error) {
	err = b.do(ctx, zone, func() error {
		if records, err = b.module.GetRecords(ctx, zone); err != nil {
			return err
		}
		for i, record := range records {
			if rr := record.RR(); rr.TTL == 0 {
				if rr.TTL, err = b.zoneTTL(ctx, zone); err != nil {
					return err
				}
				records[i] = rr
			}
		}
		return nil
	})
	return records, err
}

func (b *ovhBackend) AppendRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, err error) {
	err = b.do(ctx, zone, func() error {
		done, err = b.module.AppendRecords(ctx, zone, records)
		return b.published(ctx, zone, err)
	})
	return done, err
}

func (b *ovhBackend) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, err error) {
	err = b.do(ctx, zone, func() error {
		done, err = b.module.DeleteRecords(ctx, zone, records)
		return b.published(ctx, zone, err)
	})
	return done, err
}

// do calls f when nothing else is under way and name servers have what the API shows.
func (b *ovhBackend) do(ctx context.Context, zone string, f func() error) error {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := b.ready(ctx)
	if err == nil && b.unpublished[zone] {
		err = b.refresh(ctx, zone)
	}
	if err == nil {
		err = f()
	}
	var problem *goovh.APIError
	if errors.As(err, &problem) && strings.Contains(problem.Message, "out of time") {
		// The clock was set meanwhile; the module measured the difference once and for all.
		return errors.Join(err, b.connect())
	}
	return err
}

// published follows a change that the module made and refreshed the zone for, or failed to.
func (b *ovhBackend) published(ctx context.Context, zone string, err error) error {
	if err == nil {
		err = ctx.Err() // a reply that comes while the connection is given up may be half of one
	}
	if err == nil {
		return nil
	}
	b.unpublished[zone] = true
	_ = b.refresh(ctx, zone) // else before the zone is read again
	return err
}

// ready asks the API for its time, as the module does in its first request: that one has no
// context, and would wait for three minutes for a host that does not answer.
func (b *ovhBackend) ready(ctx context.Context) error {
	if b.told {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.endpoint+"/auth/time", nil)
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	var now int64
	switch err = b.client.UnmarshalResponse(reply, &now); {
	case err == nil && now == 0:
		err = errors.New("the API does not tell its time")
	case err == nil:
		_, err = b.client.TimeDelta() // it would ask when a request is in a hurry
	}
	b.told = err == nil
	return err
}

func (b *ovhBackend) refresh(ctx context.Context, zone string) error {
	if err := b.client.PostWithContext(ctx, ovhPath(zone, "refresh"), nil, nil); err != nil {
		return fmt.Errorf("refresh of the zone, without which changes do not reach the name servers: %w", err)
	}
	delete(b.unpublished, zone)
	return nil
}

// zoneTTL is the TTL of records that have none of their own.
func (b *ovhBackend) zoneTTL(ctx context.Context, zone string) (time.Duration, error) {
	if ttl, ok := b.ttls[zone]; ok {
		return ttl, nil
	}
	var soa struct {
		TTL int `json:"ttl"`
	}
	if err := b.client.GetWithContext(ctx, ovhPath(zone, "soa"), &soa); err != nil {
		return 0, err
	}
	b.ttls[zone] = time.Duration(soa.TTL) * time.Second
	return b.ttls[zone], nil
}

func ovhPath(zone, what string) string {
	return "/domain/zone/" + strings.TrimSuffix(zone, ".") + "/" + what
}

// classifyOVH knows those errors of the API that the status alone does not explain.
func classifyOVH(err error) dnsprovider.Kind {
	var problem *goovh.APIError
	if !errors.As(err, &problem) {
		return 0
	}
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(problem.Message, w) })
	}
	switch {
	case says("Invalid signature", "application key", "credential"):
		return dnsprovider.Refused
	case says("out of time", "The requested object"): // a record that went while the zone was read
		return dnsprovider.Temporary
	case problem.Code == http.StatusBadRequest:
		return dnsprovider.Malformed
	}
	return 0
}
