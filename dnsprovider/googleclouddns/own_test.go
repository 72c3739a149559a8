package googleclouddns_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/googleclouddns"
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

func (p *project) seed(at tlsa.Owner, ttl int, digits ...string) {
	var data []string
	for _, d := range digits {
		data = append(data, record(d).String())
	}
	p.api.Zone.Replace(string(at), "TLSA", ttl, data...)
}

// TestWhatIsSent: what was read is deleted as it was read, in one change with what is added.
func TestWhatIsSent(t *testing.T) {
	p := newProject(t, "example.org.")
	var sent []string
	inner := p.server
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/changes") {
			body, _ := io.ReadAll(r.Body)
			sent = append(sent, string(body))
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		inner.ServeHTTP(w, r)
	}))
	shout := strings.ToUpper(record("f").String())
	p.api.Zone.Replace(string(owner), "TLSA", 600, shout, record("1").String())
	p.url = url
	provider := p.provider(t)
	for _, err := range provider.Apply(t.Context(), "", []dnsprovider.Change{
		{Owner: owner, Before: rrset("1", "f"), After: rrset("2", "f")},
		{Owner: "_465._tcp.mx.example.org.", After: rrset("2")},
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{fmt.Sprintf(`{"additions":[{"name":"_25._tcp.mx.example.org.","type":"TLSA","ttl":600,"rrdatas":["%[1]s","%[3]s"]},`+
		`{"name":"_465._tcp.mx.example.org.","type":"TLSA","ttl":3600,"rrdatas":["%[3]s"]}],`+
		`"deletions":[{"name":"_25._tcp.mx.example.org.","type":"TLSA","ttl":600,"rrdatas":["%[1]s","%[2]s"]}]}`, shout, record("1"), record("2"))}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

// TestOneConflictSpoilsNoOther: a change of several is all or nothing, so each is sent alone.
func TestOneConflictSpoilsNoOther(t *testing.T) {
	p := newProject(t, "example.org.")
	owners := []tlsa.Owner{"_25._tcp.a.example.org.", "_25._tcp.b.example.org.", "_25._tcp.c.example.org."}
	var changes []dnsprovider.Change
	for _, o := range owners {
		p.seed(o, 3600, "1")
		changes = append(changes, dnsprovider.Change{Owner: o, Before: rrset("1"), After: rrset("1", "2")})
	}
	for name, edit := range map[string]func(){
		"another record": func() { p.seed(owners[1], 3600, "1", "f") },
		"another TTL":    func() { p.seed(owners[1], 60, "1") },
		"gone":           func() { p.seed(owners[1], 3600) },
	} {
		for _, o := range owners {
			p.seed(o, 3600, "1")
		}
		p.server.Fixture().Meanwhile(t, edit)
		for i, err := range p.provider(t).Apply(t.Context(), "", changes) {
			if errors.Is(err, dnsprovider.ErrConflict) != (i == 1) || (err != nil) != (i == 1) {
				t.Errorf("%s, change %d: %v", name, i, err)
			}
			if i != 1 && !p.server.Look(t, owners[i]).Same(rrset("1", "2")) {
				t.Errorf("%s, change %d: there stands %v", name, i, p.server.Look(t, owners[i]))
			}
		}
	}
}

func TestPages(t *testing.T) {
	p := newProject(t, "example.org.")
	for i := range 7 {
		p.api.Zone.Add(fmt.Sprintf("a%d.example.org.", i), "A", 300, "192.0.2.1")
	}
	p.seed(owner, 3600, "1", "2")
	for size := 1; size < 12; size++ {
		p.api.MaxPage = size
		if got, err := p.provider(t).RRset(t.Context(), "", owner); err != nil || !got.Same(rrset("1", "2")) {
			t.Errorf("pages of %d: %v, %v", size, got, err)
		}
	}
}

// TestTokens: one serves until it is about to end; one that the API does not take is not used
// again.
func TestTokens(t *testing.T) {
	p := newProject(t, "example.org.")
	now := time.Now().Add(-59 * time.Minute) // the endpoint's clock is right
	provider := p.provider(t, func(c *googleclouddns.Config) { c.Now = func() time.Time { return now } })
	read := func() error { _, err := provider.RRset(t.Context(), "example.org", owner); return err }
	for _, step := range []struct {
		later  time.Duration
		tokens int
	}{{0, 1}, {30 * time.Minute, 1}, {28 * time.Minute, 1}, {time.Minute, 2}, {0, 2}} {
		now = now.Add(step.later)
		if err := read(); err != nil {
			t.Fatal(err)
		}
		if n := p.api.Tokens(); n != step.tokens {
			t.Errorf("%s later: %d tokens, want %d", step.later, n, step.tokens)
		}
	}
	p.api.ExpireTokens()
	if err := read(); !errors.Is(err, dnsprovider.ErrRefused) {
		t.Errorf("the token is not taken: %v", err)
	}
	if err := read(); err != nil {
		t.Errorf("the token is not taken, for the second time: %v", err)
	}
}

// TestNoToken: what the token endpoint says in words, whatever was to be done.
func TestNoToken(t *testing.T) {
	p := newProject(t, "example.org.")
	const hint = " (hint: has the service account tlsaroll@mail-123456.iam.gserviceaccount.com still this key, and is the clock of this host right)"
	for _, test := range []struct {
		status     int
		body, want string
		kind       error
	}{
		{400, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`, "no access token: 400 Bad Request: invalid_grant: Invalid JWT Signature" + hint, dnsprovider.ErrRefused},
		{401, `{"error":"invalid_client"}`, "no access token: 401 Unauthorized: invalid_client" + hint, dnsprovider.ErrRefused},
		{200, `{}`, "no access token: 200 OK" + hint, dnsprovider.ErrRefused},
		{503, `{"error":"temporarily_unavailable"}`, "no access token: 503 Service Unavailable: temporarily_unavailable (hint: the host is in trouble: try again later, its status page may say more)", dnsprovider.ErrTemporary},
		{502, "<html>", "no access token: status 502 and a web page where JSON is wanted (hint: does a proxy or a maintenance page stand between here and the host's API)", dnsprovider.ErrTemporary},
	} {
		p.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/token" {
				t.Errorf("%s was asked without a token", r.URL.Path)
			}
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
		}))
		provider := p.provider(t, func(c *googleclouddns.Config) { c.Zone, c.ManagedZone = "example.org", "the-zone" })
		_, err := provider.RRset(t.Context(), "", owner)
		want := "read _25._tcp.mx.example.org.: googleclouddns example.org: " + test.want
		if !errors.Is(err, test.kind) || err.Error() != want {
			t.Errorf("error is\n%v, want\n%s", err, want)
		}
	}
	// A clock that is wrong is found out by the endpoint.
	p.url = serve(t, p.server)
	_, err := p.provider(t, func(c *googleclouddns.Config) { c.Now = func() time.Time { return time.Now().Add(24 * time.Hour) } }).RRset(t.Context(), "", owner)
	if !errors.Is(err, dnsprovider.ErrRefused) || !strings.Contains(err.Error(), "is the clock of this host right") {
		t.Errorf("error is %v", err)
	}
}

func TestZones(t *testing.T) {
	for _, test := range []struct {
		name   string
		set    func(*fakeapi.GoogleCloudDNS)
		config func(*googleclouddns.Config)
		zone   string
		want   string // part of the error; "" is none
		kind   error
	}{
		{"found", nil, nil, "", "", nil},
		{"named", nil, nil, "Example.ORG", "", nil},
		{"by its name in the project", nil, func(c *googleclouddns.Config) { c.ManagedZone = "the-zone" }, "", "", nil},
		{"both named", nil, func(c *googleclouddns.Config) { c.ManagedZone = "the-zone" }, "example.org", "", nil},
		{"one above and one below", func(g *fakeapi.GoogleCloudDNS) {
			g.Others = map[string]string{"a": "org.", "b": "other.example.org.", "c": "xmx.example.org."}
		}, nil, "", "", nil},
		{"two of the name", func(g *fakeapi.GoogleCloudDNS) { g.Others = map[string]string{"a": "example.org."} }, nil, "",
			"the project has 2 public zones example.org. (hint: set managed-zone", dnsprovider.ErrNoZone},
		{"private", func(g *fakeapi.GoogleCloudDNS) { g.Visibility = "private" }, nil, "example.org", "the project has no public zone example.org.", dnsprovider.ErrNoZone},
		{"private, found", func(g *fakeapi.GoogleCloudDNS) { g.Visibility = "private" }, nil, "", "the project has no public zone that the name lies in", dnsprovider.ErrNoZone},
		{"private, named", func(g *fakeapi.GoogleCloudDNS) { g.Visibility = "private" }, func(c *googleclouddns.Config) { c.ManagedZone = "the-zone" }, "", "is private: nobody outside sees it", dnsprovider.ErrNoZone},
		{"private, both named", func(g *fakeapi.GoogleCloudDNS) { g.Visibility = "private" }, func(c *googleclouddns.Config) { c.ManagedZone = "the-zone" }, "example.org", "is private: nobody outside sees it", dnsprovider.ErrNoZone},
		{"another managed zone", nil, func(c *googleclouddns.Config) { c.ManagedZone = "the-zone" }, "mx.example.org", `managed-zone is another zone, where "example.org." stands`, dnsprovider.ErrNoZone},
		{"unknown managed zone", nil, func(c *googleclouddns.Config) { c.ManagedZone = "another" }, "", "404 Not Found: The 'parameters.managedZone' resource", dnsprovider.ErrNoZone},
		{"another provider's zone", nil, func(c *googleclouddns.Config) { c.Zone = "example.net" }, "example.org", "configured for the zone example.net., and not for example.org.", dnsprovider.ErrOutsideZone},
		{"another project", nil, func(c *googleclouddns.Config) { c.Project = "another-project" }, "", "404 Not Found", dnsprovider.ErrNoZone},
	} {
		p := newProject(t, "example.org.")
		p.seed(owner, 3600, "1")
		if test.set != nil {
			test.set(p.api)
		}
		if test.config == nil {
			test.config = func(*googleclouddns.Config) {}
		}
		provider := p.provider(t, test.config)
		for range 2 {
			got, err := provider.RRset(t.Context(), test.zone, owner)
			switch {
			case test.kind == nil && (err != nil || !got.Same(rrset("1"))):
				t.Errorf("%s: %v, %v", test.name, got, err)
			case test.kind != nil && (!errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%s: error is %v, want %q of kind %v", test.name, err, test.want, test.kind)
			}
		}
	}
}

// TestUnsignedZone is worked in, with a word.
func TestUnsignedZone(t *testing.T) {
	p := newProject(t, "example.org.")
	p.api.DNSSEC = "off"
	var log strings.Builder
	provider := p.provider(t, func(c *googleclouddns.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for range 3 {
		if _, err := provider.RRset(t.Context(), "", owner); err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(log.String(), "DNSSEC is off"); n != 1 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
}

// TestSentences: each reply in words, with what to do.
func TestSentences(t *testing.T) {
	p := newProject(t, "example.org.")
	failure := func(message, reason string) string {
		return fmt.Sprintf(`{"error":{"code":0,"message":"%[1]s","errors":[{"message":"%[1]s","domain":"global","reason":"%[2]s"}]}}`, message, reason)
	}
	const rights = " (hint: has the service account tlsaroll@mail-123456.iam.gserviceaccount.com the role roles/dns.admin for the zone example.org, and is the Cloud DNS API enabled in the project)"
	for _, test := range []struct {
		status     int
		body, want string
		kind       error
	}{
		{403, failure("Forbidden", "forbidden"), "403 Forbidden: Forbidden (forbidden)" + rights, dnsprovider.ErrRefused},
		{403, failure("Quota exceeded", "rateLimitExceeded"), "403 Forbidden: Quota exceeded (rateLimitExceeded) (hint: the project's quota of requests is used up: do other programs share it)", dnsprovider.ErrTemporary},
		{403, `{"error":{"message":"Cloud DNS API has not been used in project 1 before or it is disabled.","status":"PERMISSION_DENIED"}}`,
			"403 Forbidden: Cloud DNS API has not been used in project 1 before or it is disabled" + rights, dnsprovider.ErrRefused},
		{404, failure("The 'parameters.managedZone' resource named 'x' does not exist.", "notFound"),
			"404 Not Found: The 'parameters.managedZone' resource named 'x' does not exist (notFound) (hint: is the zone example.org in this project, and managed-zone its name there)", dnsprovider.ErrNoZone},
		{503, failure("Backend Error", "backendError"), "503 Service Unavailable: Backend Error (backendError) (hint: the host is in trouble: try again later, its status page may say more)", dnsprovider.ErrTemporary},
		{500, "<html>", "status 500 and a web page where JSON is wanted (hint: does a proxy or a maintenance page stand between here and the host's API)", dnsprovider.ErrTemporary},
		{400, "", "400 Bad Request (hint: the host does not take this record, or has changed its API)", dnsprovider.ErrMalformed},
		{200, `{}`, "a listing without any record, where even a new zone has SOA and NS (hint: ", dnsprovider.ErrTemporary},
		{200, `{"rrsets":[],"nextPageToken":"x"}`, "the listing has no end (hint: ", dnsprovider.ErrTemporary},
		{200, `{"rrsets":[{"name":"_25._tcp.mx.example.org.","type":"TLSA","ttl":60,"rrdatas":["3 1 1"]}]}`, "a record at the name is not understood: ", dnsprovider.ErrMalformed},
		{200, `{"rrsets":[{"name":"_25._tcp.mx.example.org.","type":"TLSA","ttl":60,"routingPolicy":{"geo":{}}}]}`, "the RRset has a routing policy: it is not the same for everybody", dnsprovider.ErrUnsupported},
	} {
		p.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" || test.status == http.StatusOK && !strings.HasSuffix(r.URL.Path, "/rrsets") {
				p.server.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
		}))
		provider := p.provider(t, func(c *googleclouddns.Config) { c.Zone, c.ManagedZone = "example.org", "the-zone" })
		_, err := provider.RRset(t.Context(), "", owner)
		want := "read _25._tcp.mx.example.org.: googleclouddns example.org: " + test.want
		if !errors.Is(err, test.kind) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error is\n%v, want\n%s", err, want)
		}
	}
}

// TestNewSaysAllThatIsWrong, and never what the key is.
func TestNewSaysAllThatIsWrong(t *testing.T) {
	p := newProject(t, "example.org.")
	good := p.api.Credentials(p.url)
	const where = " (hint: gcloud iam service-accounts keys create FILE --iam-account=ACCOUNT)"
	for _, test := range []struct {
		credentials string
		want        string
	}{
		{"", "no credentials" + where},
		{"{", "the credentials are not JSON" + where},
		{`{"type":"authorized_user"}`, `the credentials are of type "authorized_user", and those of a service account are wanted` + where},
		{strings.Replace(good, `"client_email"`, `"x"`, 1), "the credentials have no client_email" + where},
		{strings.Replace(good, "-----BEGIN", "----", 1), "the credentials have no private_key in PEM" + where},
		{strings.Replace(good, `PRIVATE KEY-----\nMII`, `PRIVATE KEY-----\nMIJ`, 1), "the private_key of the credentials is not an RSA key in PKCS #8" + where},
		{strings.Replace(good, `"http://127`, `"http://198`, 1), "token_uri of the credentials: URL "},
	} {
		_, err := googleclouddns.New(googleclouddns.Config{Credentials: dnsprovider.NewSecret(test.credentials), Now: time.Now})
		if err == nil || !strings.HasPrefix(err.Error(), "googleclouddns: "+test.want) {
			t.Errorf("error is\n%v, want\n%s", err, test.want)
		}
		for _, secret := range p.secrets(t) {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Error("the key is told")
			}
		}
	}
	_, err := googleclouddns.New(googleclouddns.Config{
		Name: "g", Credentials: dnsprovider.NewSecret(good), Zone: "a b", ManagedZone: "../x", Project: "../../x", BaseURL: "http://api.example.net", Timeout: -1,
	})
	want := `g: zone: name "a b": ' ' is not allowed in a name
g: URL "http://api.example.net": credentials go over https alone (hint: write https; http is for 127.0.0.1 and ::1)
g: project "../../x": not the id of a project (hint: gcloud projects list)
g: managed-zone "../x": not the name of a managed zone (hint: gcloud dns managed-zones list)
g: a timeout of -1ns: below zero
g: no clock`
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}

func TestCapability(t *testing.T) {
	c := googleclouddns.Capability()
	if c.Type != "googleclouddns" || c.Refused != "" || c.Margin < time.Minute || !strings.Contains(c.MarginSource, "https://") || c.Rights == "" {
		t.Errorf("capability is %+v", c)
	}
}

// says is a Transport that gives a token, and the same reply to everything else.
type says struct {
	status int
	body   string
}

func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/token") {
		s = says{http.StatusOK, `{"access_token":"ya29.c.1","expires_in":"3599"}`}
	}
	return &http.Response{StatusCode: s.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(s.body))}, nil
}

// FuzzListing: whatever the API says, it is an answer or an error, in one line.
func FuzzListing(f *testing.F) {
	for _, seed := range []string{
		`{"rrsets":[{"name":"_25._tcp.mx.example.org.","type":"TLSA","ttl":60,"rrdatas":["3 1 1 abcd"]}]}`,
		`{"rrsets":[{"name":"_25._tcp.mx.example.org.","type":"CNAME","ttl":60,"rrdatas":[]}]}`,
		`{"rrsets":[{"name":"mx.example.org.","type":"NS","ttl":-60}],"nextPageToken":"x"}`,
		`{"error":{"message":"no\nno","errors":[{"reason":"forbidden"}]}}`, `{"error":"x"}`, "<html>", "", "null", "{}",
	} {
		for _, status := range []int{200, 400, 403, 404, 409, 412, 429, 500} {
			f.Add(status, seed)
		}
	}
	api := fakeapi.NewGoogleCloudDNS(fakeapi.NewZone("example.org."))
	credentials := dnsprovider.NewSecret(api.Credentials("https://oauth2.example.net"))
	f.Fuzz(func(t *testing.T, status int, body string) {
		p, err := googleclouddns.New(googleclouddns.Config{
			Zone: "example.org", ManagedZone: "the-zone", Credentials: credentials, Transport: says{status, body}, Now: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.RRset(t.Context(), "", owner)
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

// TestDefaultURLs: without a URL it is Google that is asked, for the project of the account.
func TestDefaultURLs(t *testing.T) {
	var asked []string
	api := fakeapi.NewGoogleCloudDNS(fakeapi.NewZone("example.org."))
	p, err := googleclouddns.New(googleclouddns.Config{
		ManagedZone: "the-zone", Now: time.Now,
		Credentials: dnsprovider.NewSecret(strings.Replace(api.Credentials(""), `"/token"`, `""`, 1)),
		Transport: trip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization"))
			return says{http.StatusOK, `{"name":"the-zone","dnsName":"example.org.","rrsets":[{"name":"example.org.","type":"NS"}]}`}.RoundTrip(r)
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.RRset(t.Context(), "", owner); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"POST https://oauth2.googleapis.com/token ",
		"GET https://dns.googleapis.com/dns/v1/projects/mail-123456/managedZones/the-zone Bearer ya29.c.1",
		"GET https://dns.googleapis.com/dns/v1/projects/mail-123456/managedZones/the-zone/rrsets Bearer ya29.c.1",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
