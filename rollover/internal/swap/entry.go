package swap

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// The files of an entry, and of a Dir target.
const (
	fullchainFile = "fullchain.pem"
	privkeyFile   = "privkey.pem"
	combinedFile  = "combined.pem" // the key first
)

// entryFiles are the names of all files of an entry.
var entryFiles = [...]string{fullchainFile, privkeyFile, combinedFile}

// maxEntryFile is the largest file that is taken for a part of a pair, in octets.
const maxEntryFile = 1 << 20

const changedHint = "somebody changed the entry; stage the pair again"

// An entry is a pair as it lies in the stash, read once: what is checked is what
// is installed.
type entry struct {
	dir   string
	files map[string][]byte // by name
	cert  []byte            // the leaf, PEM
	ca    []byte            // its issuers, PEM; may be empty
}

// readEntry reads an entry and checks that the key fits the leaf and that the
// combined file holds the same.
func readEntry(dir string) (*entry, error) {
	if !filepath.IsAbs(dir) {
		return nil, &FileError{fmt.Sprintf("%q", dir), "no absolute path of an entry", "", ErrEntry}
	}
	e := &entry{dir: filepath.Clean(dir), files: make(map[string][]byte)}
	for _, name := range entryFiles {
		content, err := readSmall(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		e.files[name] = content
	}
	chain, key := e.files[fullchainFile], e.files[privkeyFile]
	for rest := chain; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil || block.Type != "CERTIFICATE" {
			return nil, e.bad(fullchainFile, "not a chain of certificates")
		}
		if e.cert == nil {
			e.cert = pem.EncodeToMemory(block)
		} else {
			e.ca = append(e.ca, pem.EncodeToMemory(block)...)
		}
	}
	if !bytes.Equal(slices.Concat(e.cert, e.ca), chain) || e.cert == nil {
		return nil, e.bad(fullchainFile, "not a chain of certificates")
	}
	// The cause is kept back: it may quote the key.
	if _, err := tls.X509KeyPair(chain, key); err != nil {
		return nil, e.bad(privkeyFile, "the private key is damaged or does not fit the certificate")
	}
	if !bytes.Equal(e.files[combinedFile], slices.Concat(key, chain)) {
		return nil, e.bad(combinedFile, "does not hold the private key and the chain")
	}
	return e, nil
}

func (e *entry) bad(name, problem string) error {
	return &FileError{filepath.Join(e.dir, name), problem, changedHint, ErrEntry}
}

// content is what a file with these parts holds.
func (e *entry) content(parts []Part) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		switch p {
		case Key:
			b.Write(e.files[privkeyFile])
		case Chain:
			b.Write(e.files[fullchainFile])
		case Cert:
			b.Write(e.cert)
		case CA:
			b.Write(e.ca)
		}
	}
	return b.Bytes()
}

// readSmall reads a regular file.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, &FileError{path, "not a regular file", changedHint, ErrEntry}
	}
	if err != nil {
		return nil, &FileError{path, cause(err), changedHint, errors.Join(ErrEntry, err)}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &FileError{path, cause(err), changedHint, errors.Join(ErrEntry, err)}
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxEntryFile+1))
	switch {
	case err != nil:
		return nil, &FileError{path, cause(err), changedHint, errors.Join(ErrEntry, err)}
	case len(content) > maxEntryFile:
		return nil, &FileError{path, fmt.Sprintf("larger than %d octets", maxEntryFile), changedHint, ErrEntry}
	}
	return content, nil
}
