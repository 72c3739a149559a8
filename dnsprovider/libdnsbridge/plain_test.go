package libdnsbridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

// plain is the plainest API that there can be, and plainModule a module of libdns for it,
// as somebody would write it.
type plain struct {
	zone  *fakeapi.Zone
	token string
}

func (p plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+p.token {
		p.Problem(w, http.StatusUnauthorized)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/"+p.zone.Name+"/") {
		p.Problem(w, http.StatusNotFound)
		return
	}
	var given []fakeapi.Record
	if r.Method != http.MethodGet && json.NewDecoder(r.Body).Decode(&given) != nil {
		p.Problem(w, http.StatusBadRequest)
		return
	}
	for _, g := range given {
		g.Name = p.zone.Absolute(g.Name)
		same := func(x fakeapi.Record) bool { return x.Name == g.Name && x.Type == g.Type && x.Data == g.Data }
		switch r.Method {
		case http.MethodPost:
			p.zone.Add(g.Name, g.Type, g.TTL, g.Data)
		case http.MethodDelete:
			p.zone.Remove(same)
		}
	}
	_ = json.NewEncoder(w).Encode(p.zone.Records("", ""))
}

func (plain) Kind(r *http.Request) fakeapi.RequestKind {
	if r.Method == http.MethodGet {
		return fakeapi.Listing
	}
	return fakeapi.Change
}

func (plain) Problem(w http.ResponseWriter, status int) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":"no luck"}`)
}

// plainModule is a module of libdns.
type plainModule struct{ URL, Token string }

var _ libdnsbridge.Backend = (*plainModule)(nil)

func (m *plainModule) do(ctx context.Context, method, zone string, records []libdns.Record) ([]libdns.Record, error) {
	var out []fakeapi.Record
	for _, r := range records {
		rr := r.RR()
		if txt, ok := r.(libdns.TXT); ok {
			rr.Data = fmt.Sprintf("%q", txt.Text)
		}
		out = append(out, fakeapi.Record{Name: rr.Name, Type: rr.Type, TTL: int(rr.TTL / time.Second), Data: rr.Data})
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, m.URL+"/"+zone+"/records", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+m.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("unexpected status code %d with token %s: %s", resp.StatusCode, m.Token, text)
	}
	var in []fakeapi.Record
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	var found []libdns.Record
	for _, r := range in {
		rr := libdns.RR{Name: libdns.RelativeName(r.Name, zone), Type: r.Type, TTL: time.Duration(r.TTL) * time.Second, Data: r.Data}
		if r.Type == "TXT" {
			found = append(found, libdns.TXT{Name: rr.Name, TTL: rr.TTL, Text: strings.Trim(r.Data, `"`)})
			continue
		}
		found = append(found, rr)
	}
	return found, nil
}

func (m *plainModule) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	return m.do(ctx, http.MethodGet, zone, nil)
}

func (m *plainModule) AppendRecords(ctx context.Context, zone string, rs []libdns.Record) ([]libdns.Record, error) {
	_, err := m.do(ctx, http.MethodPost, zone, rs)
	return rs, err
}

func (m *plainModule) DeleteRecords(ctx context.Context, zone string, rs []libdns.Record) ([]libdns.Record, error) {
	_, err := m.do(ctx, http.MethodDelete, zone, rs)
	return rs, err
}

func (m *plainModule) ListZones(context.Context) ([]libdns.Zone, error) {
	return []libdns.Zone{{Name: "org"}, {Name: "example.org."}}, nil
}

// plainHost is the table entry of the module, as an embedding program writes it.
func plainHost() libdnsbridge.Host {
	return libdnsbridge.Host{
		Capability: dnsprovider.Capability{Type: "plain", Name: "Plain", Rights: "a token for the zone"},
		Settings: []libdnsbridge.Setting{
			{Name: "server", URL: true, Required: true, Example: "https://api.example.net"},
			{Name: "token", Secret: true, Required: true},
		},
		Open: func(v libdnsbridge.Values) (libdnsbridge.Backend, error) {
			return &plainModule{URL: v["server"], Token: v["token"]}, nil
		},
	}
}

const plainToken = "plain-0123456789"

func startPlain(t *testing.T) (*fakeapi.Server, string) {
	t.Helper()
	zone := fakeapi.NewZone("example.org.")
	server := fakeapi.NewServer(zone, plain{zone, plainToken})
	s := httptest.NewServer(server)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close(); http.DefaultClient.CloseIdleConnections() })
	return server, s.URL
}

func newPlain(t *testing.T, url string, change ...func(*libdnsbridge.Config)) *libdnsbridge.Provider {
	t.Helper()
	c := libdnsbridge.Config{Host: plainHost(), Values: libdnsbridge.Values{"server": url, "token": plainToken}, Timeout: 20 * time.Second, Pauses: []time.Duration{1100 * time.Millisecond}}
	for _, f := range change {
		f(&c)
	}
	p, err := libdnsbridge.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProvider(t *testing.T) {
	t.Parallel() // beside those of other hosts, after all other tests
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		server, url := startPlain(t)
		f := server.Fixture()
		f.Provider = newPlain(t, url)
		f.Secrets = []string{plainToken}
		f.Without = map[providertest.Part]string{
			providertest.Conditions:  "records are added and removed without a condition; an edit just before is noticed when the zone is read back",
			providertest.TTLChanges:  "modules of libdns have no safe way to change a TTL",
			providertest.MinimumTTLs: "this API takes any TTL",
		}
		return f
	})
}

func TestTXTProvider(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		server, url := startPlain(t)
		f := server.TXTFixture()
		f.Provider = newPlain(t, url)
		return f
	})
}
