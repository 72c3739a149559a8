package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A hooking is an example whose client calls a hook, and how that client renews: a script
// of what it does to its files, FULLCHAIN, CERT, CHAIN and KEY being the new pair and N
// the renewal's number, in DIR. HOOK is what it runs then.
type hooking struct {
	example string
	staged  string // as the example has it
	dir     string // the client's directory for the name
	renews  string
}

// hookings write as certbot 2.1, acme.sh 3 and dehydrated 0.7 do.
var hookings = []hooking{
	{"certbot-hook", "{certbot: mx1.example.org}", "live/mx1.example.org", `
		mkdir -p "$DIR" "$TOP/archive/mx1.example.org"
		for kind in privkey cert chain fullchain; do
			eval file=\$$kind
			cat "$file" >"$TOP/archive/mx1.example.org/$kind$N.pem"
		done
		for kind in cert privkey chain fullchain; do
			rm -f "$DIR/$kind.pem"
			ln -s "../../archive/mx1.example.org/$kind$N.pem" "$DIR/$kind.pem"
		done
		RENEWED_DOMAINS=mx1.example.org RENEWED_LINEAGE="$DIR" sh -c "$HOOK"`},
	{"acme.sh-hook", "{acme.sh: mx1.example.org}", "mx1.example.org_ecc", `
		mkdir -p "$DIR"
		cat "$privkey" >"$DIR/mx1.example.org.key"
		cat "$fullchain" >"$DIR/mx1.example.org.cer"
		cat "$fullchain" >"$DIR/fullchain.cer"
		cat "$chain" >"$DIR/ca.cer"
		cat "$cert" >"$DIR/mx1.example.org.cer"
		(
			export CERT_PATH="$DIR/mx1.example.org.cer" CERT_KEY_PATH="$DIR/mx1.example.org.key" CA_CERT_PATH="$DIR/ca.cer"
			export CERT_FULLCHAIN_PATH="$DIR/fullchain.cer" Le_Domain=mx1.example.org Le_ForceNewDomainKey=1 Le_Next_Domain_Key="$DIR/mx1.example.org.key.next"
			cd "$DIR" && eval "$HOOK"
		)`},
	{"dehydrated-hook", "{dehydrated: mx1.example.org}", "certs/mx1.example.org", `
		mkdir -p "$DIR"
		"$HOOK" startup_hook
		"$HOOK" this_hookscript_is_broken__dehydrated_is_working_fine__please_ignore_unknown_hooks_in_your_script
		"$HOOK" deploy_challenge mx1.example.org -cWUgLZj_token --help
		cat "$privkey" >"$DIR/privkey-$N.pem"
		cat "$cert" >"$DIR/cert-$N.pem"
		cat "$fullchain" >"$DIR/fullchain-$N.pem"
		cat "$chain" >"$DIR/chain-$N.pem"
		"$HOOK" sync_cert "$DIR/privkey-$N.pem" "$DIR/cert-$N.pem" "$DIR/fullchain-$N.pem" "$DIR/chain-$N.pem" "$DIR/cert-$N.csr"
		for kind in privkey chain fullchain cert; do
			ln -sf "$kind-$N.pem" "$DIR/$kind.pem"
		done
		"$HOOK" deploy_cert mx1.example.org "$DIR/privkey.pem" "$DIR/cert.pem" "$DIR/fullchain.pem" "$DIR/chain.pem" "$N"
		"$HOOK" exit_hook ""`},
}

// TestExampleHooks renews with the hooks of the examples for certbot, acme.sh and
// dehydrated, under load: once by the daemon, once without one, where passes finish it.
func TestExampleHooks(t *testing.T) {
	t.Parallel()
	for _, k := range hookings {
		t.Run(k.example, func(t *testing.T) {
			t.Parallel()
			l := lab.Start(t, lab.Options{TTL: exampleTTL, Resolvers: 2, Records: []string{lab.Owner(25) + " 5 IN TLSA " + someoneElses}})
			top := filepath.Join(l.Dir, "client")
			h := newExampleHost(t, l, k.example+"/tlsaroll.yaml",
				aReplacement{"state: ", "control: " + filepath.Join(l.Dir, "run", "control.sock") + "\nstate: "},
				aReplacement{k.staged, strings.TrimSuffix(k.staged, "}") + ", dir: " + top + "}"},
				tellFile(l),
				aReplacement{"/etc/tlsaroll/tsig.secret", l.Key(lab.Domain).SecretFile})
			hook := h.hookOf(k.example)
			d := h.run()
			h.eventually(20*time.Second, "adopted", live(h.Live))
			hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
			next := h.Certificates().Issue(t, lab.LeafOptions{})
			h.renews(k, top, hook, next, 1)
			h.eventually(40*time.Second, "renewed", live(next))
			d.Signal(t, syscall.SIGTERM)
			if code, err := d.Wait(t.Context()); code != exitDone || err != nil {
				t.Errorf("the daemon ended with %d, %v", code, err)
			}

			last := h.Certificates().Issue(t, lab.LeafOptions{})
			h.renews(k, top, hook, last, 2)
			h.timer([]string{"once", "--exit-code"}, last)
			h.unharmed(hammer, 40)
			h.toldNobody()
			h.only(lab.Owner(25), last.TLSA(t, tlsa.EE), someoneElses)
			if text := d.String(); strings.Contains(text, "level=ERROR") {
				t.Errorf("the daemon says\n%s", text)
			}
		})
	}
}

// hookOf is the hook of an example, which calls the program under test: its script, else
// the command of its page.
func (h *host) hookOf(example string) string {
	h.t.Helper()
	program := aReplacement{"/usr/local/bin/tlsaroll", lab.Program(h.t, "tlsaroll") + " -c " + h.config}
	scripts, err := filepath.Glob(filepath.Join(root, "examples", example, "*hook.sh"))
	if err != nil {
		h.t.Fatal(err)
	}
	if len(scripts) == 1 {
		script := h.path("hook.sh")
		h.write(script, filled(h.t, example+"/"+filepath.Base(scripts[0]), program))
		if err := os.Chmod(script, 0o700); err != nil { //nolint:gosec // it is run
			h.t.Fatal(err)
		}
		return script
	}
	for _, line := range readDocument(h.t, "examples/"+example+"/README.md").commands() {
		if i := slices.Index(line, "--reloadcmd"); i > 0 {
			return strings.Replace(line[i+1], program.example, program.lab, 1)
		}
	}
	h.t.Fatalf("examples/%s has no hook", example)
	return ""
}

// renews does what the client does, and wants that its hook takes the pair, says so in
// one line a call, beside what a pass did, and leaves standard output alone.
func (h *host) renews(k hooking, top, hook string, p *lab.Pair, n int) {
	h.t.Helper()
	pem, err := os.ReadFile(p.Fullchain())
	if err != nil {
		h.t.Fatal(err)
	}
	const end = "-----END CERTIFICATE-----\n"
	leaf, rest, _ := strings.Cut(string(pem), end)
	cert, chain := h.path(fmt.Sprintf("cert-%d", n)), h.path(fmt.Sprintf("chain-%d", n))
	h.write(cert, leaf+end)
	h.write(chain, rest)
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(h.t.Context(), "sh", "-euc", "umask 077\n"+k.renews)
	cmd.Env = []string{
		"PATH=/usr/bin:/bin", "TOP=" + top, "DIR=" + filepath.Join(top, k.dir), fmt.Sprintf("N=%d", n), "HOOK=" + hook,
		"privkey=" + p.Privkey(), "fullchain=" + p.Fullchain(), "cert=" + cert, "chain=" + chain,
	}
	cmd.Stdout, cmd.Stderr = &out, &errs
	begun := time.Now()
	err = cmd.Run()
	took := time.Since(begun).Round(time.Millisecond)
	for line := range strings.Lines(errs.String()) {
		expected := slices.ContainsFunc([]string{"tlsaroll: mx1: taken; ", "tlsaroll: done: publish ", "timing.ttls: one TTL"}, func(part string) bool { return strings.Contains(line, part) }) // the last is of the lab's own
		if !expected {
			h.t.Errorf("the hook says %s", line)
		}
	}
	if err != nil || !strings.Contains(errs.String(), "mx1: taken; ") || out.Len() > 0 || took > 10*time.Second+h.Late(begun.Add(took)) {
		h.t.Fatalf("%s, renewal %d: %v after %s\n%s%s", k.example, n, err, took, &out, &errs)
	}
	h.t.Logf("%s took %s: %s", k.example, took, strings.TrimSpace(errs.String()))
}
