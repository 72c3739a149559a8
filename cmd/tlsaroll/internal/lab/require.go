package lab

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// searchPath is where Debian keeps the servers; a user's PATH may lack sbin.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// postfixDaemons is Debian's daemon_directory.
const postfixDaemons = "/usr/lib/postfix/sbin"

// A requirement is a program or another file, and where it comes from: a package of Debian, or what
// .ci/run builds of a Go module, or takes out of a package that cannot be installed beside another.
type requirement struct {
	program, pkg string
	dir, module  string // in the cache of .ci/run; as go install has it, "": taken out of a package
}

func requirements(opts Options) []requirement {
	var needs []requirement
	debian := func(program, pkg string) {
		if need := (requirement{program: program, pkg: pkg}); !slices.Contains(needs, need) {
			needs = append(needs, need)
		}
	}
	debian("ip", "iproute2")
	debian("kill", "procps")
	debian("xargs", "findutils")
	debian("named", "bind9")
	debian("rndc", "bind9-utils")
	switch opts.Primary {
	case Knot:
		debian("knotd", "knot")
	case PowerDNS:
		debian("pdns_server", "pdns-server")
		debian("pdnsutil", "pdns-server")
		debian(powerDNSSchema, "pdns-backend-sqlite3")
		debian("sqlite3", "sqlite3")
	case BIND: // it is there for the parents anyway
	}
	debian("nsd", "nsd")
	debian("nsd-control", "nsd")
	debian("unbound", "unbound")
	debian("postfix", "postfix")
	debian(postfixDaemons+"/master", "postfix")
	debian("posttls-finger", "postfix")
	if opts.MTAs {
		debian("sendmail", "postfix")
	}
	if opts.MTAs || slices.Contains(opts.Servers, Exim) || slices.Contains(opts.Servers, Sendmail) {
		debian("unshare", "util-linux")
		debian("mount", "mount")
	}
	if opts.MTAs || slices.Contains(opts.Servers, Exim) {
		needs = append(needs, requirement{program: "exim4", dir: "exim4-daemon-light"})
	}
	for _, kind := range opts.Servers {
		switch kind {
		case HAProxy:
			debian("haproxy", "haproxy")
		case Sendmail:
			debian("hostname", "hostname")
			debian("m4", "m4")
			needs = append(needs, requirement{program: "sendmail-mta", dir: "sendmail-bin"})
		case Dovecot, Exim: // above, and below
		}
	}
	if opts.Dovecot || slices.Contains(opts.Servers, Dovecot) {
		debian("dovecot", "dovecot-core")
		debian("doveadm", "dovecot-core")
		debian("/usr/lib/dovecot/imap-login", "dovecot-imapd")
	}
	if opts.Pebble != nil {
		debian("env", "coreutils")
		needs = append(needs, requirement{program: "pebble", dir: "pebble-" + pebbleVersion, module: "github.com/letsencrypt/pebble/v2/cmd/pebble@" + pebbleVersion})
	}
	if opts.Oracles {
		debian("openssl", "openssl")
		debian("ldns-dane", "ldnsutils")
		debian("danetool", "gnutls-bin")
	}
	for _, kind := range opts.Clients {
		switch kind {
		case DebianLego:
			debian("lego", "lego")
		case Certbot:
			debian("certbot", "certbot")
		case Dehydrated:
			debian("dehydrated", "dehydrated")
			debian("curl", "curl")
		case Lego4, Lego5: // Client leaves the test out
		}
		if kind == Certbot || kind == Dehydrated {
			debian("nsupdate", "bind9-dnsutils")
			debian("dig", "bind9-dnsutils")
		}
	}
	return needs
}

// locate finds a program in its directory of the cache of .ci/run, if it has one, else in
// searchPath. Who builds such a program may have it elsewhere in PATH.
func locate(dir, program string) (string, error) {
	if strings.Contains(program, "/") {
		_, err := os.Stat(program)
		return program, err
	}
	if dir != "" {
		if path, err := built(dir, program); err == nil {
			return path, nil
		}
	}
	for dir := range strings.SplitSeq(searchPath, ":") {
		if path, err := exec.LookPath(dir + "/" + program); err == nil {
			return path, nil
		}
	}
	if dir != "" {
		return exec.LookPath(program)
	}
	return "", fmt.Errorf("%s: %w", program, exec.ErrNotFound)
}

// require skips the test, saying what is missing, or fails it where the
// environment has TLSAROLL_E2E=require. It returns where the programs are.
func require(t testing.TB, opts Options, m machine) map[string]string {
	t.Helper()
	paths, lacks := lacking(m, opts)
	if lacks == "" {
		return paths
	}
	if os.Getenv("TLSAROLL_E2E") == "require" {
		t.Fatalf("lab: %s; TLSAROLL_E2E=require forbids leaving it out", lacks)
	}
	t.Skipf("LEFT OUT, a test with real servers: %s", lacks)
	return nil
}

// Lacks is what this machine lacks for tests with real servers, "" if it has all.
func Lacks() string {
	_, lacks := lacking(thisMachine(), Options{Dovecot: true, Pebble: &PebbleOptions{}, Clients: []ClientKind{DebianLego, Certbot, Dehydrated}, Oracles: true},
		Options{Primary: Knot}, Options{Primary: PowerDNS}, Options{MTAs: true, Servers: serverKinds()})
	return lacks
}

// A machine is what a lab needs to know of the one it is to run on.
type machine struct {
	locate   func(dir, program string) (path string, err error)
	euid     int
	profiles string // AppArmor's
}

func thisMachine() machine {
	// Unreadable is like absent: then the servers' own errors have to do.
	profiles, _ := os.ReadFile(appArmorProfiles)
	return machine{locate, os.Geteuid(), string(profiles)}
}

// lacking returns where the programs of labs are and, in words, what the machine lacks.
func lacking(m machine, labs ...Options) (paths map[string]string, lacks string) {
	paths = map[string]string{}
	var needs []requirement
	for _, opts := range labs {
		for _, need := range requirements(opts) {
			if !slices.Contains(needs, need) {
				needs = append(needs, need)
			}
		}
	}
	var programs, packages, all []string
	for _, need := range needs {
		path, err := m.locate(need.dir, need.program)
		if err != nil && need.dir != "" && need.module == "" {
			all = append(all, fmt.Sprintf("no %s (hint: .ci/run unpacks it beside Postfix)", need.program))
			continue
		}
		if err != nil && need.module != "" {
			all = append(all, fmt.Sprintf("no %s (hint: .ci/run builds it, or go install %s)", need.program, need.module))
			continue
		}
		if err != nil {
			programs = append(programs, need.program)
			if !slices.Contains(packages, need.pkg) {
				packages = append(packages, need.pkg)
			}
			continue
		}
		paths[need.program] = path
	}
	if len(programs) > 0 {
		all = append(all, fmt.Sprintf("no %s (hint: apt-get install %s)", strings.Join(programs, ", "), strings.Join(packages, " ")))
	}
	if kept := confined(m.profiles, paths); len(kept) > 0 {
		all = append(all, fmt.Sprintf("AppArmor confines %s (hint: aa-complain %s)", strings.Join(kept, ", "), strings.Join(kept, " ")))
	}
	if m.euid != 0 {
		all = append(all, "not root (hint: it needs ports 25 and 53, loopback addresses and mount namespaces)")
	}
	return paths, strings.Join(all, "; ")
}
