package libdnsbridge

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	libdnsinwx "github.com/libdns/inwx"
	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// inwx is INWX (https://www.inwx.de/en/help/apidoc).
func inwx() Host {
	return Host{
		Capability: dnsprovider.Capability{
			Type: "inwx", Name: "INWX",
			Verified:     "a server written from the API's documentation",
			Atomic:       dnsprovider.AddThenRemove,
			MinTTL:       300 * time.Second,
			DNSSEC:       "on request",
			TXT:          true,
			Margin:       6 * time.Minute,
			MarginSource: "lego waits so long for INWX (https://go-acme.github.io/lego/dns/inwx/); INWX gives no figure",
			Rights: "a user of its own with the role \"DNS management\" (\"DNS-Verwaltung\") and without Mobile TAN; INWX has no tokens, and " +
				"its support restricts a user to a zone on request",
			Hazards: []string{
				"every step logs in and out again: with a shared secret each waits for the next code, up to 30s, and providers of several zones need a user each",
				"whether that role suffices is not known: another client needs full access (https://github.com/oGGy990/certbot-dns-inwx/issues/30)",
				"one record that the module cannot parse makes the whole zone unreadable",
			},
		},
		Settings: []Setting{
			{Name: "username", Required: true, Example: "tlsaroll-example"},
			{Name: "password", Secret: true, Required: true},
			{Name: "shared-secret", Secret: true},
			{Name: "endpoint", URL: true, Default: inwxEndpoint, Example: "https://api.ote.domrobot.com/jsonrpc/"},
		},
		Open:   openINWX,
		Quirks: Quirks{Classify: classifyINWX, Limited: limitedINWX, OneAtATime: true, Timeout: codeLasts + 30*time.Second},
	}
}

const inwxEndpoint = "https://api.domrobot.com/jsonrpc/"

func openINWX(v Values) (Backend, error) {
	if v["username"] == "" || v["password"] == "" {
		return nil, errors.New("username and password: both are needed")
	}
	secret := strings.ToUpper(strings.ReplaceAll(v["shared-secret"], " ", ""))
	if _, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(secret, "=")); err != nil {
		return nil, errors.New("shared-secret: no base 32 (hint: it is what INWX shows beside the QR code when Mobile TAN is set up)")
	}
	endpoint := v["endpoint"]
	if endpoint == "" {
		endpoint = inwxEndpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return nil, errors.New("endpoint: no URL (hint: " + inwxEndpoint + ")")
	}
	if u.Scheme != "https" {
		if addr, err := netip.ParseAddr(u.Hostname()); u.Scheme != "http" || err != nil || !addr.IsLoopback() {
			return nil, errors.New("endpoint: the password would go in clear text (hint: https)")
		}
	}
	return &inwxBackend{
		turn: make(chan struct{}, 1), second: secret != "",
		module: &libdnsinwx.Provider{Username: v["username"], Password: v["password"], SharedSecret: secret, EndpointURL: endpoint},
	}, nil
}

// inwxBackend is the module, one call at a time: it has one session, which the end of each call
// takes away from all others.
type inwxBackend struct {
	module *libdnsinwx.Provider
	turn   chan struct{}
	second bool        // codes of a second factor are needed
	code   *time.Timer // fires when there is another code than the last
}

// codeLasts is how long a code is the same. INWX takes it once
// (https://github.com/go-acme/lego/pull/2084).
const codeLasts = 30 * time.Second

func (b *inwxBackend) do(ctx context.Context, f func() error) error {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if b.code != nil {
		select {
		case <-b.code.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if b.second {
		b.code = time.NewTimer(codeLasts)
	}
	return f()
}

// GetRecords gives names that are whole their dot, which INWX leaves away.
func (b *inwxBackend) GetRecords(ctx context.Context, zone string) (records []libdns.Record, err error) {
	err = b.do(ctx, func() error {
		records, err = b.module.GetRecords(ctx, zone)
		return err
	})
	for i, record := range records {
		if rr := record.RR(); rr.Type == "CNAME" || rr.Type == "DNAME" {
			rr.Data = strings.TrimSuffix(rr.Data, ".") + "."
			records[i] = rr
		}
	}
	return records, err
}

func (b *inwxBackend) AppendRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, err error) {
	err = b.do(ctx, func() error {
		done, err = b.module.AppendRecords(ctx, zone, records)
		return err
	})
	return done, err
}

// DeleteRecords says it aloud when more went than was asked for: the module deletes what INWX
// finds for it, and does not look at it.
func (b *inwxBackend) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) (done []libdns.Record, err error) {
	err = b.do(ctx, func() error {
		done, err = b.module.DeleteRecords(ctx, zone, records)
		return err
	})
	if err == nil && len(done) > len(records) {
		err = fmt.Errorf("%w: %d were to go, and %d went", errINWXTooMany, len(records), len(done))
	}
	return done, err
}

var errINWXTooMany = errors.New("INWX deleted more records than it was asked to (hint: look at the zone)")

// limitedINWX: there are too many sessions (code 2502); each call has one of its own.
func limitedINWX(err error) bool { return strings.HasPrefix(err.Error(), "(2502) ") }

var inwxCode = regexp.MustCompile(`^\((\d+)\) `)

// classifyINWX reads the code of the answer, which are those of EPP (RFC 5730, section 3).
func classifyINWX(err error) dnsprovider.Kind {
	if errors.Is(err, errINWXTooMany) {
		return dnsprovider.Ignored
	}
	match := inwxCode.FindStringSubmatch(err.Error())
	if match == nil {
		return 0
	}
	switch code, _ := strconv.Atoi(match[1]); code {
	case 2200, 2201, 2202: // authentication, authorization
		return dnsprovider.Refused
	case 2303: // object does not exist
		return dnsprovider.NoZone
	case 2302: // object exists: it came meanwhile
		return dnsprovider.Conflict
	case 2000, 2001, 2003, 2004, 2005, 2306, 2308: // unknown commands, bad parameters
		return dnsprovider.Malformed
	}
	return dnsprovider.Temporary // a session that ended, a command that failed, a limit
}
