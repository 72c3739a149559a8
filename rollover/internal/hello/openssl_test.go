package hello

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOpenSSL asks servers of OpenSSL's, which have what crypto/tls has not: finite
// fields, an order that is the client's, old signatures.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		leaveOut(t, "no server of OpenSSL's is asked: %v", err)
	}
	files := t.TempDir()
	for name, key := range keys() {
		c := certificate(t, key)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
		if err := os.WriteFile(filepath.Join(files, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const cbc, dhe, dheCBC = tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, 0x009f, 0x0039
	for name, r := range map[string]struct {
		args  string
		check func(t *testing.T, r *Result)
	}{
		"the client's order": {"-cert rsa -tls1_2 -cipher ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256", func(t *testing.T, r *Result) {
			same(t, "versions", r.Versions, tls.VersionTLS12)
			same(t, "suites", r.Suites[tls.VersionTLS12], cbc, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
			if own, ok := r.OwnOrder[tls.VersionTLS12]; own || !ok {
				t.Errorf("own order: %t, %t", own, ok)
			}
			if !*r.SecureRenegotiation || !*r.ExtendedMasterSecret || *r.Compression {
				t.Errorf("%+v", r)
			}
		}},
		"its own order": {"-cert rsa -tls1_2 -serverpref -cipher ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256", func(t *testing.T, r *Result) {
			if got := r.Suites[tls.VersionTLS12]; !slices.Equal(got, []uint16{cbc, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}) {
				t.Errorf("suites %x", got)
			}
			if !r.OwnOrder[tls.VersionTLS12] {
				t.Error("no order of its own")
			}
		}},
		"finite fields": {"-cert rsa -tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-SHA", func(t *testing.T, r *Result) {
			same(t, "suites", r.Suites[tls.VersionTLS12], dhe, dheCBC)
			if len(r.Groups) != 1 || r.Groups[0] != "dh-2048" { // of RFC 3526
				t.Errorf("groups %q", r.Groups)
			}
		}},
		"a named field": {"-cert rsa -tls1_2 -cipher DHE-RSA-AES256-SHA -dhparam ffdhe3072", func(t *testing.T, r *Result) {
			same(t, "groups", r.Groups, "ffdhe3072")
		}},
		"old signatures": {"-cert rsa -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0 -sigalgs rsa_pkcs1_sha256:RSA+SHA224:RSA+SHA1", func(t *testing.T, r *Result) {
			same(t, "hashes", r.Hashes, "sha256", "sha224", "sha1")
		}},
		"curves": {"-cert ecdsa -tls1_2 -curves secp224r1:secp384r1:brainpoolP256r1", func(t *testing.T, r *Result) {
			same(t, "groups", r.Groups, "secp224r1", "secp384r1", "brainpoolP256r1")
		}},
		"groups of TLS 1.3": {"-cert ecdsa -tls1_3 -groups X448:ffdhe2048 -ciphersuites TLS_AES_128_CCM_8_SHA256:TLS_AES_128_GCM_SHA256", func(t *testing.T, r *Result) {
			same(t, "versions", r.Versions, tls.VersionTLS13)
			same(t, "groups", r.Groups, "x448", "ffdhe2048")
			same(t, "suites", r.Suites[tls.VersionTLS13], tls.TLS_AES_128_GCM_SHA256, 0x1305)
		}},
		"old versions": {"-cert ecdsa -no_tls1_3 -no_tls1_2 -cipher ALL:@SECLEVEL=0", func(t *testing.T, r *Result) {
			same(t, "versions", r.Versions, tls.VersionTLS10, tls.VersionTLS11)
			same(t, "hashes", r.Hashes, "sha1")
		}},
		"anonymous": {"-nocert -tls1_2 -cipher ADH-AES256-SHA:AECDH-AES256-SHA:@SECLEVEL=0", func(t *testing.T, r *Result) {
			same(t, "suites", r.Suites[tls.VersionTLS12], 0x003a, 0xc019)
			if len(r.Hashes) > 0 {
				t.Errorf("hashes %q", r.Hashes)
			}
		}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			at := serveOpenSSL(t, openssl, files, strings.Fields(r.args))
			got := newScanner().All(t.Context(), endpoint, at)
			if got.Err != "" {
				t.Fatal(got.Err)
			}
			r.check(t, got)
		})
	}
}

// leaveOut is for a program that is not there.
func leaveOut(t *testing.T, format string, args ...any) {
	t.Helper()
	what := "left out: " + t.Name() + ": " + fmt.Sprintf(format, args...)
	if os.Getenv("TLSAROLL_E2E") == "require" {
		t.Fatal(what + " (TLSAROLL_E2E=require)")
	}
	t.Skip(what)
}

// serveOpenSSL starts a server that ends with the test.
func serveOpenSSL(t *testing.T, openssl, files string, args []string) netip.AddrPort {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, openssl, append([]string{"s_server", "-accept", "127.0.0.1:0"}, args...)...)
	command.Dir = files
	for i, a := range args {
		if a == "-dhparam" {
			command.Args[5+i] = dhparam(t, openssl, args[i+1])
		}
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var failure strings.Builder
	command.Stderr = &failure
	in, err := command.StdinPipe() // it ends when that does
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		in.Close()
		<-read
		_ = command.Wait()
	})
	address := make(chan string, 1)
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if at, ok := strings.CutPrefix(lines.Text(), "ACCEPT 127.0.0.1:"); ok {
				address <- "127.0.0.1:" + at
			}
		}
		close(address)
	}()
	at, ok := <-address
	if !ok {
		t.Fatalf("openssl %s: %s", strings.Join(command.Args[1:], " "), failure.String())
	}
	return netip.MustParseAddrPort(at)
}

// dhparam makes a file of parameters.
func dhparam(t *testing.T, openssl, group string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), group)
	out, err := exec.CommandContext(t.Context(), openssl, "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:"+group, "-out", name).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	return name
}
