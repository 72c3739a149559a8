package stsfetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"time"
)

// Limits of RFC 8461, section 3.3.
const (
	Timeout = time.Minute // for the one who calls to set
	size    = 64 << 10
)

// A Fetcher gets policies over HTTPS, as senders do: with a certificate that browsers
// would believe, without following a redirection, and only as plain text (RFC 8461,
// section 3.3).
type Fetcher struct {
	Dial  func(ctx context.Context, network, address string) (net.Conn, error) // nil: the network
	Roots *x509.CertPool                                                       // nil: the host's
}

// Fetch gets the text of a domain's policy.
func (f Fetcher) Fetch(ctx context.Context, domain string) (string, error) {
	transport := &http.Transport{
		DialContext: f.Dial, TLSClientConfig: &tls.Config{RootCAs: f.Roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true, MaxResponseHeaderBytes: size,
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
	text, err := io.ReadAll(io.LimitReader(response.Body, size+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", request.URL, err)
	case len(text) > size:
		return "", fmt.Errorf("%s: larger than %d octets", request.URL, size)
	}
	return string(text), nil
}
