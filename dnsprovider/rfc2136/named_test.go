package rfc2136_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// named is a BIND of our own, on a port of its own.
type named struct {
	address string
	log     *lockedBuffer
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

const zoneFile = `$TTL 3600
@ IN SOA ns1 hostmaster 1 3600 600 86400 300
@ IN NS ns1
ns1 IN A 127.0.0.1
mx IN A 127.0.0.1
`

// needs finds a server's program, or leaves the test out, aloud; with
// TLSAROLL_E2E=require a missing server is a failure.
func needs(t testing.TB, program string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, program)
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

// startNamed starts a primary of the zone. The clauses stand in the zone's block.
func startNamed(t testing.TB, clauses string) *named {
	t.Helper()
	return startBIND(t, fmt.Sprintf(`zone %q { type primary; file "zone"; %s };`, zone, clauses))
}

// hostPort is the server's address as configurations of others want it.
func (n *named) hostPort(t testing.TB) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(n.address)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

func startBIND(t testing.TB, zones string) *named {
	t.Helper()
	program := needs(t, "named")
	dir := t.TempDir()
	port := freePort(t)
	write(t, filepath.Join(dir, "zone"), zoneFile)
	write(t, filepath.Join(dir, "named.conf"), fmt.Sprintf(`
options {
	directory %q; pid-file none; session-keyfile none; lock-file none; managed-keys-directory %q;
	listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };
	recursion no; notify no; dnssec-validation no; minimal-responses yes;
};
controls { };
key %q { algorithm hmac-sha256; secret %q; };
key %q { algorithm hmac-sha256; secret %q; };
%s
`, dir, dir, port, keyName, secret, otherKey, otherText, zones))

	n := &named{address: fmt.Sprintf("127.0.0.1:%d", port), log: new(lockedBuffer)}
	cmd := exec.Command(program, "-g", "-n", "1", "-c", filepath.Join(dir, "named.conf"))
	cmd.Stdout, cmd.Stderr = n.log, n.log
	start(t, cmd)
	n.wait(t)
	return n
}

// start runs a server until the test ends, however that ends.
func start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
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
	})
}

// wait waits until the server answers for the zone.
func (n *named) wait(t testing.TB) {
	t.Helper()
	client := &dns.Client{Net: "tcp", Timeout: time.Second}
	for range 200 {
		m := new(dns.Msg).SetQuestion(zone, dns.TypeSOA)
		if reply, _, err := client.Exchange(m, n.address); err == nil && reply.Authoritative && len(reply.Answer) > 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server does not come up:\n%s", n.log)
}

// freePort finds a port that is free for TCP and UDP on loopback.
func freePort(t testing.TB) int {
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

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// put edits the zone with an update of the library's own making.
func (n *named) put(t testing.TB, owner tlsa.Owner, records ...string) {
	t.Helper()
	m := new(dns.Msg).SetUpdate(zone)
	m.RemoveName([]dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: string(owner)}}})
	n.edit(t, m, owner, records)
}

// seed replaces an RRset and leaves the others at the name.
func (n *named) seed(t testing.TB, owner tlsa.Owner, rrtype uint16, records ...string) {
	t.Helper()
	m := new(dns.Msg).SetUpdate(zone)
	m.RemoveRRset([]dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: string(owner), Rrtype: rrtype}}})
	n.edit(t, m, owner, records)
}

// add adds records without a look at what is there.
func (n *named) add(t testing.TB, owner tlsa.Owner, records ...string) {
	t.Helper()
	n.edit(t, new(dns.Msg).SetUpdate(zone), owner, records)
}

// beside puts a record of any type at any name, beside what is there.
func (n *named) beside(t *testing.T, name, rrtype, rdata string) {
	t.Helper()
	n.add(t, tlsa.Owner(name), "3600 IN "+rrtype+" "+rdata)
	if rrtype == "NS" {
		return // a delegation, which no server answers with authority for
	}
	for range 200 {
		if len(n.rdata(t, name, rrtype)) > 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the %s record at %s is not seen:\n%s", rrtype, name, n.log)
}

// rdata asks the server without a key for the RDATA of a type at a name.
func (n *named) rdata(t *testing.T, name, rrtype string) (found []string) {
	t.Helper()
	client := &dns.Client{Net: "tcp", Timeout: 5 * time.Second}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, dns.StringToType[rrtype]), n.address)
	if err != nil {
		t.Fatal(err)
	}
	for _, rr := range reply.Answer {
		if rr.Header().Rrtype == dns.StringToType[rrtype] && dns.CanonicalName(rr.Header().Name) == name {
			found = append(found, strings.TrimPrefix(rr.String(), rr.Header().String()))
		}
	}
	return found
}

func (n *named) edit(t testing.TB, m *dns.Msg, owner tlsa.Owner, records []string) {
	t.Helper()
	for _, r := range records {
		rr, err := dns.NewRR(string(owner) + " " + r)
		if err != nil {
			t.Fatal(err)
		}
		m.Insert([]dns.RR{rr})
	}
	m.SetTsig(keyName, dns.HmacSHA256, 300, time.Now().Unix())
	client := &dns.Client{Net: "tcp", Timeout: 5 * time.Second, TsigSecret: map[string]string{keyName: secret}}
	reply, _, err := client.Exchange(m, n.address)
	if err != nil || reply.Rcode != dns.RcodeSuccess {
		t.Fatalf("editing %s: %v %v\n%s", owner, err, reply, n.log)
	}
}

// stands asks the server without a key.
func (n *named) stands(t testing.TB, owner tlsa.Owner) tlsa.RRset {
	t.Helper()
	client := &dns.Client{Net: "tcp", Timeout: 5 * time.Second}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(string(owner), dns.TypeTLSA), n.address)
	if err != nil {
		t.Fatal(err)
	}
	rrset := tlsa.RRset{}
	for _, rr := range reply.Answer {
		if r, ok := rr.(*dns.TLSA); ok {
			rrset = rrset.With(tlsa.Association{
				Params: tlsa.Params{Usage: tlsa.Usage(r.Usage), Selector: tlsa.Selector(r.Selector), Matching: tlsa.MatchingType(r.MatchingType)},
				Data:   strings.ToLower(r.Certificate),
			})
			rrset.TTL = time.Duration(r.Hdr.Ttl) * time.Second
		}
	}
	return rrset
}

// settle waits until an edit is seen: a zone that is signed at a side shows it late.
// The edits of the suite differ in how many records they leave.
func (n *named) settle(t testing.TB, owner tlsa.Owner, rrtype uint16, count int) {
	t.Helper()
	client := &dns.Client{Net: "tcp", Timeout: 5 * time.Second}
	for range 200 {
		reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(string(owner), dns.TypeTLSA), n.address)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, rr := range reply.Answer {
			if rr.Header().Rrtype == rrtype && dns.CanonicalName(rr.Header().Name) == string(owner) {
				seen++
			}
		}
		if seen == count {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the edit of %s is not seen:\n%s", owner, n.log)
}
