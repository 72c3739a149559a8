package exec_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// needs finds a program, or leaves the test out, aloud; with TLSAROLL_E2E=require a missing
// one is a failure.
func needs(t *testing.T, program string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, program)
		if filepath.IsAbs(program) {
			path = program
		}
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path
		}
	}
	if os.Getenv("TLSAROLL_E2E") == "require" {
		t.Fatalf("%s is not installed, and TLSAROLL_E2E=require", program)
	}
	t.Skipf("LEFT OUT: %s is not installed", program)
	return ""
}

// example is a script of the examples.
func example(t *testing.T, name string) string {
	t.Helper()
	needs(t, "/usr/bin/python3") // as its first line has it
	path, err := filepath.Abs(filepath.Join("../../examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a server until the test ends, however that ends.
func start(t *testing.T, program string, args ...string) *lockedBuffer {
	t.Helper()
	log := new(lockedBuffer)
	cmd := osexec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		cmd.Wait()
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-gone
		}
		if t.Failed() {
			t.Logf("%s says\n%s", program, log)
		}
	})
	return log
}

// call runs a program and returns what it prints.
func call(t *testing.T, stdin string, argv ...string) string {
	t.Helper()
	cmd := osexec.Command(argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", argv, err, out)
	}
	return string(out)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freePort finds a port that is free for TCP and UDP on loopback.
func freePort(t *testing.T) int {
	t.Helper()
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := tcp.Addr().(*net.TCPAddr).Port
		udp, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		tcp.Close()
		if err != nil {
			continue
		}
		udp.Close()
		return port
	}
	t.Fatal("no free port")
	return 0
}

// ask asks a server, with DNSSEC.
func ask(t *testing.T, server, name string, qtype uint16) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, qtype)
	m.SetEdns0(4096, true)
	client := &dns.Client{Net: "tcp", Timeout: 5 * time.Second}
	var err error
	for range 100 { // it may be about to start
		var reply *dns.Msg
		if reply, _, err = client.Exchange(m, server); err == nil && (reply.Rcode == dns.RcodeSuccess || reply.Rcode == dns.RcodeNameError) {
			return reply
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s: %v", name, err)
	return nil
}

// served is the RRset that a server gives, and the signatures that are missing are an error.
func served(t *testing.T, server string, owner tlsa.Owner) tlsa.RRset {
	t.Helper()
	reply := ask(t, server, string(owner), dns.TypeTLSA)
	rrset := tlsa.RRset{}
	signed := false
	for _, rr := range reply.Answer {
		switch rr := rr.(type) {
		case *dns.TLSA:
			a, err := tlsa.ParseAssociation(fmt.Sprintf("%d %d %d %s", rr.Usage, rr.Selector, rr.MatchingType, rr.Certificate))
			if err != nil {
				t.Fatal(err)
			}
			rrset = rrset.With(a)
			rrset.TTL = time.Duration(rr.Hdr.Ttl) * time.Second
		case *dns.RRSIG:
			signed = signed || rr.TypeCovered == dns.TypeTLSA
		}
	}
	if !rrset.Denial() && !signed {
		t.Errorf("%s is served without a signature", owner)
	}
	return rrset
}

// serial is the zone's at a server.
func serial(t *testing.T, server string) uint32 {
	t.Helper()
	for _, rr := range ask(t, server, zone, dns.TypeSOA).Answer {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa.Serial
		}
	}
	t.Fatal("no SOA")
	return 0
}

// interposed puts a script before a command, for what happens beside it: while there is a
// file lose, what the command prints is lost; while there is a pipe begun, it says there
// that it has begun, and waits at the pipe go.
func interposed(t *testing.T, dir string, argv ...string) (command []string, lose func(), meanwhile func(edit func())) {
	t.Helper()
	script := filepath.Join(dir, "interposed")
	write(t, script, `dir=$1; shift
if [ -p "$dir/begun" ]; then echo begun >"$dir/begun"; read -r go <"$dir/go"; rm "$dir/begun" "$dir/go"; fi
if [ -e "$dir/lose" ]; then rm "$dir/lose"; "$@" >/dev/null; exit 1; fi
exec "$@"
`)
	lose = func() { write(t, filepath.Join(dir, "lose"), "") }
	meanwhile = func(edit func()) {
		begun, goOn := filepath.Join(dir, "begun"), filepath.Join(dir, "go")
		for _, pipe := range []string{begun, goOn} {
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := os.ReadFile(begun); err != nil {
				t.Error(err)
			}
			edit()
			if err := os.WriteFile(goOn, []byte("go\n"), 0o600); err != nil {
				t.Error(err)
			}
		})
		t.Cleanup(wg.Wait)
	}
	return append([]string{"/bin/sh", script, dir}, argv...), lose, meanwhile
}
