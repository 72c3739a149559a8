package tlsa_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// TestOpenSSL puts the scenarios to another implementation of DANE: OpenSSL's,
// which is Postfix's.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		leaveOut(t, "the scenarios are not put to OpenSSL: %v", err)
	}
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			accepted, depth, output := askOpenSSL(t, openssl, s)
			agrees := accepted == (s.want == "") && (!accepted || depth == s.depth)
			switch {
			case s.openssl == "" && !agrees:
				t.Errorf("OpenSSL accepts: %t at depth %d; want %q at depth %d\n%s", accepted, depth, s.want, s.depth, output)
			case s.openssl != "" && agrees:
				t.Logf("OpenSSL agrees here, though %s", s.openssl)
			}
		})
	}
}

var matchedAt = regexp.MustCompile(`(?m)^DANE TLSA .* at depth (\d+)$`)

func askOpenSSL(t *testing.T, openssl string, s scenario) (accepted bool, depth int, output string) {
	ref := s.reference()
	address := serve(t, s.chain)
	args := []string{
		"s_client", "-connect", address, "-brief", "-verify_return_error",
		"-attime", strconv.FormatInt(ref.Time.Unix(), 10),
		"-dane_tlsa_domain", ref.Names[0], "-dane_ee_no_namechecks",
	}
	for _, a := range s.records {
		if a.Unusable(ref) == nil { // it would give up at a malformed record, not skip it
			args = append(args, "-dane_tlsa_rrdata", a.String())
		}
	}
	if s.pkix.Certificate != nil {
		trusted := filepath.Join(t.TempDir(), "trusted.pem")
		if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.pkix.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-CAfile", trusted)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, openssl, args...).CombinedOutput()
	if err != nil && !bytes.Contains(out, []byte("verify error:")) {
		t.Fatalf("openssl: %v, and not over the certificate\n%s", err, out)
	}
	if m := matchedAt.FindSubmatch(out); m != nil {
		depth, _ = strconv.Atoi(string(m[1]))
	}
	return err == nil, depth, string(out)
}

// serve presents the chain on a loopback address until the test is over.
func serve(t *testing.T, chain []party) string {
	certificate := tls.Certificate{PrivateKey: chain[0].key}
	for _, p := range chain {
		certificate.Certificate = append(certificate.Certificate, p.Raw)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			greet(conn)
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// greet makes the handshake and waits for the client to leave.
func greet(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	conn.Read(make([]byte, 1))
}
