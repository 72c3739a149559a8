package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Limits of RFC 8461, sections 3.3 and 3.2.
const (
	policyTimeout = time.Minute
	policySize    = 64 << 10
)

// Modes of a policy (RFC 8461, section 5).
const (
	modeEnforce = "enforce"
	modeTesting = "testing"
	modeNone    = "none"
)

// policyFetcher gets MTA-STS policies over HTTPS, as senders do: with a
// certificate that browsers would believe, without following a redirection, and
// only as plain text (RFC 8461, section 3.3).
type policyFetcher struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error) // nil: the network
	roots *x509.CertPool                                                       // nil: the host's
}

func (f policyFetcher) fetch(ctx context.Context, domain string) (string, error) {
	transport := &http.Transport{
		DialContext: f.dial, TLSClientConfig: &tls.Config{RootCAs: f.roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true, MaxResponseHeaderBytes: policySize,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://mta-sts."+domain+"/.well-known/mta-sts.txt", nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: HTTP status %d, want 200 (RFC 8461, section 3.3)", request.URL, response.StatusCode)
	}
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || kind != "text/plain" {
		return "", fmt.Errorf("%s: media type %.80q, want text/plain (RFC 8461, section 3.2)", request.URL, response.Header.Get("Content-Type"))
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, policySize+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", request.URL, err)
	case len(text) > policySize:
		return "", fmt.Errorf("%s: larger than %d octets", request.URL, policySize)
	}
	return string(text), nil
}

// policyMode reads a policy (RFC 8461, section 3.2). Of a field that stands twice
// the first counts, and unknown fields count for nothing.
func policyMode(text string) (string, error) {
	fields := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
		key = strings.TrimSpace(key)
		if _, twice := fields[key]; ok && !twice {
			fields[key] = strings.TrimSpace(value)
		}
	}
	if fields["version"] != "STSv1" {
		return "", errors.New("no version STSv1")
	}
	mode := fields["mode"]
	if !slices.Contains([]string{modeEnforce, modeTesting, modeNone}, mode) {
		return "", fmt.Errorf("mode %.40q: neither enforce nor testing nor none", mode)
	}
	return mode, nil
}
