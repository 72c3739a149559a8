package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// newcomer is who installs tlsaroll on a Debian with nothing but its mail server and lego's
// files, in a root directory of its own. The zone is elsewhere: BIND and NSD are the lab's.
type newcomer struct {
	*host
	root string
	page netip.AddrPort
}

// TestFirstDay is an administrator's: install the package, init, run, a rollover while mail
// comes in, a look at the page, and all away again.
func TestFirstDay(t *testing.T) {
	t.Parallel()
	root := lab.DebianRoot(t)
	h := &host{Lab: lab.Start(t, lab.Options{TTL: exampleTTL, Resolvers: 2}), t: t, now: time.Now}
	t.Cleanup(h.checkSecrets)
	n := &newcomer{host: h, root: root, page: netip.AddrPortFrom(h.Spare(t), 9253)}
	n.settlesIn()

	before := n.files()
	n.installs()
	n.configures()
	d := n.starts("/usr/bin/tlsaroll", "run")
	n.until(20*time.Second, "adopted", live(h.Live))
	n.only(lab.Owner(25), h.Live.TLSA(t, tlsa.EE))

	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	n.renews(next)
	n.until(60*time.Second, "renewed", func(s rollover.LineageStatus) bool { return live(next)(s) && s.Phase == rollover.Steady })
	n.unharmed(hammer, 20)
	n.only(lab.Owner(25), next.TLSA(t, tlsa.EE))
	n.looks()

	d.Signal(t, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if code, err := d.Wait(ctx); code != 0 || err != nil {
		t.Errorf("the daemon ends with %d, %v\n%s", code, err, d)
	}
	n.leaves(before)
}

// settlesIn has Debian's Postfix, set up as it is when it is installed, serve what lego got, in
// the place of the lab's.
func (n *newcomer) settlesIn() {
	n.t.Helper()
	n.Stop(n.t, "postfix")
	n.put("etc/resolv.conf", "nameserver "+n.Resolver.Addr().String()+"\n")
	n.put("etc/mailname", lab.Host+"\n")
	n.put("etc/hosts", "127.0.0.1 localhost\n"+n.MX.String()+" "+lab.Host+" mx1\n")
	n.put("root/tlsaroll.key", "key \""+n.Key(lab.Domain).Name+"\" {\n\talgorithm hmac-sha256;\n\tsecret \""+strings.TrimSpace(n.read(n.Key(lab.Domain).SecretFile))+"\";\n};\n")
	n.renews(n.Live)
	for _, setting := range []string{
		"myhostname = " + lab.Host, "inet_interfaces = " + n.MX.String(), "inet_protocols = ipv4", "maillog_file = /var/log/mail.log",
		"smtpd_tls_cert_file = /var/lib/lego/certificates/" + lab.Host + ".crt", "smtpd_tls_key_file = /var/lib/lego/certificates/" + lab.Host + ".key",
	} {
		n.does("postconf -e '" + setting + "'")
	}
	n.does("postfix check")
	n.starts("/usr/lib/postfix/sbin/master", "-d") // postfix start-fg leaves the process group, and with it whoever ends it
	n.greeted()
}

// greeted waits until Postfix takes connections.
func (n *newcomer) greeted() {
	n.t.Helper()
	for end := time.Now().Add(patience * 20 * time.Second); ; time.Sleep(pollTests) {
		h := n.Finger(0, lab.Host, 25)
		if h.Outcome == lab.Verified {
			return
		}
		if time.Now().After(end) {
			n.t.Fatalf("Postfix: %s\n%s", h.Output, n.does("tail -n 30 /var/log/mail.log"))
		}
	}
}

// installs installs the package.
func (n *newcomer) installs() {
	n.t.Helper()
	deb := debianPackage(n.t)
	n.put("root/tlsaroll.deb", n.read(deb))
	if out := n.does("dpkg -i /root/tlsaroll.deb"); !strings.Contains(out, "tlsaroll: nothing runs yet (hint: tlsaroll init, ") {
		n.t.Errorf("installed: %s", out)
	}
}

// configures writes the configuration with init alone, and does by hand what that says.
func (n *newcomer) configures() {
	n.t.Helper()
	said := n.does("tlsaroll init --yes --tsig /root/tlsaroll.key")
	if err := os.Remove(n.at("root/tlsaroll.key")); err != nil {
		n.t.Fatal(err)
	}
	steps, _, _ := strings.Cut(said, "the plan, as")
	for _, m := range stepLine.FindAllStringSubmatch(steps, -1) {
		if !strings.HasPrefix(m[1], "#") {
			n.does(m[1])
		}
	}
	// No wait of the test's is as long as the real ones, and ports are shared with others.
	file := n.at("etc/tlsaroll/tlsaroll.yaml")
	n.write(file, replaced(n.t, n.read(file),
		aReplacement{"state: /var/lib/tlsaroll ", "timing: " + exampleTiming + "\nstate: /var/lib/tlsaroll "},
		aReplacement{"listen: 127.0.0.1:9253 ", "listen: " + n.page.String() + " "}))
	n.does("tlsaroll check")
	if out := n.does("tlsaroll adopt --dry-run mx1"); !strings.Contains(out, "  ours     "+lab.Owner(25)+" "+n.Live.TLSA(n.t, tlsa.EE)+"\n") {
		n.t.Errorf("adopt --dry-run: %s", out)
	}
}

// looks looks at all that tells of the rollover.
func (n *newcomer) looks() {
	n.t.Helper()
	for path, want := range map[string]string{"/": "mx1", "/metrics": `tlsaroll_swaps_total{lineage="mx1",result="ok"} 1`, "/readyz": ""} {
		code, text := n.get(path)
		if code != http.StatusOK || !strings.Contains(text, want) {
			n.t.Errorf("GET %s: %d, without %q\n%s", path, code, want, text)
		}
	}
	for command, want := range map[string]string{"tlsaroll status": "mx1", "tlsaroll history": "is live", "tlsaroll plan --exit-code": "mx1", "tlsaroll adopt --dry-run mx1": "mx1: has taken over what is in service\n"} {
		if out := n.does(command); !strings.Contains(out, want) {
			n.t.Errorf("%s says nothing of %q:\n%s", command, want, out)
		}
	}
}

func (n *newcomer) get(path string) (code int, text string) {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, "http://"+n.page.String()+path, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// leaves removes the package, then purges it, and wants nothing left but what a person wrote
// at first, and then but the state, the secret and what Postfix reads, with the one before.
func (n *newcomer) leaves(before []string) {
	n.t.Helper()
	const theirs = `etc/tlsaroll/|etc/tlsaroll/tsig\.secret|var/lib/tlsaroll/.*|etc/postfix/tls/|etc/postfix/tls/mx1\.pem(\.previous)?|root/tlsaroll\.deb`
	for _, step := range []struct{ command, stays string }{{"dpkg -r tlsaroll", theirs + `|etc/tlsaroll/tlsaroll\.yaml`}, {"dpkg -P tlsaroll", theirs}} {
		out := n.does(step.command)
		stays := regexp.MustCompile("^(" + step.stays + ")$")
		for _, name := range n.files() {
			if !slices.Contains(before, name) && !stays.MatchString(name) {
				n.t.Errorf("%s leaves %s\n%s", step.command, name, out)
			}
		}
	}
	for _, name := range []string{"etc/tlsaroll/tsig.secret", "var/lib/tlsaroll/journal.db", "etc/postfix/tls/mx1.pem"} {
		if !slices.Contains(n.files(), name) {
			n.t.Errorf("%s is gone, and nobody else has it", name)
		}
	}
	if h := n.Finger(0, lab.Host, 25); h.Outcome != lab.Verified {
		n.t.Errorf("without the package mail does not come in: %s", h.Output)
	}
}

// until waits until status says something.
func (n *newcomer) until(limit time.Duration, what string, want func(rollover.LineageStatus) bool) {
	n.t.Helper()
	for end := time.Now().Add(patience * limit); ; time.Sleep(pollTests) {
		var s rollover.Status
		text := n.does("tlsaroll status --json")
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			n.t.Fatalf("status --json: %v\n%s", err, text)
		}
		if len(s.Lineages) == 1 && want(s.Lineages[0]) {
			return
		}
		if time.Now().After(end) {
			n.t.Fatalf("not %s after %s:\n%s", what, limit, n.does("tlsaroll status"))
		}
	}
}

// renews does what lego does.
func (n *newcomer) renews(p *lab.Pair) {
	n.t.Helper()
	n.put("var/lib/lego/certificates/"+lab.Host+".crt", n.read(p.Fullchain()))
	n.put("var/lib/lego/certificates/"+lab.Host+".key", n.read(p.Privkey()))
}

func (n *newcomer) at(name string) string { return filepath.Join(n.root, name) }

func (n *newcomer) put(name, text string) {
	n.t.Helper()
	if err := os.MkdirAll(filepath.Dir(n.at(name)), 0o700); err != nil {
		n.t.Fatal(err)
	}
	n.write(n.at(name), text)
	if strings.HasPrefix(name, "etc/") {
		if err := os.Chmod(n.at(name), 0o644); err != nil {
			n.t.Fatal(err)
		}
	}
}

// inside is a command in the root directory.
func (n *newcomer) inside(argv ...string) []string {
	const enter = `mount -t proc proc "$1/proc" && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$@"`
	return append([]string{"unshare", "--mount", "--propagation", "private", "sh", "-c", enter, "sh", n.root}, argv...)
}

// does what a person does in a shell, which has to succeed, and gives what it printed.
func (n *newcomer) does(line string) string {
	n.t.Helper()
	argv := n.inside("/bin/sh", "-ec", line)
	ctx, cancel := context.WithTimeout(n.t.Context(), time.Minute)
	defer cancel()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	n.spoken.add(out.String())
	n.spoken.add(errs.String())
	if err != nil {
		n.t.Fatalf("%s: %v\n%s%s", line, err, errs.String(), out.String())
	}
	if !strings.HasPrefix(line, "tlsaroll status --json") {
		n.t.Logf("# %s\n%s%s", line, errs.String(), out.String())
	}
	return out.String()
}

// starts starts what stays.
func (n *newcomer) starts(argv ...string) *lab.Daemon {
	n.t.Helper()
	return lab.StartDaemon(n.t, lab.DaemonOptions{Dir: "/", Secrets: n.Secrets()}, n.inside(argv...)...)
}

// files are all of the root's but those that programs write while they run.
func (n *newcomer) files() (found []string) {
	n.t.Helper()
	moving := regexp.MustCompile(`^(proc|run|tmp|var/log|var/lib/dpkg|var/lib/postfix|var/spool/postfix|var/cache)/`)
	err := filepath.WalkDir(n.root, func(file string, d os.DirEntry, err error) error {
		name, rerr := filepath.Rel(n.root, file)
		if err != nil || rerr != nil {
			return errors.Join(err, rerr)
		}
		if d.IsDir() {
			name += "/"
		}
		if moving.MatchString(name) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		found = append(found, name)
		return nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return found
}

// debianPackage is the one that is released, in the directory RELEASE, or one of this program
// with the scripts and units of the released one.
func debianPackage(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("RELEASE"); dir != "" {
		found, err := filepath.Glob(filepath.Join(dir, "tlsaroll_*_"+runtime.GOARCH+".deb"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %q, %v: one package is wanted", dir, found, err)
		}
		return found[0]
	}
	dir := filepath.Join(t.TempDir(), "package")
	for _, f := range []struct {
		name, from, text string
		mode             os.FileMode
	}{
		{"usr/bin/tlsaroll", lab.BuildProgram(t, "github.com/tlsaroll/tlsaroll/cmd/tlsaroll"), "", 0o755},
		{"usr/lib/systemd/system/tlsaroll.service", filepath.Join(root, "examples/systemd/tlsaroll.service"), "", 0o644},
		{"usr/share/doc/tlsaroll/README", "", "made for a test\n", 0o644},
		{"DEBIAN/postinst", filepath.Join(root, ".packages/scripts/postinstall"), "", 0o755},
		{"DEBIAN/prerm", filepath.Join(root, ".packages/scripts/preremove"), "", 0o755},
		{"DEBIAN/postrm", filepath.Join(root, ".packages/scripts/postremove"), "", 0o755},
		{"DEBIAN/control", "", "Package: tlsaroll\nVersion: 0.0.1-1\nArchitecture: " + runtime.GOARCH + "\nMaintainer: nobody <nobody@example.org>\nDescription: made for a test\n", 0o644},
	} {
		text := []byte(f.text)
		var err error
		if f.from != "" {
			text, err = os.ReadFile(f.from)
		}
		to := filepath.Join(dir, f.name)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, text, f.mode)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "etc/tlsaroll"), 0o700); err != nil {
		t.Fatal(err)
	}
	deb := dir + ".deb"
	if out, err := exec.CommandContext(t.Context(), "dpkg-deb", "--root-owner-group", "-Znone", "-b", dir, deb).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v: %s", err, out)
	}
	return deb
}
