package certwatch

import (
	"bytes"
	"encoding/pem"
	"time"
)

// A KeyFile is a private key that somebody else keeps in a file.
type KeyFile struct {
	Key
	Changed  time.Time // the file, by its own time
	Findings []Finding
}

// LoadKey reads a file with one private key, as [Reader.Load] reads a pair: one that
// is still being written, or that everybody can read, is refused.
func (r Reader) LoadKey(path string) (KeyFile, error) {
	seen, err := stamps(path)
	if err != nil {
		return KeyFile{}, r.unreadable(path, err)
	}
	sources, modes, findings, err := r.sources([]string{path})
	if err != nil {
		return KeyFile{}, err
	}
	k, err := sources[0].key()
	if err != nil {
		return KeyFile{}, err
	}
	exposed, err := permissions(sources, modes)
	if err != nil {
		return KeyFile{}, err
	}
	return KeyFile{k, seen[len(seen)-1].changed(), append(findings, exposed...)}, nil
}

// LoadChain reads the certificates of a file, in PEM and as they stand there, where
// the key is not the caller's to know. A key in it is left out.
func LoadChain(path string) ([]byte, error) {
	sources, _, _, err := Reader{}.sources([]string{path})
	if err != nil {
		return nil, err
	}
	s := sources[0]
	if err := s.parse(); err != nil {
		return nil, err
	}
	if err := s.wantCertificates(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, c := range s.certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.Bytes(), nil
}
