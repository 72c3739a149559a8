package probe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What a server may say. RFC 5321, section 4.5.3.1.5 allows a reply line 512 octets, but
// capabilities can take more.
const (
	maxLine = 4096
	maxTalk = 64 << 10 // in a connection, in the clear or in TLS
)

// lines reads what a server says, line by line, and no more than maxTalk of it.
type lines struct {
	r    *bufio.Reader
	left int
}

func newLines(r io.Reader) *lines {
	return &lines{bufio.NewReaderSize(r, maxLine), maxTalk}
}

// next reads a line without its end, which may lack the CR.
func (l *lines) next() (string, error) {
	if b, err := l.r.Peek(1); err == nil && (b[0] == 0x15 || b[0] == 0x16) {
		return "", garbled("a TLS record in place of words (hint: does the port speak TLS at once, without STARTTLS?)")
	}
	line, err := l.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", garbled("a line of more than %d octets: %s", maxLine, said(string(line)))
	case errors.Is(err, io.EOF) && len(line) > 0:
		return "", fmt.Errorf("closed by the server within the line %s: %w", said(string(line)), io.ErrUnexpectedEOF)
	case errors.Is(err, io.EOF):
		return "", fmt.Errorf("closed by the server: %w", err)
	case err != nil:
		return "", err
	}
	if err := l.spend(len(line)); err != nil {
		return "", err
	}
	return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
}

// octets reads n octets of whatever kind.
func (l *lines) octets(n int) (string, error) {
	if err := l.spend(n); err != nil {
		return "", err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(l.r, b); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("closed by the server within a literal of %d octets: %w", n, io.ErrUnexpectedEOF)
	} else if err != nil {
		return "", err
	}
	return string(b), nil
}

func (l *lines) spend(n int) error {
	if n > l.left {
		return garbled("the server says more than %d octets", maxTalk)
	}
	l.left -= n
	return nil
}

// said quotes what a server said: short, and harmless on a terminal.
func said(s string) string {
	const most = 160
	if len(s) > most {
		return fmt.Sprintf("%.*q…", most, s)
	}
	return fmt.Sprintf("%q", s)
}
