package oracle

import (
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// A client is a DANE client that nobody here wrote.
type client struct {
	name string
	smtp bool // it delivers mail, so the PKIX usages are not for it
	ask  func(ctx context.Context, a *assembly, c *testCase) (answer, string, error)
}

func clients() []client {
	return []client{
		{"posttls-finger", true, askPostfix},
		{"openssl", false, askOpenSSL},
		{"ldns-dane", false, askLDNS},
		{"danetool", false, askGnuTLS},
	}
}

// An assembly is what clients are asked with.
type assembly struct {
	*lab.Lab
	*server
	dir string // for files
}

// resolver spreads the cases over the lab's.
func (a *assembly) resolver(c *testCase) int { return c.number % len(a.Resolvers) }

// file writes certificates as PEM.
func (a *assembly) file(name string, parties ...party) (string, error) {
	path := filepath.Join(a.dir, name)
	var text []byte
	for _, p := range parties {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Raw})...)
	}
	return path, os.WriteFile(path, text, 0o644)
}

var matchedAt = regexp.MustCompile(`(?m)(?:matched|Matched).* at depth (\d+)`)

// depthOf is the depth that OpenSSL's DANE names.
func depthOf(said string) int {
	m := matchedAt.FindStringSubmatch(said)
	if m == nil {
		return -1
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return -1
	}
	return n
}

// askPostfix has posttls-finger look everything up, as a sending mail server would, and
// greet the server.
func askPostfix(_ context.Context, a *assembly, c *testCase) (answer, string, error) {
	h := a.Finger(a.resolver(c), c.host(), a.port)
	switch h.Outcome {
	case lab.Verified:
		return answer{accepts, depthOf(h.Output)}, h.Output, nil
	case lab.Unverified:
		return answer{refuses, -1}, h.Output, nil
	case lab.NoRecords:
		return answer{unusable, -1}, h.Output, nil
	case lab.Lookup, lab.NoTLS, lab.Encrypted:
	}
	return answer{}, h.Output, fmt.Errorf("posttls-finger: %s", h.Outcome)
}

// askOpenSSL hands the records to s_client, and has it greet the server.
func askOpenSSL(ctx context.Context, a *assembly, c *testCase) (answer, string, error) {
	trusted, err := a.file(c.label()+".trusted", c.house.root)
	if err != nil {
		return answer{}, "", err
	}
	args := []string{
		"s_client", "-starttls", "smtp", "-connect", a.listen.Addr().String(), "-brief", "-verify_return_error",
		"-CAfile", trusted, "-no-CApath", "-no-CAstore",
		"-servername", c.host(), "-dane_tlsa_domain", c.host(), "-dane_ee_no_namechecks",
	}
	for _, r := range c.records {
		args = append(args, "-dane_tlsa_rrdata", r.String())
	}
	said, status, err := a.Ask(ctx, a.resolver(c), "openssl", args...)
	switch {
	case err != nil:
		return answer{}, said, err
	case strings.Contains(said, "Failed to import any TLSA records"):
		return answer{unusable, -1}, said, nil
	case strings.Contains(said, "Verification: OK"):
		return answer{accepts, depthOf(said)}, said, nil
	case strings.Contains(said, "verify error:"):
		return answer{refuses, -1}, said, nil
	}
	return answer{}, said, fmt.Errorf("openssl: exit status %d, and not over the certificate", status)
}

// askLDNS gives ldns-dane records and chain in files: of STARTTLS it knows nothing.
func askLDNS(ctx context.Context, a *assembly, c *testCase) (answer, string, error) {
	trusted, err := a.file(c.label()+".ldns-trusted", c.house.root)
	if err != nil {
		return answer{}, "", err
	}
	chain, err := a.file(c.label()+".ldns-chain", c.house.chain...)
	if err != nil {
		return answer{}, "", err
	}
	var zone strings.Builder
	for _, r := range c.records {
		fmt.Fprintf(&zone, "%s 3600 IN TLSA %s\n", a.owner(c), r)
	}
	records := filepath.Join(a.dir, c.label()+".ldns-tlsa")
	if err := os.WriteFile(records, []byte(zone.String()), 0o644); err != nil {
		return answer{}, "", err
	}
	said, status, err := a.Ask(ctx, a.resolver(c), "ldns-dane", "-c", chain, "-t", records, "-f", trusted, "verify", c.host(), strconv.Itoa(int(a.port)))
	switch {
	case err != nil:
		return answer{}, said, err
	case strings.Contains(said, "No usable TLSA records were found"):
		return answer{unusable, -1}, said, nil
	case status == 0 && strings.Contains(said, "dane-validated successfully"):
		return answer{accepts, -1}, said, nil
	case strings.Contains(said, "did not dane-validate"):
		return answer{refuses, -1}, said, nil
	case strings.Contains(said, "error loading certificate"):
		return answer{silent, -1}, said, nil
	}
	return answer{}, said, fmt.Errorf("ldns-dane: exit status %d, and not over the certificate", status)
}

// askGnuTLS has danetool look the records up, and gives it the chain in a file. What it
// finds of DNSSEC is no question here.
func askGnuTLS(ctx context.Context, a *assembly, c *testCase) (answer, string, error) {
	chain, err := a.file(c.label()+".gnutls-chain", c.house.chain...)
	if err != nil {
		return answer{}, "", err
	}
	said, status, err := a.Ask(ctx, a.resolver(c), "danetool", "--check", c.host(), "--port", strconv.Itoa(int(a.port)), "--proto", "tcp",
		"--load-certificate", chain, "--local-dns", "--insecure")
	switch {
	case err != nil:
		return answer{}, said, err
	case status == 0 && strings.Contains(said, "Verification: Certificate matches."):
		return answer{accepts, -1}, said, nil
	case strings.Contains(said, "Verification: Verification failed. CA constrain"), strings.Contains(said, "Verification: Verification failed. The certificate differs"):
		return answer{refuses, -1}, said, nil
	case strings.Contains(said, "Verification: Verification failed."):
		return answer{unusable, -1}, said, nil
	case strings.Contains(said, "dane_verify_crt: The requested data are not available."):
		return answer{silent, -1}, said, nil
	}
	return answer{}, said, fmt.Errorf("danetool: exit status %d, and not over the certificate", status)
}
