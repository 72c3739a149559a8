package azuredns_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/azuredns"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const owner = tlsa.Owner("_25._tcp.mx.example.org.")

func record(digit string) tlsa.Association {
	return tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("a"+digit, 32)}
}

func rrset(digits ...string) tlsa.RRset {
	s := tlsa.RRset{TTL: time.Hour}
	for _, d := range digits {
		s = s.With(record(d))
	}
	return s
}

func (s *subscription) seed(at tlsa.Owner, ttl int, digits ...string) {
	var data []string
	for _, d := range digits {
		data = append(data, record(d).String())
	}
	s.api.Zone.Replace(string(at), "TLSA", ttl, data...)
}

// TestWhatIsSent: a record set whole, on condition; what people have put on it stays.
func TestWhatIsSent(t *testing.T) {
	s := newSubscription(t, "example.org.")
	var sent []string
	inner := s.server
	s.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut || r.Method == http.MethodDelete {
			body, _ := io.ReadAll(r.Body)
			_, path, _ := strings.Cut(r.URL.RequestURI(), "/dnsZones/")
			condition := "If-Match"
			if r.Header.Get("If-None-Match") == "*" {
				condition = "If-None-Match: *"
			} else if r.Header.Get("If-Match") == "" {
				condition = "without condition"
			}
			sent = append(sent, r.Method+" "+path+" "+condition+" "+string(body))
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		inner.ServeHTTP(w, r)
	}))
	s.api.Zone.Replace(string(owner), "TLSA", 600, strings.ToUpper(record("f").String()), record("1").String())
	s.seed("_587._tcp.mx.example.org.", 600, "1")
	notes := map[string]string{"owner": "postmaster"}
	s.api.SetMetadata(string(owner), "TLSA", notes)
	for _, err := range s.provider(t).Apply(t.Context(), "", []dnsprovider.Change{
		{Owner: owner, Before: rrset("1", "f"), After: rrset("2", "f")},
		{Owner: "_465._tcp.mx.example.org.", After: rrset("2")},
		{Owner: "_587._tcp.mx.example.org.", Before: rrset("1")},
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	const query = "?api-version=2023-07-01-preview "
	tlsaOf := func(data string) string {
		return `{"usage":3,"selector":1,"matchingType":1,"certAssociationData":"` + data + `"}`
	}
	want := []string{
		"PUT example.org/TLSA/_25._tcp.mx" + query + `If-Match {"properties":{"TTL":600,"metadata":{"owner":"postmaster"},"TLSARecords":[` +
			tlsaOf(strings.Repeat("AF", 32)) + "," + tlsaOf(strings.Repeat("a2", 32)) + `]}}`,
		"PUT example.org/TLSA/_465._tcp.mx" + query + `If-None-Match: * {"properties":{"TTL":3600,"TLSARecords":[` + tlsaOf(strings.Repeat("a2", 32)) + `]}}`,
		"DELETE example.org/TLSA/_587._tcp.mx" + query + "If-Match ",
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(notes, s.api.Metadata(string(owner), "TLSA")); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

// TestConflictOfOneOwner, whatever somebody else has done: the others are carried out.
func TestConflictOfOneOwner(t *testing.T) {
	s := newSubscription(t, "example.org.")
	owners := []tlsa.Owner{"_25._tcp.a.example.org.", "_25._tcp.b.example.org."}
	var changes []dnsprovider.Change
	for _, o := range owners {
		changes = append(changes, dnsprovider.Change{Owner: o, Before: rrset("1"), After: rrset("1", "2")})
	}
	for name, edit := range map[string]func(){
		"another record": func() { s.seed(owners[0], 3600, "1", "f") },
		"another TTL":    func() { s.seed(owners[0], 60, "1") },
		"gone":           func() { s.seed(owners[0], 3600) },
	} {
		for _, o := range owners {
			s.seed(o, 3600, "1")
		}
		s.server.Fixture().Meanwhile(t, edit)
		for i, err := range s.provider(t).Apply(t.Context(), "", changes) {
			if errors.Is(err, dnsprovider.ErrConflict) != (i == 0) || (err != nil) != (i == 0) {
				t.Errorf("%s, change %d: %v", name, i, err)
			}
		}
		if got := s.server.Look(t, owners[0]); got.Has(record("2")) {
			t.Errorf("%s: there stands %v", name, got)
		}
	}
}

func TestPages(t *testing.T) {
	s := newSubscription(t, "example.org.")
	for i := range 7 {
		s.api.Zone.Add(fmt.Sprintf("a%d.example.org.", i), "A", 300, "192.0.2.1")
	}
	s.seed(owner, 3600, "1", "2")
	for size := 1; size < 12; size++ {
		s.api.MaxPage = size
		if got, err := s.provider(t).RRset(t.Context(), "", owner); err != nil || !got.Same(rrset("1", "2")) {
			t.Errorf("pages of %d: %v, %v", size, got, err)
		}
	}
	// The token does not go where a reply says.
	s.api.MaxPage, s.api.Elsewhere = 2, true
	if _, err := s.provider(t).RRset(t.Context(), "example.org", owner); !errors.Is(err, dnsprovider.ErrMalformed) || !strings.Contains(err.Error(), "another server") {
		t.Errorf("error is %v", err)
	}
}

func TestTokensAndSecrets(t *testing.T) {
	s := newSubscription(t, "example.org.")
	p := s.provider(t)
	read := func(p *azuredns.Provider) error { _, err := p.RRset(t.Context(), "example.org", owner); return err }
	if err := read(p); err != nil {
		t.Fatal(err)
	}
	s.api.ExpireTokens()
	if err := read(p); !errors.Is(err, dnsprovider.ErrRefused) {
		t.Errorf("the token is not taken: %v", err)
	}
	if err := read(p); err != nil {
		t.Errorf("the token is not taken, for the second time: %v", err)
	}
	err := read(s.provider(t, func(c *azuredns.Config) { c.Secret = dnsprovider.NewSecret("wrong-secret") }))
	const want = "read _25._tcp.mx.example.org.: azure example.org: no access token: 401 Unauthorized: invalid_client: AADSTS7000215: " +
		"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value. Trace ID: x " +
		"(hint: is the secret of the application bbbbbbbb-1111-2222-3333-444444444444 right and not expired, and is tenant its directory)"
	if err == nil || err.Error() != want || !errors.Is(err, dnsprovider.ErrRefused) {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}

func TestZones(t *testing.T) {
	for _, test := range []struct {
		name   string
		set    func(*fakeapi.AzureDNS)
		config func(*azuredns.Config)
		zone   string
		want   string // part of the error
		kind   error
	}{
		{"found", nil, nil, "", "", nil},
		{"named", nil, nil, "Example.ORG", "", nil},
		{"configured", nil, func(c *azuredns.Config) { c.Zone = "example.org" }, "", "", nil},
		{"one above and one beside", func(a *fakeapi.AzureDNS) { a.Others = []string{"org", "xmx.example.org"} }, nil, "", "", nil},
		{"another resource group", func(a *fakeapi.AzureDNS) { a.ResourceGroup = "other" }, nil, "example.org", "404 Not Found: ParentResourceNotFound", dnsprovider.ErrNoZone},
		{"another zone", nil, nil, "mx.example.org", "404 Not Found: ParentResourceNotFound", dnsprovider.ErrNoZone},
		{"another provider's zone", nil, func(c *azuredns.Config) { c.Zone = "example.net" }, "example.org", "configured for the zone example.net., and not for example.org.", dnsprovider.ErrOutsideZone},
		{"a version that is gone", nil, func(c *azuredns.Config) { c.APIVersion = "2016-04-01" }, "", "NoRegisteredProviderFound: No registered resource provider found", dnsprovider.ErrUnsupported},
	} {
		s := newSubscription(t, "example.org.")
		s.seed(owner, 3600, "1")
		if test.config == nil {
			test.config = func(*azuredns.Config) {}
		}
		p := s.provider(t, test.config)
		if test.set != nil {
			test.set(s.api)
		}
		got, err := p.RRset(t.Context(), test.zone, owner)
		switch {
		case test.kind == nil && (err != nil || !got.Same(rrset("1"))):
			t.Errorf("%s: %v, %v", test.name, got, err)
		case test.kind != nil && (!errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: error is %v, want %q of kind %v", test.name, err, test.want, test.kind)
		}
	}
	s := newSubscription(t, "example.org.")
	if _, err := s.provider(t).RRset(t.Context(), "", "_25._tcp.mx.example.net."); !errors.Is(err, dnsprovider.ErrNoZone) {
		t.Errorf("error is %v", err)
	}
}

// says is a Transport that gives a token, and the same reply to everything else.
type says struct {
	status int
	body   string
}

func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/token") {
		s = says{http.StatusOK, `{"access_token":"eyJ0.azure.1","expires_in":3599}`}
	}
	return &http.Response{StatusCode: s.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(s.body))}, nil
}

func with(t *testing.T, transport http.RoundTripper) *azuredns.Provider {
	t.Helper()
	s := subscription{api: fakeapi.NewAzureDNS(fakeapi.NewZone("example.org.")), url: "https://api.example.net"}
	return s.provider(t, func(c *azuredns.Config) { c.Zone, c.Transport = "example.org", transport })
}

// TestSentences: each reply in words, with what to do.
func TestSentences(t *testing.T) {
	failure := func(code, message string) string {
		return fmt.Sprintf(`{"error":{"code":"%s","message":"%s"}}`, code, message)
	}
	set := func(properties string) string {
		return `{"value":[{"name":"_25._tcp.mx","type":"Microsoft.Network/dnszones/TLSA",` + properties + `}]}`
	}
	for _, test := range []struct {
		status     int
		body, want string
		kind       error
	}{
		{403, failure("AuthorizationFailed", `The client 'x' has no rights.\nMore`),
			"403 Forbidden: AuthorizationFailed: The client 'x' has no rights (hint: has the application bbbbbbbb-1111-2222-3333-444444444444 the role DNS Zone Contributor on the zone example.org)", dnsprovider.ErrRefused},
		{404, failure("ResourceGroupNotFound", "Resource group 'x' could not be found."),
			"404 Not Found: ResourceGroupNotFound: Resource group 'x' could not be found (hint: is the zone example.org in this subscription and resource group)", dnsprovider.ErrNoZone},
		{409, failure("ScopeLocked", "The scope is locked."), "409 Conflict: ScopeLocked: The scope is locked (hint: a lock forbids changes: az lock list shows it)", dnsprovider.ErrRefused},
		{409, failure("Conflict", ""), "409 Conflict: Conflict (hint: somebody else is changing the zone: try again)", dnsprovider.ErrTemporary},
		{500, "<html>", "status 500 and a web page where JSON is wanted (hint: ", dnsprovider.ErrTemporary},
		{400, "", "400 Bad Request (hint: ", dnsprovider.ErrMalformed},
		{200, set(`"properties":{"TTL":60,"TLSARecords":[]}`), "the record set has no ETag, so that it cannot be changed with care (hint: ", dnsprovider.ErrMalformed},
		{200, set(`"etag":"x","properties":{"TTL":60,"TLSARecords":[{"usage":3,"selector":1,"matchingType":1,"certAssociationData":"x"}]}`), "a record at the name is not understood: ", dnsprovider.ErrMalformed},
		{200, `{"value":[{"name":"_25._tcp.mx","type":"Microsoft.Network/dnszones/CNAME","etag":"x","properties":{"targetResource":{"id":"x"}}}]}`,
			"a CNAME at _25._tcp.mx.example.org. leads to a resource of Azure's, and no other record can stand beside it", dnsprovider.ErrAlias},
		{200, `{}`, "a listing without any record, where even a new zone has SOA and NS (hint: ", dnsprovider.ErrTemporary},
		{200, `{"value":[],"nextLink":"https://api.example.net/x"}`, "the listing has no end (hint: ", dnsprovider.ErrTemporary},
	} {
		_, err := with(t, says{test.status, test.body}).RRset(t.Context(), "", owner)
		want := "read _25._tcp.mx.example.org.: azure example.org: " + test.want
		if !errors.Is(err, test.kind) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error is\n%v, want\n%s", err, want)
		}
	}
}

// TestEmptyRecordSet is another thing than none: it is replaced, and not created.
func TestEmptyRecordSet(t *testing.T) {
	var condition http.Header
	empty := `{"value":[{"name":"_25._tcp.mx","type":"Microsoft.Network/dnszones/TLSA","etag":"tag","properties":{"TTL":60}}]}`
	p := with(t, trip(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPut {
			condition = r.Header
			return says{http.StatusForbidden, ""}.RoundTrip(r)
		}
		return says{http.StatusOK, empty}.RoundTrip(r)
	}))
	err := p.Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, After: rrset("1")}})[0]
	if !errors.Is(err, dnsprovider.ErrRefused) || condition.Get("If-Match") != "tag" || condition.Get("If-None-Match") != "" {
		t.Errorf("%v, sent with %v", err, condition)
	}
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestNewSaysAllThatIsWrong, and never the secret.
func TestNewSaysAllThatIsWrong(t *testing.T) {
	s := newSubscription(t, "example.org.")
	const want = `azure: zone: name "a b": ' ' is not allowed in a name
azure: URL "http://api.example.net": credentials go over https alone (hint: write https; http is for 127.0.0.1 and ::1)
azure: subscription "": not an id (hint: az account show --query id)
azure: resource-group "a/b": not the name of one (hint: az network dns zone list --query [].resourceGroup)
azure: tenant "": not the id of a directory (hint: az account show --query tenantId)
azure: client "x": not the id of an application (hint: az ad sp create-for-rbac shows it as appId)
azure: no secret (hint: az ad sp create-for-rbac shows it as password)
azure: api-version "latest": not a version (hint: as in 2023-07-01-preview)
azure: a timeout of -1ns: below zero
azure: no clock`
	_, err := azuredns.New(azuredns.Config{Zone: "a b", BaseURL: "http://api.example.net/", ResourceGroup: "a/b", Client: "x", APIVersion: "latest", Timeout: -1})
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
	if c := s.config(); strings.Contains(fmt.Sprintf("%v %+v %#v", c, c, c), s.api.Secret) {
		t.Error("the secret is told")
	}
}

func TestCapability(t *testing.T) {
	c := azuredns.Capability()
	if c.Type != "azure" || c.Refused != "" || c.Margin < time.Minute || !strings.Contains(c.MarginSource, "https://") || c.Rights == "" {
		t.Errorf("capability is %+v", c)
	}
}

// FuzzListing: whatever the API says, it is an answer or an error, in one line.
func FuzzListing(f *testing.F) {
	for _, seed := range []string{
		`{"value":[{"name":"_25._tcp.mx","type":"x/TLSA","etag":"x","properties":{"TTL":60,"TLSARecords":[{"usage":3,"certAssociationData":"ab"}]}}]}`,
		`{"value":[{"name":"_25._tcp.mx","type":"CNAME","properties":{"CNAMERecord":{"cname":"x y"}}}]}`,
		`{"value":[{"name":"mx","type":"/NS","properties":{"TTL":-1}}],"nextLink":"https://api.example.net/x"}`,
		`{"error":{"code":"x","message":"no\nno"}}`, `{"error":"x"}`, "<html>", "", "null", "{}",
	} {
		for _, status := range []int{200, 400, 403, 404, 409, 412, 429, 500} {
			f.Add(status, seed)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		_, err := with(t, says{status, body}).RRset(t.Context(), "", owner)
		var e *dnsprovider.Error
		switch {
		case err == nil:
		case !errors.As(err, &e) || e.Kind.Err() == nil:
			t.Errorf("error without a kind: %v", err)
		case strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 1000:
			t.Errorf("error is %q", err)
		}
	})
}

// TestDefaultURLs: without a URL it is Azure that is asked.
func TestDefaultURLs(t *testing.T) {
	var asked []string
	s := subscription{api: fakeapi.NewAzureDNS(fakeapi.NewZone("example.org."))}
	p := s.provider(t, func(c *azuredns.Config) {
		c.Zone = "example.org"
		c.Transport = trip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization"))
			return says{http.StatusOK, `{"value":[{"name":"@","type":"Microsoft.Network/dnszones/NS"}]}`}.RoundTrip(r)
		})
	})
	if _, err := p.RRset(t.Context(), "", owner); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"POST https://login.microsoftonline.com/aaaaaaaa-1111-2222-3333-444444444444/oauth2/v2.0/token ",
		"GET https://management.azure.com/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/mail-rg/providers/Microsoft.Network/dnsZones/" +
			"example.org/recordsets?api-version=2023-07-01-preview Bearer eyJ0.azure.1",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}
