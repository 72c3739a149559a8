//go:build gsstsig

package rfc2136_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
)

const (
	realmName   = "EXAMPLE.ORG"
	account     = "tlsaroll@EXAMPLE.ORG"
	dnsService  = "DNS/ns1.example.org"
	otherSystem = "DNS/ns2.example.org" // a service that no server of the tests is
)

// realm is a KDC of our own, on a port of its own, with a keytab for the updates and one
// for the name server.
type realm struct {
	t         testing.TB
	dir, conf string
	address   string
	env       []string
	keytab    string // of account, which is in each realm
	stop      func()
	log       *lockedBuffer
}

// startRealm makes a realm. All that MIT's programs write is in a directory of the test.
func startRealm(t testing.TB) *realm {
	t.Helper()
	return startRealmOf(t, realmName)
}

func startRealmOf(t testing.TB, name string) *realm {
	t.Helper()
	for _, program := range []string{"krb5kdc", "kdb5_util", "kadmin.local", "named"} {
		needs(t, program)
	}
	dir := t.TempDir()
	r := &realm{t: t, dir: dir, conf: filepath.Join(dir, "krb5.conf"), address: fmt.Sprintf("127.0.0.1:%d", freePort(t)), log: new(lockedBuffer)}
	r.keytab = r.path("account.keytab")
	r.env = append(os.Environ(), "KRB5_CONFIG="+r.conf, "KRB5_KDC_PROFILE="+r.path("kdc.conf"),
		"KRB5RCACHEDIR="+dir, "KRB5CCNAME=FILE:"+r.path("tickets"), "KRB5_KTNAME=FILE:"+r.path("none.keytab"))
	write(t, r.conf, fmt.Sprintf(`[libdefaults]
	default_realm = %s
	dns_lookup_kdc = false
	dns_canonicalize_hostname = false
	allow_weak_crypto = true
[realms]
	%s = {
		kdc = %s
	}
`, name, name, r.address))
	write(t, r.path("kdc.conf"), fmt.Sprintf(`[kdcdefaults]
	kdc_listen = %s
	kdc_tcp_listen = %s
[realms]
	%s = {
		database_name = %s
		key_stash_file = %s
		supported_enctypes = aes256-cts:normal aes128-cts:normal
		max_life = 10h
		default_principal_flags = +preauth
	}
[logging]
	kdc = STDERR
`, r.address, r.address, name, r.path("principals"), r.path("stash")))
	r.run("kdb5_util", "", "create", "-s", "-P", password)
	r.admin("addprinc -randkey tlsaroll", "addprinc -randkey "+dnsService, "addprinc -randkey "+otherSystem,
		"ktadd -k "+r.keytab+" tlsaroll", "ktadd -k "+r.path("server.keytab")+" "+dnsService)
	r.start()
	return r
}

func (r *realm) path(name string) string { return filepath.Join(r.dir, name) }

// run runs a program of MIT's and returns what it says.
func (r *realm) run(program, input string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command(needs(r.t, program), args...)
	cmd.Env, cmd.Stdin = r.env, strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

// admin changes the principals.
func (r *realm) admin(commands ...string) {
	r.t.Helper()
	out := r.run("kadmin.local", strings.Join(commands, "\n")+"\n")
	if strings.Contains(out, "kadmin.local:  kadmin") || strings.Contains(out, "while ") {
		r.t.Fatalf("kadmin.local: %s", out)
	}
}

// start starts the KDC and waits until it answers.
func (r *realm) start() {
	r.t.Helper()
	cmd := exec.Command(needs(r.t, "krb5kdc"), "-n")
	cmd.Env, cmd.Stdout, cmd.Stderr = r.env, r.log, r.log
	r.stop = launch(r.t, cmd)
	for range 200 {
		if conn, err := net.Dial("tcp", r.address); err == nil {
			conn.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.t.Fatalf("the KDC does not come up:\n%s", r.log)
}

// launch starts a server that can be stopped before the test ends.
func launch(t testing.TB, cmd *exec.Cmd) (stop func()) {
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
	stop = func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-gone
		}
	}
	t.Cleanup(stop)
	return stop
}

// member is a name server of the realm.
type member struct {
	*named
	realm *realm
	conf  string
	stop  func()
}

// tlsaOnly gives the account rights to what it needs, and a key of TSIG to what tests edit.
const tlsaOnly = `update-policy { grant "` + account + `" zonesub TLSA TXT; grant ` + keyName + ` zonesub ANY; };`

// startMember starts a primary of the zone with the server's keytab.
func (r *realm) startMember(clauses string) *member {
	r.t.Helper()
	dir := r.t.TempDir()
	port := freePort(r.t)
	m := &member{named: &named{address: fmt.Sprintf("127.0.0.1:%d", port), log: new(lockedBuffer)}, realm: r, conf: filepath.Join(dir, "named.conf")}
	write(r.t, filepath.Join(dir, "zone"), zoneFile)
	write(r.t, m.conf, fmt.Sprintf(`
options {
	directory %q; pid-file none; session-keyfile none; lock-file none; managed-keys-directory %q;
	listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };
	recursion no; notify no; dnssec-validation no; minimal-responses yes;
	tkey-gssapi-keytab %q;
};
controls { };
key %q { algorithm hmac-sha256; secret %q; };
zone %q { type primary; file "zone"; %s };
`, dir, dir, port, r.path("server.keytab"), keyName, secret, zone, clauses))
	m.start()
	return m
}

func (m *member) start() {
	m.realm.t.Helper()
	cmd := exec.Command(needs(m.realm.t, "named"), "-g", "-n", "1", "-c", m.conf)
	cmd.Env, cmd.Stdout, cmd.Stderr = m.realm.env, m.log, m.log
	m.stop = launch(m.realm.t, cmd)
	m.wait(m.realm.t)
}

// restart makes the server forget all keys that were negotiated.
func (m *member) restart() {
	m.realm.t.Helper()
	m.stop()
	// Told to end, BIND writes them down, and takes them up again.
	kept, err := filepath.Glob(filepath.Join(filepath.Dir(m.conf), "*.tsigkeys"))
	if err != nil || len(kept) == 0 {
		m.realm.t.Fatalf("no file with keys: %v", err)
	}
	for _, file := range kept {
		if err := os.Remove(file); err != nil {
			m.realm.t.Fatal(err)
		}
	}
	m.start()
}

// settings are the provider's for a server of the realm.
func (r *realm) settings(c *rfc2136.Config) {
	c.KeyName, c.Secret = "", rfc2136.Secret{}
	c.GSS = &rfc2136.GSS{Keytab: r.keytab, Principal: account, Service: dnsService, Krb5Conf: r.conf}
}

// config is for a server at the address, which may be a proxy's.
func (r *realm) config(address string) rfc2136.Config {
	c := config(&server{address: address})
	c.Timeout, c.ReadBack = 10*time.Second, time.Second
	r.settings(&c)
	return c
}

// secrets are the keys in a keytab, in the forms in which they could get into a text.
func (r *realm) secrets(path string) (secrets []string) {
	r.t.Helper()
	kt, err := keytab.Load(path)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range kt.Entries {
		k := e.Key.KeyValue
		secrets = append(secrets, hex.EncodeToString(k), base64.StdEncoding.EncodeToString(k), string(k), fmt.Sprint(k))
	}
	if len(secrets) == 0 {
		r.t.Fatal("a keytab without keys")
	}
	return secrets
}
