package cloudflare_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// bodies keeps what is sent to change something.
func bodies(t *testing.T, h http.Handler, sent *[]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			body, err := io.ReadAll(r.Body)
			if err != nil || !json.Valid(body) {
				t.Errorf("sent %q, %v", body, err)
			}
			*sent = append(*sent, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/client/v4/zones/")+" "+string(body))
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		h.ServeHTTP(w, r)
	})
}

// TestWhatIsSent: one batch, records to go by their ids, records to stay not at all.
func TestWhatIsSent(t *testing.T) {
	a := newAccount(t, "example.org.")
	var sent []string
	a.url = serve(t, bodies(t, a.server, &sent))
	p := a.provider(t)
	a.seed(owner, 1, "1", "f")
	const other = tlsa.Owner("_465._tcp.mx.example.org.")
	a.seed(other, 600, "1")
	before := a.api.Zone.Records(string(owner), "TLSA")
	a.api.Comment(before[1].ID, "not ours")
	apply := func(changes ...dnsprovider.Change) {
		t.Helper()
		for _, err := range p.Apply(t.Context(), "", changes) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	apply(
		dnsprovider.Change{Owner: owner, Before: rrset(time.Hour, "1", "f"), After: rrset(time.Hour, "f", "2")},
		dnsprovider.Change{Owner: "_587._tcp.mx.example.org.", After: rrset(time.Hour, "2")},
		dnsprovider.Change{Owner: other, Before: rrset(10*time.Minute, "1"), After: rrset(20*time.Minute, "1")},
	)
	tlsaOf := func(port string, ttl int) string {
		return fmt.Sprintf(`{"type":"TLSA","name":"_%s._tcp.mx.example.org","data":{"usage":3,"selector":1,"matching_type":1,"certificate":"%s"},"ttl":%d}`,
			port, strings.Repeat("a2", 32), ttl)
	}
	id := func(n int) string { return fmt.Sprintf("%032x", n) }
	want := []string{"POST " + a.api.ID + "/dns_records/batch " +
		`{"deletes":[{"id":"` + id(4) + `"}],"patches":[{"id":"` + id(6) + `","ttl":1200}],"posts":[` + tlsaOf("25", 1) + `,` + tlsaOf("587", 3600) + `]}`}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	after := a.api.Zone.Records(string(owner), "TLSA")
	if after[0].ID != before[1].ID || a.api.Comment(after[0].ID, "") != "not ours" {
		t.Errorf("the record that stayed is %v, and was %v", after, before)
	}
	// To add and take out what stands and does not is nothing to do.
	sent = nil
	apply(dnsprovider.Change{Owner: owner, Before: rrset(time.Hour, "f"), After: rrset(time.Hour, "f", "2")})
	if len(sent) != 0 {
		t.Errorf("sent %v, and there was nothing to do", sent)
	}
}

// TestAutomaticTTL: automatic is 300 seconds, and to be had by nobody who did not ask for it.
func TestAutomaticTTL(t *testing.T) {
	a := newAccount(t, "example.org.")
	a.seed(owner, 1, "1")
	p := a.provider(t)
	change := func(before, after tlsa.RRset) {
		t.Helper()
		if err := p.Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, Before: before, After: after}})[0]; err != nil {
			t.Fatal(err)
		}
	}
	ttls := func() (ttls []int) {
		for _, r := range a.api.Zone.Records(string(owner), "TLSA") {
			ttls = append(ttls, r.TTL)
		}
		return ttls
	}
	for _, step := range []struct {
		before, after tlsa.RRset
		want          []int
	}{
		{rrset(5*time.Minute, "1"), rrset(5*time.Minute, "1", "2"), []int{1, 1}},
		{rrset(5*time.Minute, "1", "2"), rrset(5*time.Minute, "1", "2"), []int{1, 1}},
		{rrset(5*time.Minute, "1", "2"), rrset(time.Hour, "1", "2"), []int{3600, 3600}},
		{rrset(time.Hour, "1", "2"), rrset(5*time.Minute, "1", "2"), []int{300, 300}},
		{rrset(5*time.Minute, "1", "2"), rrset(time.Second, "1", "2"), []int{60, 60}},
		{rrset(time.Minute, "1", "2"), rrset(1000*time.Hour, "1", "2"), []int{86400, 86400}},
	} {
		change(step.before, step.after)
		if diff := cmp.Diff(step.want, ttls()); diff != "" {
			t.Errorf("%v to %v (-want +got):\n%s", step.before.TTL, step.after.TTL, diff)
		}
	}
}

// TestBatchesAreNotTooLarge: a free zone takes 200 records at once.
func TestBatchesAreNotTooLarge(t *testing.T) {
	a := newAccount(t, "example.org.")
	var changes []dnsprovider.Change
	for i := range 150 {
		changes = append(changes, dnsprovider.Change{Owner: tlsa.Owner(fmt.Sprintf("_25._tcp.mx%d.example.org.", i)), After: rrset(time.Hour, "1", "2", "3")})
	}
	for i, err := range a.provider(t).Apply(t.Context(), "", changes) {
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	if n := a.api.Batches(); n != 3 {
		t.Errorf("%d batches for 450 records, want 3", n)
	}
}

// TestOneBadRecordSpoilsNoOther: the batch is turned down, each owner is sent alone.
func TestOneBadRecordSpoilsNoOther(t *testing.T) {
	for _, code := range []int{1004, 81058, 81053} {
		a := newAccount(t, "example.org.")
		a.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if strings.Contains(string(body), "_25._tcp.mx1.") {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"success":false,"errors":[{"code":%d,"message":"No."}],"result":null}`, code)
				return
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			a.server.ServeHTTP(w, r)
		}))
		var changes []dnsprovider.Change
		for i := range 3 {
			changes = append(changes, dnsprovider.Change{Owner: tlsa.Owner(fmt.Sprintf("_25._tcp.mx%d.example.org.", i)), After: rrset(time.Hour, "1")})
		}
		for i, err := range a.provider(t).Apply(t.Context(), "", changes) {
			if (err != nil) != (i == 1) {
				t.Errorf("code %d, change %d: %v", code, i, err)
			}
		}
	}
}

// TestEditJustBefore: what came or went between the listing and the batch.
func TestEditJustBefore(t *testing.T) {
	for _, test := range []struct {
		name          string
		before, after tlsa.RRset
		edit, stands  []string
		conflict      bool
	}{
		{"the record to go has gone", rrset(time.Hour, "1", "2"), rrset(time.Hour, "2"), []string{"2"}, []string{"2"}, false},
		{"the record to come has come", rrset(time.Hour, "1"), rrset(time.Hour, "1", "2"), []string{"1", "2"}, []string{"1", "2"}, false},
		{"the record to go has gone, and another too", rrset(time.Hour, "1", "2", "3"), rrset(time.Hour, "2", "3"), []string{"2"}, []string{"2"}, true},
		{"one to stay has gone", rrset(time.Hour, "1", "2"), rrset(time.Hour, "1", "2", "3"), []string{"1"}, []string{"1", "3"}, true},
		{"one of somebody else came", rrset(time.Hour, "1"), rrset(time.Hour, "1", "2"), []string{"1", "f"}, []string{"1", "f", "2"}, true},
	} {
		a := newAccount(t, "example.org.")
		a.seed(owner, 3600, digitsOf(test.before)...)
		a.server.Fixture().Meanwhile(t, func() { a.edit(test.edit) })
		err := a.provider(t).Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, Before: test.before, After: test.after}})[0]
		if errors.Is(err, dnsprovider.ErrConflict) != test.conflict || (err != nil) != test.conflict {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := a.server.Look(t, owner); !got.Same(rrset(0, test.stands...)) {
			t.Errorf("%s: there stands %v", test.name, got)
		}
	}
}

func digitsOf(s tlsa.RRset) (digits []string) {
	for _, a := range s.Associations {
		digits = append(digits, a.Data[1:2])
	}
	return digits
}

// edit makes the records at owner those, and leaves those that stay with their ids.
func (a *account) edit(digits []string) {
	want, stands := rrset(0, digits...), tlsa.RRset{}
	a.api.Zone.Remove(func(r fakeapi.Record) bool {
		x, err := tlsa.ParseAssociation(r.Data)
		if r.Name != string(owner) || err != nil {
			return false
		}
		if want.Has(x) {
			stands = stands.With(x)
		}
		return !want.Has(x)
	})
	for _, x := range stands.Missing(want.Associations...) {
		a.api.Zone.Add(string(owner), "TLSA", 3600, x.String())
	}
}

// TestLostReply is settled by the listing: there is no error where the change was made.
func TestLostReply(t *testing.T) {
	a := newAccount(t, "example.org.")
	a.seed(owner, 3600, "1")
	p := a.provider(t)
	a.server.Fixture().LoseReply(t)
	if err := p.Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, Before: rrset(time.Hour, "1"), After: rrset(time.Hour, "1", "2")}})[0]; err != nil {
		t.Errorf("it was made, and yet: %v", err)
	}
	// And where it was not, that is said.
	a.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			panic(http.ErrAbortHandler)
		}
		a.server.ServeHTTP(w, r)
	}))
	err := a.provider(t).Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, Before: rrset(time.Hour, "1", "2"), After: rrset(time.Hour, "2")}})[0]
	const want = "change _25._tcp.mx.example.org.: cloudflare example.org: the connection ended before the reply: EOF; " +
		"read back, the change was not made (hint: is the host's API reached from here: name resolution, firewall, proxy)"
	if !errors.Is(err, dnsprovider.ErrTemporary) || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}

// TestUnchangedZoneIsAskedAboutOnce: in a pass without changes the zone is listed once.
func TestUnchangedZoneIsAskedAboutOnce(t *testing.T) {
	a := newAccount(t, "example.org.")
	a.seed(owner, 3600, "1")
	p := a.provider(t)
	listings := a.server.Fixture().Listings
	ctx := dnsprovider.OnePass(t.Context())
	for range 5 {
		if _, err := p.RRset(ctx, "", owner); err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(ctx, "", []dnsprovider.Change{{Owner: owner, Before: rrset(time.Hour, "1"), After: rrset(time.Hour, "1")}})[0]; err != nil {
			t.Fatal(err)
		}
	}
	if n := listings(); n != 1 {
		t.Errorf("%d listings, want 1", n)
	}
	// A host in trouble is not asked again in the same pass either.
	a.server.Fixture().Fail(t, providertest.Unavailable, 0)
	ctx = dnsprovider.OnePass(t.Context())
	for range 3 {
		if _, err := p.RRset(ctx, "example.org", owner); !errors.Is(err, dnsprovider.ErrTemporary) {
			t.Errorf("error is %v", err)
		}
	}
	if n := listings(); n != 2 {
		t.Errorf("%d listings, want 2", n)
	}
}
