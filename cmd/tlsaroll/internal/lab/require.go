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

type requirement struct{ program, pkg string }

func requirements(opts Options) []requirement {
	needs := []requirement{
		{"ip", "iproute2"},
		{"kill", "procps"},
		{"xargs", "findutils"},
		{"named", "bind9"},
		{"rndc", "bind9-utils"},
		{"nsd", "nsd"},
		{"nsd-control", "nsd"},
		{"unbound", "unbound"},
		{"postfix", "postfix"},
		{postfixDaemons + "/master", "postfix"},
		{"posttls-finger", "postfix"},
	}
	if opts.Dovecot {
		needs = append(needs, requirement{"dovecot", "dovecot-core"}, requirement{"doveadm", "dovecot-core"},
			requirement{"/usr/lib/dovecot/imap-login", "dovecot-imapd"})
	}
	return needs
}

// locate finds a program in searchPath.
func locate(program string) (string, error) {
	if strings.Contains(program, "/") {
		return exec.LookPath(program)
	}
	for dir := range strings.SplitSeq(searchPath, ":") {
		if path, err := exec.LookPath(dir + "/" + program); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", program, exec.ErrNotFound)
}

// require skips the test, saying what is missing, or fails it where the
// environment has TLSAROLL_E2E=require. It returns where the programs are.
func require(t testing.TB, opts Options, m machine) map[string]string {
	t.Helper()
	paths, lacks := lacking(opts, m)
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
	_, lacks := lacking(Options{Dovecot: true}, thisMachine())
	return lacks
}

// A machine is what a lab needs to know of the one it is to run on.
type machine struct {
	locate   func(program string) (path string, err error)
	euid     int
	profiles string // AppArmor's
}

func thisMachine() machine {
	// Unreadable is like absent: then the servers' own errors have to do.
	profiles, _ := os.ReadFile(appArmorProfiles)
	return machine{locate, os.Geteuid(), string(profiles)}
}

// lacking returns where the programs are and, in words, what the machine lacks.
func lacking(opts Options, m machine) (paths map[string]string, lacks string) {
	paths = map[string]string{}
	var programs, packages, all []string
	for _, need := range requirements(opts) {
		path, err := m.locate(need.program)
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
