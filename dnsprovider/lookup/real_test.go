package lookup_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

// A realWorld is BIND with a root of its own and zones of every kind, NSD with
// copies of some of them, and a validating Unbound, on loopback.
type realWorld struct {
	t         *testing.T
	dir       string
	port      uint16
	bind, nsd netip.Addr
	resolver  netip.AddrPort
	zones     []string // with their files, "zone=file"
}

// needs finds a server's program or leaves the test out, aloud; with
// TLSAROLL_E2E=require a missing one is a failure.
func needs(t *testing.T, program string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, program)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	if os.Getenv("TLSAROLL_E2E") == "require" {
		t.Fatalf("%s is not installed, and TLSAROLL_E2E=require", program)
	}
	t.Skipf("LEFT OUT: %s is not installed", program)
	return ""
}

func newRealWorld(t *testing.T) *realWorld {
	t.Helper()
	for _, p := range []string{"named", "nsd", "unbound", "dnssec-keygen", "dnssec-signzone"} {
		needs(t, p)
	}
	w := &realWorld{t: t, dir: t.TempDir(), bind: netip.MustParseAddr("127.0.0.1"), nsd: netip.MustParseAddr("127.83.17.2")}
	// BIND listens only where an interface has the address; the others listen anywhere in 127/8.
	w.port = w.freePort()
	w.resolver = netip.AddrPortFrom(netip.MustParseAddr("127.83.17.3"), w.port)
	return w
}

// freePort finds a port that is free for both transports at all three addresses.
func (w *realWorld) freePort() uint16 {
	w.t.Helper()
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			w.t.Fatal(err)
		}
		port := netip.MustParseAddrPort(l.Addr().String()).Port()
		l.Close()
		free := true
		for _, host := range []string{"127.0.0.1", "127.83.17.2", "127.83.17.3"} {
			addr := net.JoinHostPort(host, fmt.Sprint(port))
			pc, err := net.ListenPacket("udp", addr)
			if err != nil {
				free = false
				break
			}
			pc.Close()
			if l, err = net.Listen("tcp", addr); err != nil {
				free = false
				break
			}
			l.Close()
		}
		if free {
			return port
		}
	}
	w.t.Fatal("no port is free on 127.0.0.1 and in 127.83.17.0/24")
	return 0
}

func (w *realWorld) run(program string, args ...string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, needs(w.t, program), args...)
	cmd.Dir = w.dir
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

func (w *realWorld) write(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *realWorld) read(name string) string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

// zone writes a zone's file; the DS records of the zones below are put in.
func (w *realWorld) zone(name, text string, below ...string) {
	w.t.Helper()
	for _, child := range below {
		text += w.read("dsset-" + child)
	}
	file := "zone-" + strings.Trim(name, ".") + "."
	w.write(file, "$TTL 300\n@ SOA ns.lab. hostmaster.lab. 1 3600 600 86400 60\n"+text)
	w.zones = append(w.zones, name+"="+file)
}

// sign signs a zone's file with a new key.
func (w *realWorld) sign(name string, args ...string) {
	w.t.Helper()
	w.run("dnssec-keygen", "-q", "-K", w.dir, "-a", "ECDSAP256SHA256", "-f", "KSK", name)
	file := "zone-" + strings.Trim(name, ".") + "."
	w.run("dnssec-signzone", append(append([]string{"-q", "-S", "-z", "-K", w.dir, "-d", w.dir, "-o", name, "-f", file + "signed"}, args...), file)...)
	for i, z := range w.zones {
		if z == name+"="+file {
			w.zones[i] += "signed"
		}
	}
}

// start runs a server until the test ends.
func (w *realWorld) start(program string, args ...string) {
	w.t.Helper()
	log, err := os.Create(filepath.Join(w.dir, program+".log"))
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(needs(w.t, program), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // NSD forks
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		stopped := time.AfterFunc(5*time.Second, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		stopped.Stop()
		log.Close()
		if w.t.Failed() {
			w.t.Logf("%s:\n%s", program, w.read(program+".log"))
		}
	})
}

// await waits until a server answers for a zone.
func (w *realWorld) await(server netip.AddrPort, zone string) {
	w.t.Helper()
	m := new(dns.Msg).SetQuestion(zone, dns.TypeSOA)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		r, err := dns.Exchange(m, server.String())
		if err == nil && r.Rcode == dns.RcodeSuccess && len(r.Answer) > 0 {
			return
		}
	}
	w.t.Fatalf("%s does not answer for %s", server, zone)
}

// startAll starts BIND with all zones, NSD with those named, and Unbound.
func (w *realWorld) startAll(secondary ...string) {
	w.t.Helper()
	var named, nsd, stubs strings.Builder
	for _, z := range w.zones {
		name, file, _ := strings.Cut(z, "=")
		fmt.Fprintf(&named, "zone %q { type primary; file %q; };\n", name, file)
		fmt.Fprintf(&stubs, "stub-zone:\n name: %q\n stub-addr: %s@%d\n stub-prime: no\n", name, w.bind, w.port)
	}
	for _, z := range secondary {
		name, file, _ := strings.Cut(z, "=")
		fmt.Fprintf(&nsd, "zone:\n name: %q\n zonefile: %q\n", name, file)
	}
	w.write("named.conf", fmt.Sprintf(`options {
	directory %q; managed-keys-directory %q; pid-file none; session-keyfile none; lock-file none;
	listen-on port %d { %s; }; listen-on-v6 { none; };
	recursion no; notify no; dnssec-validation no; minimal-responses yes;
};
controls { };
%s`, w.dir, w.dir, w.port, w.bind, &named))
	w.write("nsd.conf", fmt.Sprintf("server:\n ip-address: %s@%d\n zonesdir: %q\n database: \"\"\n pidfile: \"\"\n xfrdfile: \"\"\n zonelistfile: %q\n xfrdir: %q\n username: \"\"\n server-count: 1\n rrl-ratelimit: 0\nremote-control:\n control-enable: no\n%s",
		w.nsd, w.port, w.dir, filepath.Join(w.dir, "zone.list"), w.dir, &nsd))
	w.write("unbound.conf", fmt.Sprintf("server:\n interface: %s\n port: %d\n directory: %q\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n use-syslog: no\n logfile: \"\"\n do-not-query-localhost: no\n access-control: 127.0.0.0/8 allow\n do-ip6: no\n trust-anchor-file: %q\n aggressive-nsec: no\n cache-max-negative-ttl: 0\n%s",
		w.resolver.Addr(), w.resolver.Port(), w.dir, filepath.Join(w.dir, "dsset-."), &stubs))
	w.start("named", "-g", "-n", "1", "-c", filepath.Join(w.dir, "named.conf"))
	w.start("nsd", "-d", "-c", filepath.Join(w.dir, "nsd.conf"))
	w.await(netip.AddrPortFrom(w.bind, w.port), ".")
	if len(secondary) > 0 {
		name, _, _ := strings.Cut(secondary[0], "=")
		w.await(netip.AddrPortFrom(w.nsd, w.port), name)
	}
	w.start("unbound", "-d", "-c", filepath.Join(w.dir, "unbound.conf"))
	w.await(w.resolver, ".")
}

func (w *realWorld) pass(timeout time.Duration, zones ...string) *lookup.Pass {
	w.t.Helper()
	c, err := lookup.New(lookup.Config{Resolver: w.resolver, Now: time.Now, Port: w.port, Timeout: timeout})
	if err != nil {
		w.t.Fatal(err)
	}
	private := map[string]lookup.Zone{}
	for _, z := range zones {
		private[z] = lookup.Zone{Private: true}
	}
	return c.NewPass(private)
}
