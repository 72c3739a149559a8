package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// maxReply is how much of a reply is read, in octets.
const maxReply = 4 << 10

// webhook tells by a request, see [formOf]. Its URL may be all that it takes to post there,
// so that no error shows any part of it.
type webhook struct {
	config.Notifier
	client *http.Client
	hide   *strings.Replacer
}

func newWebhook(n config.Notifier) (*webhook, error) {
	u, err := url.Parse(string(n.Webhook.Reveal()))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("not an http or https URL")
	}
	asked, _ := idna.Lookup.ToASCII(u.Hostname()) // the name that is looked up; "" or a part of it if it is none
	var parts []string
	for _, part := range []string{u.String(), u.RequestURI(), u.Host, u.Hostname(), asked, string(n.Token.Reveal())} {
		if len(part) > 1 {
			parts = append(parts, part)
		}
	}
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, part := range parts {
		pairs = append(pairs, part, "[hidden]")
	}
	return &webhook{n, &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: 15 * time.Second}).DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, strings.NewReplacer(pairs...)}, nil
}

func (w *webhook) send(ctx context.Context, batch []letter) error {
	for _, l := range batch {
		if err := w.post(ctx, l); err != nil {
			return errors.New(subprocess.Printable(w.hide.Replace(err.Error()))) // a text alone: what it wraps would show the URL
		}
	}
	return nil
}

func (w *webhook) post(ctx context.Context, l letter) error {
	f, err := formOf(w.Notifier, l)
	if err != nil {
		return err
	}
	request, err := f.request(ctx, w.Notifier)
	if err != nil {
		return cause(err)
	}
	reply, err := w.client.Do(request)
	if err != nil {
		return cause(err)
	}
	defer reply.Body.Close()
	io.Copy(io.Discard, io.LimitReader(reply.Body, maxReply)) //nolint:errcheck // what it says does not count, and may quote the URL
	switch {
	case reply.StatusCode/100 == 2:
		return nil
	case reply.StatusCode/100 == 3:
		return fmt.Errorf("answered %d %s (hint: write the URL that this one leads to)", reply.StatusCode, http.StatusText(reply.StatusCode))
	}
	return fmt.Errorf("answered %d %s", reply.StatusCode, http.StatusText(reply.StatusCode))
}

// cause is an error of the HTTP client without the request that it quotes.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		if u.Timeout() {
			return errors.New("no answer in time")
		}
		return u.Err
	}
	return err
}
