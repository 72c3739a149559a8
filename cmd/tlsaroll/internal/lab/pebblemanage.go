package lab

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// Root is the certificate of a root: 0 is the one whose chain is sent unless asked, those
// after it are of the alternate chains.
func (p *Pebble) Root(t testing.TB, n int) *x509.Certificate {
	t.Helper()
	return p.certificate(t, fmt.Sprintf("/roots/%d", n))
}

// Intermediate is the certificate that issues leaves, in the chain of that root.
func (p *Pebble) Intermediate(t testing.TB, n int) *x509.Certificate {
	t.Helper()
	return p.certificate(t, fmt.Sprintf("/intermediates/%d", n))
}

func (p *Pebble) certificate(t testing.TB, path string) *x509.Certificate {
	t.Helper()
	body, err := p.call(t.Context(), http.MethodGet, p.management+path, nil)
	if err != nil {
		t.Fatalf("lab: pebble: %v", err)
	}
	block, _ := pem.Decode(body)
	if block == nil {
		t.Fatalf("lab: pebble: %s: no certificate", path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatalf("lab: pebble: %s: %v", path, err)
	}
	return cert
}

// SuggestRenewal has the CA answer with a text who asks when a leaf is to be renewed
// (RFC 9773, section 4), whatever the text is; "" is its own answer again.
func (p *Pebble) SuggestRenewal(t testing.TB, leaf *x509.Certificate, answer string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"Certificate": string(chainPEM([]*x509.Certificate{leaf})), "ARIResponse": answer})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.call(t.Context(), http.MethodPost, p.management+"/set-renewal-info/", body); err != nil {
		t.Fatalf("lab: pebble: %v", err)
	}
}

// SuggestRenewalBetween has the CA want a leaf to be renewed within a window.
func (p *Pebble) SuggestRenewalBetween(t testing.TB, leaf *x509.Certificate, start, end time.Time) {
	t.Helper()
	text := `{"suggestedWindow": {"start": %q, "end": %q}}`
	p.SuggestRenewal(t, leaf, fmt.Sprintf(text, start.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339)))
}

// answers waits until the CA does, on both of its addresses.
func (p *Pebble) answers(ctx context.Context) error {
	return await(ctx, func(ctx context.Context) error {
		if err := p.lab.ended(pebbleName); err != nil {
			return err
		}
		for _, url := range []string{p.Directory, p.management + "/roots/0"} {
			if _, err := p.call(ctx, http.MethodGet, url, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// call makes one request, on a connection of its own.
func (p *Pebble) call(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	trusted, err := p.trusted()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted}}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	reply, err := (&http.Client{Transport: transport, Timeout: queryTimeout}).Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, url, reply.Status, text)
	}
	return text, err
}
