package lab

import (
	"fmt"
	"os"
	"os/exec"
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
	paths := map[string]string{}
	var missing, packages []string
	for _, need := range requirements(opts) {
		path, err := locate(need.program)
		if err != nil {
			missing = append(missing, need.program)
			packages = append(packages, need.pkg)
			continue
		}
		paths[need.program] = path
	}
	var lacks []string
	if len(missing) > 0 {
		lacks = append(lacks, fmt.Sprintf("no %s (hint: apt-get install %s)",
			strings.Join(missing, ", "), strings.Join(distinct(packages), " ")))
	}
	if os.Geteuid() != 0 {
		lacks = append(lacks, "not root (hint: the lab needs ports 25 and 53, loopback addresses and mount namespaces)")
	}
	if len(lacks) == 0 {
		return paths
	}
	why := "LEFT OUT, no real servers: " + strings.Join(lacks, "; ")
	if os.Getenv("TLSAROLL_E2E") == "require" {
		t.Fatalf("%s; TLSAROLL_E2E=require forbids leaving it out", why)
	}
	t.Skip(why)
	return nil
}

func distinct(in []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range in {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
