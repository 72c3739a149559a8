package lab

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestPebble: each start has a new root and a new intermediate, which vouch for each
// other, and the CA's resolver finds what the zones have at once.
func TestPebble(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1, Pebble: &PebbleOptions{AlternateRoots: 1}})
	first := l.Pebble.Intermediate(t, 0)
	if err := first.CheckSignatureFrom(l.Pebble.Root(t, 0)); err != nil {
		t.Error(err)
	}
	if l.Pebble.Root(t, 1).Equal(l.Pebble.Root(t, 0)) {
		t.Error("the alternate root is the first one")
	}
	l.Pebble.RestartAs(t, PebbleOptions{EAB: map[string]string{"id": strings.Repeat("A", 43)}})
	if l.Pebble.Intermediate(t, 0).Equal(first) {
		t.Error("started again, it has the intermediate of before")
	}
	directory, err := l.Pebble.call(t.Context(), http.MethodGet, l.Pebble.Directory, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{Classic, ShortLived, `"externalAccountRequired": true`} {
		if !strings.Contains(string(directory), want) {
			t.Errorf("the directory has no %s:\n%s", want, directory)
		}
	}

	// Unbound keeps an answer to the end of a second, whatever its TTL is.
	const name = "_acme-challenge.mx1.example.org."
	sees := func(want bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := await(ctx, func(ctx context.Context) error {
			a, err := l.Query(ctx, l.Pebble.resolver, Question{name, "TXT"})
			if err == nil && len(a.RDATA) > 0 != want {
				err = fmt.Errorf("it sees %v", a.RDATA)
			}
			return err
		}); err != nil {
			t.Errorf("its resolver, which keeps nothing: %v", err)
		}
	}
	sees(false)
	l.Update(t, Add(name+` 60 TXT "x"`))
	sees(true)
	l.Update(t, Remove(name+` 60 TXT "x"`))
	sees(false)
}
