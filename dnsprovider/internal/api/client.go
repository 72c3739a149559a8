package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// A Client sends requests to one account at a host.
type Client struct {
	Account   *dnsprovider.Account
	Transport http.RoundTripper // default: one of its own
	Timeout   time.Duration     // of one request, its reply included; default: 30s
	// Authorize puts the credentials into a request.
	Authorize func(context.Context, *http.Request) *Trouble
	// Rejected hears that the host does not know the credentials.
	Rejected func()
}

const (
	defaultTimeout = 30 * time.Second
	// maxReply is more than a page of any host's zone.
	maxReply = 64 << 20
	// maxPause is how long a host may ask to be left alone before that is an error, and
	// maxTries how often it is asked all in all.
	maxPause = 15 * time.Second
	maxTries = 3
)

// NewClient returns a client with defaults in the place of what is not given.
func NewClient(c Client) *Client {
	if c.Account == nil {
		c.Account = dnsprovider.NewAccount(dnsprovider.DefaultInFlight)
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Transport == nil {
		c.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 4,
			IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
		}
	}
	return &c
}

// A Reply is a complete reply of the host, whatever it says.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Success reports whether the status says so.
func (r *Reply) Success() bool { return r.Status >= 200 && r.Status <= 299 }

// Do sends a request with body in JSON, [url.Values] as a form, none if it is nil, and reads
// the whole reply. If the host asks to come back in a moment, it does. Redirections are not
// followed: they would take the credentials along.
func (c *Client) Do(ctx context.Context, method, where string, header http.Header, body any) (*Reply, *Trouble) {
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	var content []byte
	switch body := body.(type) {
	case nil:
	case url.Values:
		content = []byte(body.Encode())
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	default:
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, &Trouble{Kind: dnsprovider.Malformed, Err: fmt.Errorf("request: %w", err)}
		}
		header.Set("Content-Type", "application/json")
	}
	for try := 1; ; try++ {
		if t := Ended(ctx); t != nil {
			return nil, t
		}
		reply, t := c.once(ctx, method, where, header, content)
		if t != nil || reply.Status != http.StatusTooManyRequests {
			return reply, t
		}
		pause, asked := reply.retryAfter()
		if !asked || pause > maxPause || try == maxTries {
			return reply, nil
		}
		if t := wait(ctx, pause); t != nil {
			return nil, t
		}
	}
}

// once sends it once. The slot of the account is held until the reply is read.
func (c *Client) once(ctx context.Context, method, where string, header http.Header, content []byte) (reply *Reply, t *Trouble) {
	bounded, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(bounded, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	var source io.Reader // not a typed nil: that would be a body
	if content != nil {
		source = bytes.NewReader(content)
	}
	r, err := http.NewRequestWithContext(traced, method, where, source)
	if err != nil {
		return nil, &Trouble{Kind: dnsprovider.Malformed, Err: fmt.Errorf("request: %w", err)}
	}
	r.Header = header.Clone()
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "tlsaroll")
	if c.Authorize != nil {
		if t := c.Authorize(ctx, r); t != nil {
			return nil, t
		}
	}
	err = c.Account.Do(bounded, func() error {
		reply, err = c.exchange(r)
		return err
	})
	if err != nil {
		return nil, c.unanswered(ctx, err, sent.Load())
	}
	if reply.Status == http.StatusUnauthorized && c.Rejected != nil {
		c.Rejected()
	}
	return reply, nil
}

func (c *Client) exchange(r *http.Request) (*Reply, error) {
	resp, err := c.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxReply {
		return nil, fmt.Errorf("a reply of more than %d octets", maxReply)
	}
	return &Reply{Status: resp.StatusCode, Header: resp.Header, Body: content}, nil
}

// unanswered makes trouble of an error of the network. That the caller's context ended is
// said in its own words. What was sent may have been carried out.
func (c *Client) unanswered(outer context.Context, err error, sent bool) *Trouble {
	t := &Trouble{Kind: dnsprovider.Temporary, Hint: "is the host's API reached from here: name resolution, firewall, proxy"}
	if sent {
		t.Then = Open
	}
	if ended := outer.Err(); ended != nil {
		t.Err, t.Hint = ended, ""
		return t
	}
	var ofURL *url.Error
	if errors.As(err, &ofURL) {
		err = ofURL.Err // without the URL
	}
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		t.Err = fmt.Errorf("no reply within %s", c.Timeout)
	case sent:
		t.Err = fmt.Errorf("the connection ended before the reply: %w", err)
	default:
		t.Err = fmt.Errorf("no connection: %w", err)
	}
	return t
}

// retryAfter is how long the host wants to be left alone (RFC 9110, section 10.2.3). A point
// in time is compared with the clock of the host itself.
func (r *Reply) retryAfter() (pause time.Duration, asked bool) {
	value := r.Header.Get("Retry-After")
	const most = 1 << 30 // seconds; beyond, a duration may overflow
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, most)) * time.Second, true
	}
	then, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	now, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return max(then.Sub(now), 0), true
}

// wait waits, unless the caller would not wait that long.
func wait(ctx context.Context, pause time.Duration) *Trouble {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return Ended(ctx)
	}
}
