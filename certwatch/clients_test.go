package certwatch

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A renewal is how a client brings the next pair to where the one before lies, in the
// steps in which a look may come between.
type renewal struct {
	name    string
	files   func(dir string) Files
	prepare func(t *testing.T, dir string, was content)
	steps   func(dir string, was, comes content) []step
}

// content is a pair as it stands in files.
type content struct{ leaf, issuers, key []byte }

func (c content) chain() []byte { return slices.Concat(c.leaf, c.issuers) }

// A step is one thing that a client does to a file.
type step func(t *testing.T)

// over writes a file in place, as os.WriteFile and a shell's > do: it is cut off, filled,
// and full.
func over(path string, data []byte) []step {
	in := func(data []byte, flag int) step {
		return func(t *testing.T) {
			t.Helper()
			must(t, os.MkdirAll(filepath.Dir(path), 0o700))
			f, err := os.OpenFile(path, os.O_WRONLY|flag, 0o600)
			must(t, err)
			_, err = f.Write(data)
			must(t, err, f.Close())
		}
	}
	half := len(data) / 2
	return []step{in(nil, os.O_CREATE|os.O_TRUNC), in(data[:half], 0), in(data[half:], os.O_APPEND)}
}

// relinked unlinks and links anew, as certbot does.
func relinked(link, target string) []step {
	return []step{
		func(t *testing.T) { t.Helper(); must(t, os.Remove(link)) },
		func(t *testing.T) { t.Helper(); must(t, os.Symlink(target, link)) },
	}
}

// turned links anew in one step, as ln -sf of GNU does.
func turned(link, target string) []step {
	return []step{func(t *testing.T) { t.Helper(); turn(t, link, target) }}
}

func moved(from, to string) []step {
	return []step{func(t *testing.T) { t.Helper(); must(t, os.Rename(from, to)) }}
}

func all(t *testing.T, steps ...[]step) {
	t.Helper()
	for _, s := range slices.Concat(steps...) {
		s(t)
	}
}

// renewals are those of lego 4.9 and 5, certbot 2.1, acme.sh 3 and dehydrated 0.7.
func renewals() []renewal {
	certbotAt := func(dir, kind string) string { return dir + "/live/mx1.example.org/" + kind + ".pem" }
	certbotTo := func(kind, n string) string { return "../../archive/mx1.example.org/" + kind + n + ".pem" }
	certbotIn := func(dir, kind, n string) string { return dir + "/archive/mx1.example.org/" + kind + n + ".pem" }
	certbot := func(again bool) renewal {
		return renewal{
			files: func(dir string) Files { return Files{certbotAt(dir, "fullchain"), certbotAt(dir, "privkey")} },
			prepare: func(t *testing.T, dir string, was content) {
				t.Helper()
				must(t, os.MkdirAll(dir+"/live/mx1.example.org", 0o700))
				for kind, data := range map[string][]byte{"cert": was.leaf, "privkey": was.key, "chain": was.issuers, "fullchain": was.chain()} {
					all(t, over(certbotIn(dir, kind, "1"), data))
					must(t, os.Symlink(certbotTo(kind, "1"), certbotAt(dir, kind)))
				}
			},
			steps: func(dir string, _, comes content) []step {
				key := over(certbotIn(dir, "privkey", "2"), comes.key)
				if again { // --reuse-key
					key = []step{func(t *testing.T) {
						t.Helper()
						must(t, os.Symlink("privkey1.pem", certbotIn(dir, "privkey", "2")))
					}}
				}
				steps := slices.Concat(key, over(certbotIn(dir, "cert", "2"), comes.leaf), over(certbotIn(dir, "chain", "2"), comes.issuers), over(certbotIn(dir, "fullchain", "2"), comes.chain()))
				for _, kind := range []string{"cert", "privkey", "chain", "fullchain"} {
					steps = append(steps, relinked(certbotAt(dir, kind), certbotTo(kind, "2"))...)
				}
				return steps
			},
		}
	}
	dehydratedIn := func(dir, name string) string { return dir + "/certs/mx1.example.org/" + name }
	dehydrated := func(again bool) renewal {
		kinds := []string{"privkey", "chain", "fullchain", "cert"}
		return renewal{
			files: func(dir string) Files {
				return Files{dehydratedIn(dir, "fullchain.pem"), dehydratedIn(dir, "privkey.pem")}
			},
			prepare: func(t *testing.T, dir string, was content) {
				t.Helper()
				for kind, data := range map[string][]byte{"cert": was.leaf, "privkey": was.key, "chain": was.issuers, "fullchain": was.chain()} {
					all(t, over(dehydratedIn(dir, kind+"-16.pem"), data))
					must(t, os.Symlink(kind+"-16.pem", dehydratedIn(dir, kind+".pem")))
				}
			},
			steps: func(dir string, _, comes content) []step {
				var steps []step
				if !again {
					steps = over(dehydratedIn(dir, "privkey-17.pem"), comes.key)
				}
				steps = slices.Concat(steps, over(dehydratedIn(dir, "cert-17.pem"), comes.chain()), moved(dehydratedIn(dir, "cert-17.pem"), dehydratedIn(dir, "fullchain-17.pem")),
					over(dehydratedIn(dir, "cert-17.pem"), comes.leaf), over(dehydratedIn(dir, "chain-17.pem"), comes.issuers))
				for _, kind := range kinds {
					if kind != "privkey" || !again {
						steps = append(steps, turned(dehydratedIn(dir, kind+".pem"), kind+"-17.pem")...)
					}
				}
				return steps
			},
		}
	}
	legoIn := func(dir, suffix string) string { return dir + "/certificates/_.example.org-8443" + suffix }
	acmeIn := func(dir, name string) string { return dir + "/mx1.example.org_ecc/" + name }
	acmeSh := func(again bool) renewal {
		return renewal{
			files: func(dir string) Files {
				return Files{acmeIn(dir, "fullchain.cer"), acmeIn(dir, "mx1.example.org.key")}
			},
			prepare: func(t *testing.T, dir string, was content) {
				t.Helper()
				all(t, over(acmeIn(dir, "mx1.example.org.key"), was.key), over(acmeIn(dir, "fullchain.cer"), was.chain()), over(acmeIn(dir, "mx1.example.org.cer"), was.leaf))
			},
			steps: func(dir string, _, comes content) []step {
				var steps []step
				if !again { // the key is there before the order
					steps = over(acmeIn(dir, "mx1.example.org.key"), comes.key)
				}
				return slices.Concat(steps, over(acmeIn(dir, "mx1.example.org.cer"), comes.chain()), over(acmeIn(dir, "fullchain.cer"), comes.chain()),
					over(acmeIn(dir, "ca.cer"), comes.issuers), over(acmeIn(dir, "mx1.example.org.cer"), comes.leaf))
			},
		}
	}
	lego := renewal{
		files: func(dir string) Files { return Files{legoIn(dir, ".crt"), legoIn(dir, ".key")} },
		prepare: func(t *testing.T, dir string, was content) {
			t.Helper()
			all(t, over(legoIn(dir, ".crt"), was.chain()), over(legoIn(dir, ".key"), was.key))
		},
		steps: func(dir string, _, comes content) []step {
			return slices.Concat(over(legoIn(dir, ".crt"), comes.chain()), over(legoIn(dir, ".issuer.crt"), comes.issuers), over(legoIn(dir, ".key"), comes.key),
				over(legoIn(dir, ".pem"), slices.Concat(comes.chain(), comes.key)), over(legoIn(dir, ".json"), []byte("{}")))
		},
	}
	named := func(name string, r renewal) renewal { r.name = name; return r }
	return []renewal{
		named("lego", lego),
		named("certbot", certbot(false)), named("certbot, the key again", certbot(true)),
		named("acme.sh", acmeSh(false)), named("acme.sh, the key again", acmeSh(true)),
		named("dehydrated", dehydrated(false)), named("dehydrated, the key again", dehydrated(true)),
	}
}

// TestClientsRenew looks after each step in which a client renews, right then and long
// after, as if the client had died there: what is read is the old pair or the new one,
// whole, or refused; right after a change of either file it is the one from before at
// most, and never an error that a person is told of. Each client's last step brings the
// new pair, and it was told to look.
func TestClientsRenew(t *testing.T) {
	for _, r := range renewals() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			h := issue(t)
			next := leaf(t, "mx1.example.org", &h.intermediate)
			if strings.HasSuffix(r.name, "again") {
				next = certify(t, *next.cert, h.leaf.key, &h.intermediate)
			}
			was := content{chainPEM(h.leaf), chainPEM(h.intermediate), keyPEM(t, h.leaf)}
			comes := content{chainPEM(next), chainPEM(h.intermediate), keyPEM(t, next)}
			dir := t.TempDir()
			files := r.files(dir)
			r.prepare(t, dir, was)
			old, err := Load(files)
			must(t, err)
			fresh := pairFor(t, next, h.intermediate)

			hints := make(chan Files, 100)
			ctx, stop := context.WithCancel(t.Context())
			wait := Watch(ctx, []Files{files}, func(f Files) { hints <- f }, slog.New(slog.DiscardHandler))
			defer func() { stop(); wait() }()

			steps := r.steps(dir, was, comes)
			for i, do := range steps {
				do(t)
				whole := func(p Pair, err error) bool {
					return err != nil || p.ID() == old.ID() || p.ID() == fresh.ID() || p.Chain.Leaf().Equal(next.cert) && slices.Contains(codes(p.Findings), CodeNoIssuer)
				}
				p, err := Reader{Quiet: time.Hour, Now: time.Now}.Load(files)
				if !errors.Is(err, ErrUnsettled) {
					t.Errorf("step %d of %d: right then it is %v, %v; want it unsettled", i+1, len(steps), p.Chain, err)
				}
				p, err = Reader{Quiet: DefaultQuiet, Now: later}.Load(files)
				if !whole(p, err) {
					t.Errorf("step %d of %d: long after it is %v, neither the old pair nor the new one", i+1, len(steps), p.Chain)
				}
			}
			p, err := Reader{Quiet: DefaultQuiet, Now: later}.Load(files)
			if err != nil || p.ID() != fresh.ID() || len(p.Findings) > 0 {
				t.Errorf("in the end it is %v, %v, %v", p.Chain, p.Findings, err)
			}
			select {
			case f := <-hints:
				if f != files {
					t.Errorf("told to look at %+v", f)
				}
			case <-time.After(10 * time.Second):
				t.Error("nobody was told to look")
			}
		})
	}
}

// TestOtherNameIsTold: a client that gives the next certificate a name of its own leaves
// the one that is configured behind, or never makes it.
func TestOtherNameIsTold(t *testing.T) {
	for missing, there := range map[string]string{
		"live/mx1.example.org":      "live/mx1.example.org-0002",
		"mx1.example.org":           "mx1.example.org_ecc",
		"certs/mx1.example.org.pem": "",
	} {
		dir := t.TempDir()
		must(t, os.MkdirAll(dir+"/live/mx1.example.org-0001", 0o700), os.MkdirAll(dir+"/live/mx1.example.org-old", 0o700), os.MkdirAll(dir+"/certs", 0o700))
		want := dir + "/" + missing + ": no such file or directory (hint: has the ACME client issued a certificate yet? is the path right?)"
		if there != "" {
			must(t, os.MkdirAll(dir+"/"+there, 0o700))
			want = dir + "/" + missing + "/fullchain.pem: " + dir + "/" + missing + ": no such file or directory (hint: is " + dir + "/" + there + " meant, which is there?)"
			missing += "/fullchain.pem"
		}
		if _, err := Load(Files{Cert: dir + "/" + missing}); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}
