package lab

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Secrets are what no output may hold: each in every way in which a program could
// have written it, and in parts, as what is cut off is no less a secret. Its methods
// may be called from several goroutines; the zero value holds none.
type Secrets struct {
	mu    sync.Mutex
	forms []form
	known map[string]bool // by its octets
}

// A form is one way to write a part of a secret.
type form struct {
	of, way string // for people, who must not be told the secret either
	text    []byte
}

// partLen is how many octets of a secret make a part: few enough that an excerpt in an
// error has one whole, and enough that nothing else looks like it by accident.
const partLen = 12

// Plant adds a secret that is given by its octets, as a TSIG secret is.
func (s *Secrets) Plant(of string, raw []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[string(raw)] {
		return
	}
	if s.known == nil {
		s.known = map[string]bool{}
	}
	s.known[string(raw)] = true
	for part := range slices.Chunk(raw, partLen) {
		if len(part) == partLen || len(raw) < partLen && len(part) > 3 {
			s.forms = append(s.forms, formsOf(of, part)...)
		}
	}
}

// PlantText adds one that is a text, as a token is: the text itself, whatever it
// may be an encoding of, and its parts.
func (s *Secrets) PlantText(of, text string) {
	s.Plant(of, []byte(text))
	if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
		s.Plant(of, raw)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms = append(s.forms, form{of, "as it is", []byte(text)}, form{of, "escaped for a URL", []byte(url.QueryEscape(text))})
}

// PlantKey adds a private key: the numbers that make it, and each line of its PEM
// forms that has anything of them.
func (s *Secrets) PlantKey(of string, key crypto.Signer) error {
	var ders [][]byte
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	ders = append(ders, pkcs8)
	var numbers [][]byte
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		scalar, err := k.Bytes()
		if err != nil {
			return fmt.Errorf("secrets: %w", err)
		}
		sec1, err := x509.MarshalECPrivateKey(k)
		if err != nil {
			return fmt.Errorf("secrets: %w", err)
		}
		numbers, ders = [][]byte{scalar}, append(ders, sec1)
	case *rsa.PrivateKey:
		for _, n := range append([]*big.Int{k.D, k.Precomputed.Dp, k.Precomputed.Dq, k.Precomputed.Qinv}, k.Primes...) {
			numbers = append(numbers, n.Bytes())
		}
		ders = append(ders, x509.MarshalPKCS1PrivateKey(k))
	case ed25519.PrivateKey:
		numbers = [][]byte{k.Seed()}
	default:
		return fmt.Errorf("secrets: a key of type %T", key)
	}
	for _, n := range numbers {
		s.Plant(of, n)
		s.add(form{of, "as a decimal number", []byte(new(big.Int).SetBytes(n).String())})
	}
	for _, der := range ders {
		for line := range strings.Lines(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))) {
			line = strings.TrimSpace(line)
			raw, err := base64.StdEncoding.DecodeString(line)
			if err == nil && len(raw) >= partLen && !bytes.Contains(public, raw) {
				s.add(formsOf(of+", a line of PEM,", []byte(line))...) // in JSON PEM may be base64 once more
			}
		}
	}
	return nil
}

func (s *Secrets) add(forms ...form) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms = append(s.forms, forms...)
}

// formsOf are the ways to write some octets that stand among others.
func formsOf(of string, part []byte) []form {
	lower := hex.EncodeToString(part)
	colons := strings.ReplaceAll(fmt.Sprintf("% x", part), " ", ":")
	decimal := strings.Trim(fmt.Sprint(part), "[]")
	goes := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte{"), "}")
	forms := []form{
		{of, "raw", bytes.Clone(part)},
		{of, "in hex", []byte(lower)}, {of, "in hex", []byte(strings.ToUpper(lower))},
		{of, "in hex with colons", []byte(colons)}, {of, "in hex with colons", []byte(strings.ToUpper(colons))},
		{of, "as numbers", []byte(decimal)}, {of, "as a Go literal", []byte(goes)},
	}
	// Base64 of a text that the part stands in: what the first characters are hangs on
	// the octets before, and the last ones on those after.
	for shift := range 3 {
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), part...))
		begin, end := (shift*8+5)/6, (shift+len(part))*8/6
		inner := text[begin:end]
		forms = append(forms, form{of, "in base64", []byte(inner)}, form{of, "in base64 for URLs", []byte(strings.NewReplacer("+", "-", "/", "_").Replace(inner))},
			form{of, "in base64 escaped for a URL", []byte(url.QueryEscape(inner))})
	}
	return forms
}

// Len is how many ways of writing how many secrets are known.
func (s *Secrets) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.forms)
}

// Find says which secrets a text holds, and in which way, never what they are.
func (s *Secrets) Find(text []byte) (found []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A line break or an escaped one may stand anywhere in what was wrapped.
	readings := [][]byte{text, []byte(unwrap.Replace(string(text))), escape.ReplaceAllFunc(text, unescape)}
	for _, f := range s.forms {
		if slices.ContainsFunc(readings, func(text []byte) bool { return bytes.Contains(text, f.text) }) {
			found = append(found, f.of+" "+f.way)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

var unwrap = strings.NewReplacer("\r", "", "\n", "", `\r`, "", `\n`, "")

// escape is what quoting makes of an octet, in Go and in JSON.
var escape = regexp.MustCompile(`\\(x[0-9a-f]{2}|u[0-9a-f]{4}|.)`)

func unescape(text []byte) []byte {
	r, multibyte, _, err := strconv.UnquoteChar(string(text), '"')
	switch {
	case err != nil:
		return text
	case multibyte:
		return utf8.AppendRune(nil, r)
	}
	return []byte{byte(r)}
}
