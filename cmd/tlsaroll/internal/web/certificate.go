package web

import (
	"crypto/tls"
	"io/fs"
	"log/slog"
	"os"
	"sync"
)

// certificate is our own pair, read again when its files change. One that cannot
// be used, as while it is being replaced, leaves the one before in use.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu    sync.Mutex
	used  *tls.Certificate
	files [2]fs.FileInfo // when it was read
	said  string         // what was wrong the last time
}

func openCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log}
	return c, c.read()
}

// get is the one to show now.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch err := c.read(); {
	case err == nil:
		c.said = ""
	case err.Error() != c.said:
		c.said = err.Error()
		c.log.Error("the certificate of the status page cannot be used: the one before stays", "cert", c.cert, "key", c.key, "err", err)
	}
	return c.used, nil
}

// read reads the files if they are not those that were read before.
func (c *certificate) read() error {
	var now [2]fs.FileInfo
	for i, name := range []string{c.cert, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		now[i] = info
	}
	if c.used != nil && same(now[0], c.files[0]) && same(now[1], c.files[1]) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	c.used, c.files = &pair, now
	return nil
}

func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
