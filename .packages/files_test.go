package packages

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// unpacked is a directory with the files of the .deb.
func unpacked(t *testing.T) string {
	t.Helper()
	needs(t, "dpkg-deb")
	dir := t.TempDir()
	run(t, nil, "dpkg-deb", "-x", made(t, "_"+runtime.GOARCH+".deb"), dir)
	return dir
}

// TestManual has mandoc judge every page, and man find it.
func TestManual(t *testing.T) {
	needs(t, "mandoc", "man", "gunzip")
	share := filepath.Join(unpacked(t), "usr/share")
	pages, err := filepath.Glob(filepath.Join(share, "man/man*/*.gz"))
	if err != nil || len(pages) < 24 {
		t.Fatal(pages, err)
	}
	env := []string{"MANPATH=" + filepath.Join(share, "man"), "LC_ALL=C.UTF-8", "MANWIDTH=80", "MANROFFOPT=-rHY=0"}
	for _, page := range pages {
		run(t, nil, "gunzip", "-k", page)
		page = strings.TrimSuffix(page, ".gz")
		name, section, _ := cutLast(filepath.Base(page), ".")
		// It ends with 2 or more from warnings on; long lines of the source are no fault.
		if out, err := exec.CommandContext(t.Context(), "mandoc", "-T", "lint", "-W", "warning", page).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", filepath.Base(page), err, out)
		}
		if err := os.Remove(page); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "man", "--warnings", section, name)
		cmd.Env = append(os.Environ(), env...)
		var warnings strings.Builder
		cmd.Stderr = &warnings
		out, err := cmd.Output()
		if want := strings.ToUpper(name) + "(" + section + ")"; err != nil || warnings.Len() > 0 || !strings.Contains(string(out), want) {
			t.Errorf("man %s %s: %v\n%s", section, name, err, warnings.String())
		}
	}
	mentioned := map[string]bool{}
	for _, page := range pages {
		for _, m := range regexp.MustCompile(`(tlsaroll[a-z.\\-]*)\((\d)\)`).FindAllStringSubmatch(run(t, nil, "gunzip", "-c", page), -1) {
			mentioned[strings.ReplaceAll(m[1], `\`, "")+"."+m[2]] = true
		}
	}
	for name := range mentioned {
		if !slices.ContainsFunc(pages, func(page string) bool { return filepath.Base(page) == name+".gz" }) {
			t.Errorf("%s is mentioned, and there is none", name)
		}
	}
}

func cutLast(text, at string) (before, after string, found bool) {
	i := strings.LastIndex(text, at)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(at):], true
}

// TestCompletion has each shell complete a command.
func TestCompletion(t *testing.T) {
	dir := unpacked(t)
	share := filepath.Join(dir, "usr/share")
	env := []string{"PATH=" + filepath.Join(dir, "usr/bin") + ":" + os.Getenv("PATH"), "TERM=dumb", "SHARE=" + share, "HOME=" + t.TempDir(), "XDG_DATA_DIRS=" + share}
	for shell, script := range map[string]string{
		"bash": `source /usr/share/bash-completion/bash_completion
			source "$SHARE/bash-completion/completions/tlsaroll"
			COMP_WORDS=(tlsaroll rollb) COMP_CWORD=1 COMP_LINE="tlsaroll rollb" COMP_POINT=14 COMP_TYPE=9
			__start_tlsaroll
			echo "${COMPREPLY[@]}"`,
		"fish": `complete -C "tlsaroll rollb"`,
		"zsh": `zmodload zsh/zpty
			zpty z zsh -f -i
			zpty -w z 'fpath=($SHARE/zsh/vendor-completions $fpath); autoload -U compinit; compinit -u -D; PS1="=""> "'
			zpty -r -m z line '*=> *'
			zpty -n -w z $'tlsaroll rollb\t'
			zpty -r -m z line '*rollb*ack*'
			print -r -- "${line//[^a-z]/}"`,
	} {
		t.Run(shell, func(t *testing.T) {
			needs(t, shell)
			if out := run(t, env, "timeout", "30", shell, "-c", script); !strings.Contains(out, "rollback") {
				t.Errorf("%s completes %q", shell, out)
			}
		})
	}
}

// TestExamples wants nothing of an example to be called where packages do not put it.
func TestExamples(t *testing.T) {
	doc, seen := filepath.Join(unpacked(t), "usr/share/doc/tlsaroll"), 0
	err := filepath.WalkDir(doc, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		if strings.Contains(string(text), "/usr/local/bin/tlsaroll") {
			t.Errorf("%s: the program is in /usr/bin", strings.TrimPrefix(file, doc))
		}
		seen += strings.Count(string(text), "/usr/bin/tlsaroll")
		return err
	})
	if err != nil || seen < 8 {
		t.Errorf("%d examples call the program: %v", seen, err)
	}
}

// TestUnits has systemd read the units as they are installed, manual pages included.
func TestUnits(t *testing.T) {
	needs(t, "systemd-analyze", "man")
	dir := unpacked(t)
	units, err := filepath.Glob(filepath.Join(dir, "usr/lib/systemd/system/*"))
	if err != nil || len(units) != 6 {
		t.Fatal(units, err)
	}
	preremove, err := os.ReadFile("scripts/preremove")
	if err != nil {
		t.Fatal(err)
	}
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "/usr/local/") || strings.Contains(string(text), "/etc/systemd/") {
			t.Errorf("%s is not where packages put things:\n%s", filepath.Base(unit), text)
		}
		if strings.Contains(string(text), "\n[Install]\n") && !strings.Contains(string(preremove), " "+filepath.Base(unit)) {
			t.Errorf("%s is not disabled when the package goes", filepath.Base(unit))
		}
		installs := strings.Contains(string(text), "\n[Service]\n") && !strings.Contains(string(text), "\nUser=") // the daemon without privileges leaves that to another
		if installs != strings.Contains(string(text), "\nReadWritePaths=-/etc/postfix/tls -/etc/dovecot/tls -/etc/exim4/tls -/etc/mail/tls\n") {
			t.Errorf("%s does not start on a host that has no Postfix, or writes what it need not:\n%s", filepath.Base(unit), text)
		}
		if has, wants := strings.Contains(string(text), "\nLoadCredential="), strings.Contains(string(text), "\nUser=tlsaroll\n"); has != wants {
			t.Errorf("%s: it has a credential: %v, and cannot read files that are root's: %v", filepath.Base(unit), has, wants)
		}
		moved := strings.ReplaceAll(string(text), "/usr/bin/tlsaroll", filepath.Join(dir, "usr/bin/tlsaroll"))
		if err := os.WriteFile(unit, []byte(moved), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "systemd-analyze", append([]string{"verify", "--man=yes"}, units...)...)
	cmd.Env = append(os.Environ(), "MANPATH="+filepath.Join(dir, "usr/share/man"))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestBill holds the bill of materials to what go says of the program.
func TestBill(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		text, err := os.ReadFile(made(t, "_linux_"+arch+".cdx.json"))
		var bill struct {
			Format     string `json:"bomFormat"`
			Metadata   struct{ Component struct{ Version string } }
			Components []struct{ Name, Version, PURL string }
		}
		if err := errors.Join(err, json.Unmarshal(text, &bill)); err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, c := range bill.Components[1:] {
			got = append(got, c.Name+" "+c.Version)
			if c.PURL != "pkg:golang/"+strings.ToLower(c.Name)+"@"+strings.ReplaceAll(c.Version, "+", "%2B") {
				t.Errorf("%s: %s", c.Name, c.PURL)
			}
		}
		for line := range strings.Lines(run(t, nil, "go", "version", "-m", made(t, "_linux_"+arch))) {
			if f := strings.Fields(line); f[0] == "dep" {
				want = append(want, f[1]+" "+f[2])
			}
		}
		if !slices.Equal(got, want) || len(want) < 20 {
			t.Errorf("%s: it has %q, and the program %q", arch, got, want)
		}
		if std := bill.Components[0]; std.Name != "std" || "go"+std.Version != runtime.Version() || bill.Metadata.Component.Version != "v"+version || bill.Format != "CycloneDX" {
			t.Errorf("%s: %+v, %+v", arch, std, bill.Metadata)
		}
	}
	copyright, err := os.ReadFile(filepath.Join(unpacked(t), "usr/share/doc/tlsaroll/copyright"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"\ngithub.com/miekg/dns v", "\nstd\n", "\ngo.etcd.io/bbolt v", "THIS SOFTWARE IS PROVIDED"} {
		if !strings.Contains(string(copyright), part) {
			t.Errorf("the licences lack %q", part)
		}
	}
}
