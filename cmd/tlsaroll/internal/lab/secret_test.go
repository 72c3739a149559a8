package lab

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// TestSecretsAreFound: a secret is found in whatever way a program would let it slip,
// and what is public is not.
func TestSecretsAreFound(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{"ed25519": ed}
	for _, kt := range []KeyType{ECDSA, RSA} {
		if keys[string(kt)], err = newKey(kt); err != nil {
			t.Fatal(err)
		}
	}
	for name, key := range keys {
		t.Run(name, func(t *testing.T) {
			var s Secrets
			if err := s.PlantKey("the key", key); err != nil {
				t.Fatal(err)
			}
			pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			public, err := x509.MarshalPKIXPublicKey(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
			lines := strings.Split(string(text), "\n")
			leaks := slipsOf(pkcs8)
			leaks["one line of PEM"] = "error near " + lines[1]
			leaks["PEM in JSON"] = slipsOf(text)["JSON of a text"]
			switch k := key.(type) {
			case *ecdsa.PrivateKey:
				scalar, err := k.Bytes()
				if err != nil {
					t.Fatal(err)
				}
				leaks["the number"], leaks["the number in hex"] = new(big.Int).SetBytes(scalar).String(), fmt.Sprintf("%x", scalar)
			case *rsa.PrivateKey:
				leaks["the number"], leaks["a prime"] = fmt.Sprint(k.D), fmt.Sprintf("%x", k.Primes[1])
				leaks["the last line but one"] = lines[len(lines)-4]
			}
			mustFind(t, &s, leaks)
			if got := s.Find(slices.Concat(public, []byte(base64.StdEncoding.EncodeToString(public)), []byte(hex.EncodeToString(public)), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))); len(got) > 0 {
				t.Errorf("of the public key it says %q", got)
			}
		})
	}
	t.Run("tsig", func(t *testing.T) {
		raw := make([]byte, 32)
		rand.Read(raw)
		var s Secrets
		s.PlantText("the secret", base64.StdEncoding.EncodeToString(raw))
		mustFind(t, &s, slipsOf(raw))
		mustFind(t, &s, map[string]string{"cut off": base64.StdEncoding.EncodeToString(raw)[:24], "its end": hex.EncodeToString(raw[10:])})
	})
	t.Run("token", func(t *testing.T) {
		var s Secrets
		s.PlantText("the token", "hooks/T0?key=a secret+word/of mine")
		mustFind(t, &s, slipsOf([]byte("hooks/T0?key=a secret+word/of mine")))
		if got := s.Find([]byte("hooks/T0 is a word, and secret another")); len(got) > 0 {
			t.Errorf("of another text it says %q", got)
		}
	})
}

// slipsOf are ways in which octets get out by mistake.
func slipsOf(raw []byte) map[string]string {
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "a", raw, "b", string(raw))
	inJSON, _ := json.Marshal(map[string]any{"octets": raw})
	asText, _ := json.Marshal(map[string]string{"text": base64.StdEncoding.EncodeToString(raw)})
	shifted, _ := json.Marshal(append([]byte("ab"), raw...))
	return map[string]string{
		"octets": string(raw), "%v": fmt.Sprint(raw), "%x": fmt.Sprintf("%x", raw), "%X": fmt.Sprintf("%X", raw), "%q": fmt.Sprintf("%q", raw),
		"%+v in a struct": fmt.Sprintf("%+v", struct{ Secret []byte }{raw}), "%#v": fmt.Sprintf("%#v", raw),
		"a log": log.String(), "JSON of octets": string(inJSON), "JSON of a text": string(asText), "JSON among others": string(shifted),
		"base64 for URLs": base64.URLEncoding.EncodeToString(raw), "wrapped": wrapped(base64.StdEncoding.EncodeToString(raw)),
	}
}

func wrapped(s string) string {
	var b strings.Builder
	for part := range slices.Chunk([]byte(s), 20) {
		b.Write(append(part, '\n'))
	}
	return b.String()
}

func mustFind(t *testing.T, s *Secrets, leaks map[string]string) {
	t.Helper()
	for how, text := range leaks {
		if got := s.Find([]byte("before " + text + " after")); len(got) == 0 {
			t.Errorf("%s: not found", how)
		} else if strings.Contains(strings.Join(got, ""), text) {
			t.Errorf("%s: what is said of it quotes it", how)
		}
	}
}
