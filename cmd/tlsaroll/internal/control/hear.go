package control

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// refusal is an answer without frames.
type refusal struct {
	status   int
	sentence string
}

func (r *refusal) Error() string { return r.sentence }

// hear sends a request and puts the frames of the answer into a queue until one cannot be
// read. The connection carries nothing else, so that no pool of them is needed.
func hear(conn net.Conn, body []byte, to *queue) error {
	req, err := http.NewRequest(http.MethodPost, "http://tlsaroll"+carryPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	wrote := req.Write(conn) // who refuses need not read to the end, and has answered
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	switch {
	case err == nil:
	case cutOff(err) || cutOff(wrote):
		return io.ErrUnexpectedEOF
	default:
		return errFrame
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		sentence, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
		if err != nil {
			return err
		}
		return &refusal{resp.StatusCode, strings.TrimSpace(Shown(string(sentence)))}
	}
	frames := frameReader{bufio.NewReader(resp.Body)}
	for {
		f, err := frames.next()
		if err != nil {
			return err
		}
		to.put(f, nil)
	}
}

// cutOff tells the end of the other side from an answer that makes no sense.
func cutOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
