package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// What a check may take: of a domain with two MX hosts, and of a thousand, 50 side by side.
const (
	oneMost      = 2 * time.Second
	thousandMost = 2 * time.Minute
)

// BenchmarkCheck checks domains that have each two MX hosts of their own, 50 domains side by
// side as check does by itself, through a resolver that knows nothing of them the first time.
func BenchmarkCheck(b *testing.B) {
	for _, bm := range []struct {
		name    string
		domains int
		most    time.Duration
	}{{"one domain", 1, oneMost}, {"1000 domains", 1000, thousandMost}} {
		b.Run(bm.name, func(b *testing.B) {
			w := newManyDomains(b, bm.domains)
			for b.Loop() {
				begun := time.Now()
				w.check(b)
				if took := time.Since(begun); took > bm.most {
					b.Errorf("%s: %s, want %s at most", bm.name, took.Round(time.Millisecond), bm.most)
				}
			}
			b.ReportMetric(float64(bm.domains*b.N)/b.Elapsed().Seconds(), "domains/s")
		})
	}
}

// manyDomains is a lab with domains whose MX hosts are everywhere on a few addresses.
type manyDomains struct {
	*lab.Lab
	domains int
	list    string
	roots   string
}

func newManyDomains(b *testing.B, n int) *manyDomains {
	b.Helper()
	const machines = 40
	w := &manyDomains{domains: n, Lab: lab.Start(b, lab.Options{
		TTL: time.Hour, NSTTL: time.Hour, Resolvers: 1, TLSA: []tlsa.Params{tlsa.EE, tlsa.TA},
		Unbound: []string{"num-queries-per-thread: 4096", "outgoing-range: 4096", "msg-cache-size: 16m", "rrset-cache-size: 32m"},
	})}
	// Host i of all is on machine i modulo their number.
	hosts := make([][]string, machines)
	for i := range 2 * n {
		hosts[i%machines] = append(hosts[i%machines], fmt.Sprintf("mx%d.example.org", i))
	}
	var changes []lab.Change
	for _, names := range hosts {
		if names == nil {
			continue
		}
		pair := w.Certificates().Issue(b, lab.LeafOptions{Names: names})
		at := w.ServeMX(b, lab.MX{Pairs: []*lab.Pair{pair}})
		for _, name := range names {
			changes = append(changes, lab.Add(name+". 3600 A "+at.String()))
			for _, record := range []string{pair.TLSA(b, tlsa.EE), pair.TLSA(b, tlsa.TA)} {
				changes = append(changes, lab.Add("_25._tcp."+name+". 3600 TLSA "+record))
			}
		}
	}
	var list strings.Builder
	for i := range n {
		domain := fmt.Sprintf("domain%d.example.org", i)
		list.WriteString(domain + "\n")
		for _, host := range []int{2 * i, 2*i + 1} {
			changes = append(changes, lab.Add(fmt.Sprintf("%s. 3600 MX %d mx%d.example.org.", domain, 10+host%2, host)))
		}
	}
	for part := range slices.Chunk(changes, 200) {
		w.Update(b, part...)
	}
	w.ReleaseSecondary(b)
	w.list, w.roots = list.String(), filepath.Join(b.TempDir(), "roots.pem")
	if err := os.WriteFile(w.roots, w.Certificates().RootPEM(), 0o600); err != nil {
		b.Fatal(err)
	}
	return w
}

// check runs the command, and wants every domain to be clean.
func (w *manyDomains) check(b *testing.B) {
	b.Helper()
	var out, errs bytes.Buffer
	code := run(b.Context(), []string{"check", "--file", "-", "--json", "--resolver", w.Resolver.String(), "--roots", w.roots}, world{
		stdin: strings.NewReader(w.list), stdout: &out, stderr: &errs, now: time.Now,
		lookupEnv: func(string) (string, bool) { return "", false },
		look: func(through survey.Config) (sight, error) {
			through.Zones = map[string]lookup.Zone{lab.Domain: {Private: true}} // as a configuration says it
			return network(through)
		},
	})
	var said struct{ Domains []audit.Report }
	if err := json.Unmarshal(out.Bytes(), &said); err != nil || code != 0 || len(said.Domains) != w.domains {
		b.Fatalf("exit code %d, %d reports, %v\n%s", code, len(said.Domains), err, errs.String())
	}
	for _, r := range said.Domains {
		if r.State != audit.Clean {
			b.Errorf("%s: %s\n%s", r.Domain, r.State, inLines(r))
		}
	}
}
