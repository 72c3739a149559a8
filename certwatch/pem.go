package certwatch

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"strings"
)

// A block is a PEM block and the line where it begins, counted from 1.
type block struct {
	*pem.Block
	line int
}

const (
	byteOrderMark = "\xef\xbb\xbf"
	dashes        = "-----"
	begin         = "-----BEGIN "
	end           = "-----END "
)

// scan returns the PEM blocks of a file (RFC 7468): text around them, CRLF, byte
// order marks and white space at the ends of lines are passed over. Unlike
// [pem.Decode] it never skips a block that is damaged, because a certificate
// that silently drops out of a chain is what must not happen.
func scan(where string, data []byte) ([]block, error) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &Error{where, "UTF-16 text", "save it as ASCII", ErrDamaged}
	}
	var (
		blocks []block
		text   strings.Builder // the open block, normalized
		label  string          // its type; text is empty where none is open
		opened int             // its first line
		number int
	)
	damaged := func(format string, args ...any) error {
		return &Error{where, fmt.Sprintf(format, args...), "", ErrDamaged}
	}
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(strings.TrimPrefix(line, byteOrderMark))
		first, last := strings.Index(line, begin), strings.Index(line, end)
		switch {
		case first > 0 && last >= 0:
			return nil, damaged("line %d: a line break is missing before %q", number, "-----BEGIN")
		case first == 0 && text.Len() > 0:
			return nil, damaged("line %d: the %s that begins here has no end", opened, naming(label))
		case first == 0:
			name, ok := strings.CutSuffix(line[len(begin):], dashes)
			if !ok {
				return nil, damaged("line %d: a damaged %q line", number, "-----BEGIN")
			}
			label, opened = name, number
			text.WriteString(line + "\n")
		case text.Len() > 0 && last == 0:
			if line != end+label+dashes {
				return nil, damaged("line %d: the %s that begins here has no end", opened, naming(label))
			}
			text.WriteString(line + "\n")
			b, _ := pem.Decode([]byte(text.String()))
			if b == nil {
				return nil, damaged("line %d: the %s that begins here is damaged", opened, naming(label))
			}
			blocks = append(blocks, block{b, opened})
			text.Reset()
		case text.Len() > 0:
			text.WriteString(line + "\n")
		}
	}
	if text.Len() > 0 {
		return nil, damaged("line %d: the %s that begins here has no end", opened, naming(label))
	}
	return blocks, nil
}

// naming says in words what a block of this type is. Types that are not known
// are not quoted: a torn file may have anything in that place.
func naming(label string) string {
	switch {
	case isKey(label):
		return "private key"
	case isCertificate(label):
		return "certificate"
	case label == "CERTIFICATE REQUEST", label == "NEW CERTIFICATE REQUEST":
		return "certificate request"
	case label == "PUBLIC KEY":
		return "public key"
	case strings.HasSuffix(label, " PARAMETERS"):
		return "set of parameters"
	case label == "X509 CRL":
		return "revocation list"
	case label == "PKCS7", label == "CMS":
		return "PKCS #7 bundle"
	}
	return "PEM block"
}

func isCertificate(label string) bool {
	return label == "CERTIFICATE" || label == "X509 CERTIFICATE" || label == "TRUSTED CERTIFICATE"
}
