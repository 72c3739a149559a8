package libdnsbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/libdns/libdns"

	"github.com/libdns/transip/client"
)

// GetRecords reads the zone (https://api.transip.nl/rest/docs.html#domains-dns). It does so itself:
// the names are relative to the zone, and the module takes the zone off once more. Of what stands
// at mx.example.org.example.org it makes mx, and of mxexample.org.example.org too.
func (b transipZones) GetRecords(ctx context.Context, zone string) (records []libdns.Record, _ error) {
	err := b.with(ctx, func(client.ApiClient) (err error) {
		records, err = b.list(ctx, strings.TrimSuffix(zone, "."))
		return err
	})
	return records, err
}

// maxTransIPListing is more than any zone takes.
const maxTransIPListing = 16 << 20

func (b transipZones) list(ctx context.Context, domain string) ([]libdns.Record, error) {
	token, err := b.tokens.Get("")
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.config.GetBaseUri().JoinPath("domains", domain, "dns").String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token.String())
	r.Header.Set("Accept", "application/json")
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	var says struct {
		Entries *[]client.DNSRecord `json:"dnsEntries"`
		Error   string              `json:"error"`
	}
	err = json.NewDecoder(io.LimitReader(reply.Body, maxTransIPListing)).Decode(&says)
	switch {
	case reply.StatusCode == http.StatusUnauthorized:
		b.tokens.drop(token)
		return nil, errTransIPToken
	case reply.StatusCode != http.StatusOK:
		return nil, client.ErrorResponse{Message: says.Error, Code: reply.StatusCode}
	case err != nil:
		return nil, fmt.Errorf("reading the zone: %w", err)
	case says.Entries == nil:
		return nil, errors.New("unexpected EOF: a listing without dnsEntries")
	}
	var records []libdns.Record
	for _, e := range *says.Entries {
		records = append(records, libdns.RR{Name: e.Name, Type: e.Type, Data: e.Content, TTL: time.Duration(e.Expire) * time.Second})
	}
	return records, nil
}
