package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// form is a message as what listens at a webhook understands it.
type form struct {
	method string
	below  string // of the URL, percent-encoded
	header map[string]string
	body   []byte
}

// formOf puts a letter into a webhook's form.
func formOf(n config.Notifier, l letter) (form, error) {
	switch n.Format {
	case config.FormatSlack:
		return slackForm(l)
	case config.FormatMatrix:
		return matrixForm(n.Room, l)
	case config.FormatNtfy:
		return ntfyForm(l), nil
	case config.FormatJSON:
	}
	body, err := l.Message.line()
	return jsonForm(http.MethodPost, "", body), err
}

func jsonForm(method, below string, body []byte) form {
	return form{method, below, map[string]string{"Content-Type": "application/json"}, body}
}

// plain is a letter's message in lines, for people.
func (l letter) plain() string {
	return subprocess.Printable("tlsaroll on "+l.Message.Host) + ": " + strings.TrimSuffix(l.paragraphs(), "\n")
}

// slackForm is that of an incoming webhook of Slack, in whose texts three characters are
// special.
func slackForm(l letter) (form, error) {
	text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(l.plain())
	body, err := json.Marshal(map[string]string{"text": text})
	return jsonForm(http.MethodPost, "", body), err
}

// matrixForm is an event in a room, by the client-server API of Matrix. A letter that is sent
// again is the same transaction, so that nobody gets it twice. It is m.text and not m.notice,
// as clients are quiet about that.
func matrixForm(room string, l letter) (form, error) {
	line, err := l.Message.line()
	if err != nil {
		return form{}, err
	}
	hash := sha256.Sum256(append(l.At.UTC().AppendFormat(nil, time.RFC3339Nano), line...))
	body, err := json.Marshal(map[string]string{"msgtype": "m.text", "body": l.plain()})
	below := "/_matrix/client/v3/rooms/" + url.PathEscape(room) + "/send/m.room.message/" + hex.EncodeToString(hash[:16])
	return jsonForm(http.MethodPut, below, body), err
}

// maxNtfy is less than what ntfy takes for a message, octets; more becomes a file.
const maxNtfy = 4000

// ntfyForm is a message to a topic of ntfy.
func ntfyForm(l letter) form {
	priority, tag := "default", "warning"
	switch {
	case l.Message.Event == Cleared || l.Message.Event == InService:
		tag = "white_check_mark"
	case l.Message.Severity == rollover.Info:
		priority, tag = "low", "information_source"
	case l.Message.Severity == rollover.Danger:
		priority, tag = "high", "rotating_light"
	}
	body := strings.TrimSuffix(l.paragraphs(), "\n")
	if len(body) > maxNtfy {
		body = body[:maxNtfy]
		for !utf8.ValidString(body) {
			body = body[:len(body)-1]
		}
		body += "…"
	}
	title := strings.Map(func(r rune) rune { // what a header may hold
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, "tlsaroll on "+l.Message.Host+": "+l.Message.title())
	return form{http.MethodPost, "", map[string]string{"Title": title, "Priority": priority, "Tags": tag, "Content-Type": "text/plain; charset=utf-8"}, []byte(body)}
}

// request is what is sent of it.
func (f form) request(ctx context.Context, n config.Notifier) (*http.Request, error) {
	where := string(n.Webhook.Reveal())
	if f.below != "" {
		where = strings.TrimSuffix(where, "/") + f.below
	}
	request, err := http.NewRequestWithContext(ctx, f.method, where, bytes.NewReader(f.body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "tlsaroll")
	for name, value := range f.header {
		request.Header.Set(name, value)
	}
	if token := n.Token.Reveal(); len(token) > 0 {
		request.Header.Set("Authorization", "Bearer "+string(token))
	}
	return request, nil
}
