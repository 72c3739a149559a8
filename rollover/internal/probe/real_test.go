package probe

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// startable gives a directory for a real server's configuration. Without the programs, or
// without the rights to start them, the test is left out, and says so; where
// TLSAROLL_E2E is "require" that is a failure.
func startable(t *testing.T, programs ...string) (dir string) {
	t.Helper()
	leaveOut := t.Skipf
	if os.Getenv("TLSAROLL_E2E") == "require" {
		leaveOut = t.Fatalf
	}
	if os.Geteuid() != 0 {
		leaveOut("LEFT OUT: %s can be started by root only", strings.Join(programs, ", "))
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			leaveOut("LEFT OUT: %v", err)
		}
	}
	dir, err := os.MkdirTemp("", "tlsaroll-probe-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the servers drop their rights
		t.Fatal(err)
	}
	return dir
}

// run starts a server, waits until it says in its log that it is ready, and ends it
// with the test. What it logged is shown if the test fails.
func run(t *testing.T, log, ready, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := os.Create(filepath.Join(filepath.Dir(log), "out"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait(); out.Close() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			t.Errorf("%s did not end: %v", program, <-ended)
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left of its process group
		if t.Failed() {
			t.Logf("%s said:\n%s%s", program, read(out.Name()), read(log))
		}
	})
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(read(log), ready); time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v", program, err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not start", program)
		}
	}
}

// read reads a log, which may not be there yet.
func read(name string) string {
	b, _ := os.ReadFile(name)
	return string(b)
}

// freePorts finds free ports, at a loopback address where nobody else looks for any.
func freePorts(t *testing.T, n int) (ports []netip.AddrPort) {
	t.Helper()
	pid := os.Getpid()
	host := netip.AddrFrom4([4]byte{127, 1 + byte(pid>>16), byte(pid >> 8), 1 + byte(pid)%254})
	for range n {
		l, err := net.Listen("tcp", netip.AddrPortFrom(host, 0).String())
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // all are held until all are found
		ports = append(ports, netip.MustParseAddrPort(l.Addr().String()))
	}
	return ports
}

// write writes a file of the server's, with every DIR in it replaced.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writePair writes a certificate with its key before it, as Postfix wants them.
func writePair(t *testing.T, dir, name string, c tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})...)
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func all(o Outcome) (want []string) {
	for _, offer := range []string{"SNI", "SNI, rsa only", "SNI, ecdsa only", "no SNI", "no SNI, rsa only", "no SNI, ecdsa only"} {
		want = append(want, offer+": "+string(o))
	}
	return want
}

func compare(t *testing.T, p *Prober, url string, addr netip.AddrPort, want []string, wantErr string) {
	t.Helper()
	e := must(ParseURL(url))
	got := p.Address(t.Context(), e, addr)
	if diff := cmp.Diff(want, told(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if want := e.String() + " at " + addr.String() + ": " + wantErr; wantErr == "" && got[0].Err != nil || wantErr != "" && (got[0].Err == nil || got[0].Err.Error() != want) {
		t.Errorf("got error\n %v, want\n %s", got[0].Err, want)
	}
}
