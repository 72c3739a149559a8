package tlsrpt

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// Limits, so that a file that somebody made for the purpose does not fill the memory.
// A day's report of a large sender has some hundred KiB.
const (
	maxFile     = 16 << 20
	maxUnpacked = 32 << 20 // of all that is in a file
	maxEntries  = 200_000  // policies and failures
	maxReports  = 1000
)

// Read reads the reports in a file: JSON, gzipped JSON, or a mail that has them attached.
// What it is shows by its content, not by its name.
func Read(r io.Reader) ([]Report, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(content) > maxFile:
		return nil, fmt.Errorf("larger than %d MiB, and no report is", maxFile>>20)
	}
	return (&unpacker{left: maxUnpacked}).open(content)
}

// An unpacker reads what is in a file, and keeps count of how much that is.
type unpacker struct{ left int64 }

func (u *unpacker) open(content []byte) ([]Report, error) {
	if found, err := u.read(content); found != nil || err != nil {
		return found, err
	}
	return readMail(content, u)
}

var errLarge = fmt.Errorf("more than %d MiB unpacked, and no report is that large", maxUnpacked>>20)

// read reads content that begins as a report does, or as an archive; else there is
// neither a report nor an error.
func (u *unpacker) read(content []byte) ([]Report, error) {
	start := bytes.TrimLeft(bytes.TrimPrefix(content, []byte("\ufeff")), " \t\r\n")
	switch {
	case len(start) == 0:
		return nil, errors.New("it is empty")
	case bytes.HasPrefix(content, []byte{0x1f, 0x8b}):
		unpacked, err := u.unpack(content)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return decode(unpacked)
	case start[0] == '{':
		if u.left -= int64(len(content)); u.left < 0 {
			return nil, errLarge
		}
		return decode(content)
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return nil, errors.New("a zip archive (hint: unpack it, and name the files in it)")
	case len(content) > 262 && string(content[257:262]) == "ustar":
		return nil, errors.New("a tar archive (hint: unpack it, and name the files in it)")
	}
	return nil, nil
}

func (u *unpacker) unpack(content []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	unpacked, err := io.ReadAll(io.LimitReader(z, u.left+1))
	switch u.left -= int64(len(unpacked)); {
	case u.left < 0:
		return nil, errLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("it is cut off")
	}
	return unpacked, err
}
