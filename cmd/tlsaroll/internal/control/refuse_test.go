package control

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// send writes to the daemon as a stranger would.
func (d *daemon) send(t *testing.T, body string) net.Conn {
	t.Helper()
	return d.raw(t, fmt.Sprintf("POST /v1/carry HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
}

func (d *daemon) raw(t *testing.T, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", d.path)
	if err != nil {
		t.Fatal(err)
	}
	go io.WriteString(conn, text) // who refuses need not read it
	return conn
}

// post returns the answer's status and body.
func (d *daemon) post(t *testing.T, body string) (status int, answer string) {
	t.Helper()
	return answerOf(t, d.send(t, body))
}

func answerOf(t *testing.T, conn net.Conn) (status int, answer string) {
	t.Helper()
	defer conn.Close()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error()
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(body))
}

// TestRefusedRequests answers what it cannot carry out with a sentence.
func TestRefusedRequests(t *testing.T) {
	server := Server{Carry: func(_ context.Context, r Request, _ *Reply) int {
		t.Errorf("carried out: %+v", r)
		return 0
	}}
	d := start(t, server)
	server.Pace = quick
	hasty := start(t, server)
	const big = maxRequest + 1
	for name, c := range map[string]struct {
		raw, body string
		status    int
		want      string
	}{
		"other path":      {raw: "POST /v2/carry HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", status: 404, want: "404 page not found"},
		"root":            {raw: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", status: 404, want: "404 page not found"},
		"other method":    {raw: "GET /v1/carry HTTP/1.1\r\nHost: x\r\n\r\n", status: 405, want: "Method Not Allowed"},
		"no HTTP":         {raw: "status\n\n", status: 400, want: "400 Bad Request"},
		"long header":     {raw: "POST /v1/carry HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", status: 431, want: "431 Request Header Fields Too Large"},
		"slow header":     {raw: "POST /v1/carry HTTP/1.1\r\nHost:", status: 0, want: "unexpected EOF"},
		"slow body":       {raw: "POST /v1/carry HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{", status: 400, want: "a request that was cut off"},
		"no body":         {body: "", status: 400, want: "a request that is not JSON from octet 0"},
		"no JSON":         {body: `{"protocol":1,`, status: 400, want: "a request that is not JSON from octet 14"},
		"two requests":    {body: `{"protocol":1,"command":"a"}{}`, status: 400, want: "a request that is not JSON from octet 29"},
		"no object":       {body: `[1]`, status: 400, want: "a request without a version of the protocol"},
		"no version":      {body: `{"command":"a"}`, status: 409, want: "the daemon is version v1.0.0 (protocol 1), this is unknown (protocol 0) (hint: restart it)"},
		"newer":           {body: `{"protocol":2,"version":"v2.1.0","task":{}}`, status: 409, want: "the daemon is version v1.0.0 (protocol 1), this is v2.1.0 (protocol 2) (hint: restart it)"},
		"unknown field":   {body: `{"protocol":1,"command":"a","pears":1}`, status: 400, want: "a request with fields that are unknown or of another kind"},
		"a path as pair":  {body: `{"protocol":1,"command":"a","pair":"/etc/tls/mx1.pem"}`, status: 400, want: "a request with fields that are unknown or of another kind"},
		"no command":      {body: `{"protocol":1}`, status: 400, want: "a request without a command"},
		"a long command":  {body: `{"protocol":1,"command":"` + strings.Repeat("a", 101) + `"}`, status: 400, want: "a name of more than 100 octets"},
		"a long lineage":  {body: `{"protocol":1,"command":"a","lineage":"` + strings.Repeat("a", 101) + `"}`, status: 400, want: "a name of more than 100 octets"},
		"a long request":  {body: strings.Repeat("x", big), status: 413, want: "a request of more than 1048576 octets"},
		"a longer one":    {body: strings.Repeat("x", 8*big), status: 413, want: "a request of more than 1048576 octets"},
		"a long chunk":    {raw: fmt.Sprintf("POST /v1/carry HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", big, strings.Repeat("x", big)), status: 413, want: "a request of more than 1048576 octets"},
		"expects to wait": {raw: "POST /v1/carry HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 2\r\n\r\n{}", status: 417, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, text := d, c.raw
			if strings.HasPrefix(name, "slow") {
				d = hasty
			}
			if text == "" {
				text = fmt.Sprintf("POST /v1/carry HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(c.body), c.body)
			}
			if status, got := answerOf(t, d.raw(t, text)); status != c.status || got != c.want {
				t.Errorf("got  %d %.200s\nwant %d %s", status, got, c.status, c.want)
			}
		})
	}
	d.end(t)
	if n := strings.Count(d.log.String(), `level=WARN msg="control request refused"`); n < 10 {
		t.Errorf("%d refusals in the log:\n%s", n, d.log)
	}
}

// TestRequestTooLong is said before anything is sent.
func TestRequestTooLong(t *testing.T) {
	r := request()
	r.Pair.Chain = make([]byte, maxRequest)
	_, err := Do(t.Context(), "nowhere", r, nil)
	want := "control socket: a request of more than 1048576 octets (hint: is the file of --cert really a certificate? it is far too large)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
