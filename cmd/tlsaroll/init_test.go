package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/draft"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
)

// TestInitProviders drafts a configuration with each type of provider that is linked in, and
// wants it to load.
func TestInitProviders(t *testing.T) {
	types := providerTypes()
	if len(types) < 14 {
		t.Fatalf("%d types", len(types))
	}
	w := draft.World{
		Types: types, File: defaultConfig, Resolver: netip.MustParseAddrPort("[::1]:53"),
		Hosts: map[string]draft.HostDNS{"mx1.example.org": {Domain: "example.org.", Zone: "example.org.", Primary: "ns1.example.org.", Servers: []string{"ns1.example.org."}, Private: true}},
	}
	for _, kind := range types {
		for _, mail := range []string{"", "postmaster@example.org"} {
			d := w.Write(draft.Answers{Hosts: []string{"mx1.example.org"}, Provider: kind.Name, Mail: mail})
			var said bytes.Buffer
			p := newProgram(world{stdin: strings.NewReader(""), stdout: &said, stderr: &said, lookupEnv: quiet().lookupEnv, now: quiet().now})
			if err := p.draftLoads(d); err != nil || said.Len() > 0 {
				t.Errorf("%s: %v %s\n%s", kind.Name, err, said.String(), d.YAML)
			}
		}
	}
}

// TestInitDialogue holds what a person is asked, and what becomes of the answers.
func TestInitDialogue(t *testing.T) {
	w := draft.World{
		Found:    finder.Found{Name: "mx1.example.org", Servers: []finder.Server{{Program: "Postfix", Host: "mx1.example.org", Ports: []uint16{25}}}, Sendmail: true},
		Types:    providerTypes(),
		Resolver: netip.MustParseAddrPort("127.0.0.1:53"), Blind: "nobody is there",
	}
	for _, test := range []struct {
		name, typed string
		want        draft.Answers
		says        []string
		wrong       string
	}{
		{
			name: "defaults", typed: "\n\n\n", want: draft.Answers{Hosts: []string{"mx1.example.org"}, Provider: "manual", Mail: "postmaster@example.org"},
			says: []string{
				"tlsaroll: mx1.example.org is what the mail server greets with, but no MX record names it, nor does the certificate that is served",
				"tlsaroll: the mail host's name, as MX records have it [mx1.example.org]",
				"tlsaroll: the zone of mx1.example.org was not found in DNS, so who changes it cannot be told",
				"tlsaroll: who changes the zone of mx1.example.org: azure, cloudflare, desec, exec, gandi, googleclouddns, hetzner, infomaniak, inwx, manual, ovh, powerdns, rfc2136, route53, transip [manual]",
				"tlsaroll: the mail address that is told when something is wrong [postmaster@example.org]",
			},
		},
		{
			name: "wrong, and mended", typed: "mx\nMX1.example.org\nmx1.example.org mx2.example.org\nnetcup\nrfc2163\nrfc2136\n/nowhere\n-\nnobody\nhostmaster@example.org\n",
			want: draft.Answers{Hosts: []string{"mx1.example.org", "mx2.example.org"}, Provider: "rfc2136", Mail: "hostmaster@example.org"},
			says: []string{
				`tlsaroll: "mx" is not a full name (hint: write it whole, as in mx1.example.org)`,
				`tlsaroll: "MX1.example.org" is written mx1.example.org`,
				"tlsaroll: there is no provider of type rfc2163 (hint: did you mean rfc2136?)",
				"tlsaroll: the file with the TSIG key that may change TLSA records, as tsig-keygen or keymgr prints it; - is later [-]",
				"tlsaroll: /nowhere: no such file or directory",
				"tlsaroll: no mail address (hint: write postmaster@example.org)",
			},
		},
		{name: "the end of the terminal", typed: "\n", wrong: "init: the terminal has ended"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var said bytes.Buffer
			p := newProgram(world{stdin: strings.NewReader(test.typed), stdout: &said, stderr: &said, lookupEnv: quiet().lookupEnv, now: quiet().now})
			got, err := p.settle(t.Context(), &w, initOptions{})
			if test.wrong != "" {
				if err == nil || err.Error() != test.wrong {
					t.Errorf("%v, want %s", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Answers); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			for _, line := range test.says {
				if !strings.Contains(said.String(), line+"\n") {
					t.Errorf("it does not say %s\n%s", line, said.String())
				}
			}
		})
	}
}

// TestInitAsksNothing holds that every guess is refused at once, with the options.
func TestInitAsksNothing(t *testing.T) {
	d := &dialogue{ui: newProgram(quiet()).ui}
	for _, q := range []draft.Question{{Text: "a", Default: "b"}, {Text: "c", Default: "d", Guess: "e is a guess", Option: "--f"}} {
		if got, err := d.answer(t.Context(), q, nil); got != q.Default || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if len(d.guesses) != 1 || d.guesses[0].Error() != "init: e is a guess (hint: --f decides it)" {
		t.Errorf("guesses: %v", d.guesses)
	}
	d.lines = bufio.NewReader(strings.NewReader("last"))
	if got, err := d.answer(t.Context(), draft.Question{Text: "g"}, func(string) error { return nil }); got != "last" || err != nil {
		t.Errorf("a last line without its end: %q, %v", got, err)
	}
}

// TestInitInterrupted holds that who is asked can leave, and that nothing is made of what was
// not looked at to its end.
func TestInitInterrupted(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	typed, keys := io.Pipe()
	t.Cleanup(func() { _ = keys.Close() })
	d := &dialogue{ui: newProgram(quiet()).ui, lines: bufio.NewReader(typed)}
	ended := make(chan error, 1)
	go func() {
		_, err := d.answer(ctx, draft.Question{Text: "a"}, func(string) error { return nil })
		ended <- err
	}()
	leave()
	if err := <-ended; !errors.Is(err, errStopped) {
		t.Errorf("asked: %v", err)
	}

	file := filepath.Join(t.TempDir(), "tlsaroll.yaml")
	w := quiet()
	w.find = func(h *finder.Host) { h.Files = fstest.MapFS{} }
	err := newProgram(w).init(ctx, initOptions{yes: true, output: file, resolver: "127.0.0.1", Answers: draft.Answers{Hosts: []string{"mx1.example.org"}, Provider: "manual", Mail: "postmaster@example.org"}})
	if !errors.Is(err, errStopped) || isThere(file) {
		t.Errorf("looking: %v", err)
	}
}

// TestInitTwice holds that a name given twice counts once, and that a directory is no file.
func TestInitTwice(t *testing.T) {
	dir := t.TempDir()
	for _, force := range []bool{false, true} {
		o := initOptions{yes: true, force: force, output: dir, Answers: draft.Answers{Hosts: []string{"mx1.example.org", "MX1.example.org."}}}
		err := newProgram(quiet()).initWrong(&o)
		if want := dir + ": is a directory (hint: --output " + dir + "/tlsaroll.yaml)"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if diff := cmp.Diff([]string{"mx1.example.org"}, o.Hosts); diff != "" {
			t.Errorf("hosts: want -, got +:\n%s", diff)
		}
	}
}

// TestInitNext holds that what comes next is about the file that was written.
func TestInitNext(t *testing.T) {
	for file, want := range map[string]string{defaultConfig: "systemctl enable --now tlsaroll ", "/root/my mail/x.yaml": "tlsaroll -c '/root/my mail/x.yaml' run "} {
		var said bytes.Buffer
		w := quiet()
		w.stdout = &said
		newProgram(w).tellNext(draft.World{File: file, Found: finder.Found{Unit: "/etc/systemd/system/tlsaroll.service"}}, draft.Draft{Lineages: []string{"mx1"}})
		if !strings.Contains(said.String(), want) {
			t.Errorf("%s: it does not say %s\n%s", file, want, said.String())
		}
	}
}
