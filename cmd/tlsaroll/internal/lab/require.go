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
		{"nsd", "nsd"},
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
func require(t testing.TB, opts Options) map[string]string {
	t.Helper()
	paths, lacks := lacking(opts, os.Geteuid(), locate)
	if lacks == "" {
		return paths
	}
	if os.Getenv("TLSAROLL_E2E") == "require" {
		t.Fatalf("lab: %s; TLSAROLL_E2E=require forbids leaving it out", lacks)
	}
	t.Skipf("LEFT OUT, a test with real servers: %s", lacks)
	return nil
}

// lacking returns where the programs are and, in words, what the machine lacks.
func lacking(opts Options, euid int, locate func(string) (string, error)) (paths map[string]string, lacks string) {
	paths = map[string]string{}
	var programs, packages, all []string
	for _, need := range requirements(opts) {
		path, err := locate(need.program)
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
	if euid != 0 {
		all = append(all, "not root (hint: it needs ports 25 and 53, loopback addresses and mount namespaces)")
	}
	return paths, strings.Join(all, "; ")
}
