package exec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/exec"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const (
	blockBegin = "; BEGIN of what tlsaroll writes: do not edit up to END\n"
	blockEnd   = "; END of what tlsaroll writes\n"

	zoneText = `$TTL 1h
@	IN SOA ns1 hostmaster ( ; the SOA 2026010101
		2026010101 ; serial
		3600 600 86400 300 )
	IN NS ns1
	IN TXT "a; b" "SOA 2026010101"
ns1	IN A 127.0.0.1
`
)

// zoneFile is a zone that is a file of a BIND of our own, which signs it.
type zoneFile struct {
	t      *testing.T
	path   string
	rndc   string // the command
	server string
}

func startZoneFile(t *testing.T) *zoneFile {
	t.Helper()
	program := needs(t, "named")
	needs(t, "rndc")
	needs(t, "named-compilezone")
	dir := t.TempDir()
	port, control := freePort(t), freePort(t)
	z := &zoneFile{t: t, path: dir + "/zone", server: fmt.Sprintf("127.0.0.1:%d", port)}
	const key = "key \"rndc\" { algorithm hmac-sha256; secret \"c2VjcmV0IG9mIHRoZSB0ZXN0cw==\"; };\n"
	write(t, z.path, zoneText)
	write(t, dir+"/rndc.conf", key+fmt.Sprintf("options { default-server 127.0.0.1; default-port %d; default-key \"rndc\"; };\n", control))
	write(t, dir+"/named.conf", key+fmt.Sprintf(`
options {
	directory %q; pid-file none; session-keyfile none; lock-file none; managed-keys-directory %q;
	listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };
	recursion no; notify no; dnssec-validation no; minimal-responses yes;
};
controls { inet 127.0.0.1 port %d allow { 127.0.0.1; } keys { "rndc"; }; };
zone "example.org" { type primary; file "zone"; dnssec-policy default; inline-signing yes; };
`, dir, dir, port, control))
	z.rndc = "rndc -c " + dir + "/rndc.conf"
	start(t, program, "-g", "-n", "1", "-c", dir+"/named.conf")
	ask(t, z.server, zone, dns.TypeSOA)
	return z
}

func (z *zoneFile) read() string {
	z.t.Helper()
	text, err := os.ReadFile(z.path)
	if err != nil {
		z.t.Fatal(err)
	}
	return string(text)
}

// edit edits the file under the lock, as the example's page says.
func (z *zoneFile) edit(how func(text string) string) {
	z.t.Helper()
	lock, err := os.OpenFile(z.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		z.t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		z.t.Fatal(err)
	}
	write(z.t, z.path, how(z.read()))
}

// put edits the block.
func (z *zoneFile) put(name, rrtype string, ttl time.Duration, data ...string) {
	z.t.Helper()
	z.edit(func(text string) string {
		if !strings.Contains(text, blockBegin) {
			text += blockBegin + blockEnd
		}
		before, rest, _ := strings.Cut(text, blockBegin)
		block, after, _ := strings.Cut(rest, blockEnd)
		var lines []string
		for line := range strings.Lines(block) {
			if f := strings.Fields(line); f[0] != name || f[3] != rrtype {
				lines = append(lines, line)
			}
		}
		for _, d := range data {
			lines = append(lines, fmt.Sprintf("%s %d IN %s %s\n", name, ttl/time.Second, rrtype, d))
		}
		return before + blockBegin + strings.Join(lines, "") + blockEnd + after
	})
}

// stands is what another reader of zone files makes of it.
func (z *zoneFile) stands(name, rrtype string) (data []string, ttl time.Duration) {
	z.t.Helper()
	parser := dns.NewZoneParser(strings.NewReader(z.read()), zone, z.path)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		if h := rr.Header(); dns.CanonicalName(h.Name) == name && dns.TypeToString[h.Rrtype] == rrtype {
			data, ttl = append(data, strings.TrimPrefix(rr.String(), h.String())), time.Duration(h.Ttl)*time.Second
		}
	}
	if err := parser.Err(); err != nil {
		z.t.Error(err)
	}
	return data, ttl
}

func (z *zoneFile) look(owner tlsa.Owner) tlsa.RRset {
	z.t.Helper()
	data, ttl := z.stands(string(owner), "TLSA")
	if len(data) == 0 {
		return tlsa.RRset{}
	}
	rrset := tlsa.RRset{TTL: ttl}
	for _, d := range data {
		a, err := tlsa.ParseAssociation(d)
		if err != nil {
			z.t.Error(err)
		}
		if rrset.Has(a) {
			z.t.Errorf("%s stands twice at %s", a, owner)
		}
		rrset = rrset.With(a)
	}
	return rrset
}

// provider is one with the commands of the example.
func (z *zoneFile) provider(change []string) *exec.Provider {
	z.t.Helper()
	return newProvider(z.t, exec.Config{Read: []string{example(z.t, "exec-zonefile/zonefile"), "read", z.path}, Change: change, Env: []string{"RNDC=" + z.rndc}})
}

// awaitServed waits until the server gives, signed, what stands in the file.
func (z *zoneFile) awaitServed(owner tlsa.Owner, want tlsa.RRset) {
	z.t.Helper()
	var got tlsa.RRset
	for range 200 {
		if got = served(z.t, z.server, owner); got.Same(want) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	z.t.Errorf("%v is served, want %v", got, want)
}

func TestExampleZonefile(t *testing.T) {
	t.Parallel()
	z := startZoneFile(t)
	script := example(t, "exec-zonefile/zonefile")
	t.Run("TLSA", func(t *testing.T) {
		providertest.Run(t, func(t *testing.T) providertest.Fixture {
			command, lose, meanwhile := interposed(t, t.TempDir(), script, "change", z.path)
			return providertest.Fixture{
				Provider: z.provider(command), Zone: zone, Slow: !*whole,
				Seed: func(_ *testing.T, owner tlsa.Owner, ttl time.Duration, rdata ...string) {
					z.put(string(owner), "TLSA", ttl, rdata...)
				},
				Look:      func(_ *testing.T, owner tlsa.Owner) tlsa.RRset { return z.look(owner) },
				Alias:     func(_ *testing.T, owner, target tlsa.Owner) { z.put(string(owner), "CNAME", time.Hour, string(target)) },
				LoseReply: func(*testing.T) { lose() },
				Meanwhile: func(_ *testing.T, edit func()) { meanwhile(edit) },
				Beside:    func(_ *testing.T, name, rrtype, rdata string) { z.put(name, rrtype, time.Hour, rdata) },
				Stands: func(_ *testing.T, name, rrtype string) []string {
					data, _ := z.stands(name, rrtype)
					return data
				},
				Without: map[providertest.Part]string{
					providertest.MinimumTTLs: "a zone file takes any TTL",
					providertest.Faults:      "there is no API; what a command may say is a test of its own",
					providertest.Listings:    "counted with a command of the tests' own",
				},
			}
		})
	})
	t.Run("TXT", func(t *testing.T) {
		providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
			command, lose, _ := interposed(t, t.TempDir(), script, "change", z.path)
			return providertest.TXTFixture{
				Provider: z.provider(command), Zone: zone,
				Seed: func(_ *testing.T, name tlsa.Owner, ttl time.Duration, values ...string) {
					quoted := make([]string, len(values))
					for i, v := range values {
						quoted[i] = `"` + v + `"`
					}
					z.put(string(name), "TXT", ttl, quoted...)
				},
				Look: func(_ *testing.T, name tlsa.Owner) ([]string, time.Duration) {
					data, ttl := z.stands(string(name), "TXT")
					for i, d := range data {
						data[i] = strings.Trim(d, `"`)
					}
					return data, ttl
				},
				Alias:     func(_ *testing.T, name, target tlsa.Owner) { z.put(string(name), "CNAME", time.Hour, string(target)) },
				LoseReply: func(*testing.T) { lose() },
			}
		})
	})
	if text := z.read(); !strings.HasPrefix(text, strings.Split(zoneText, "2026010101 ; serial")[0]) || !strings.Contains(text, strings.Split(zoneText, "; serial")[1]) {
		t.Errorf("what people wrote is not what it was:\n%s", text)
	}
}

func (z *zoneFile) apply(p *exec.Provider, before, after tlsa.RRset) error {
	z.t.Helper()
	return p.Apply(z.t.Context(), zone, []dnsprovider.Change{{Owner: owner, Before: before, After: after}})[0]
}

// TestExampleZonefileServed: the server has it, signed, and the file is whose it was.
func TestExampleZonefileServed(t *testing.T) {
	t.Parallel()
	z := startZoneFile(t)
	p := z.provider([]string{example(t, "exec-zonefile/zonefile"), "change", z.path})
	if err := os.Chmod(z.path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(z.path, 0, 1); err != nil {
		t.Fatal(err)
	}
	stands := tlsa.RRset{}
	for _, digits := range [][]string{{"1"}, {"1", "2"}, {"2"}, {}} {
		if err := z.apply(p, stands, rrset(digits...)); err != nil {
			t.Fatal(err)
		}
		stands = rrset(digits...)
		z.awaitServed(owner, stands)
	}
	info, err := os.Stat(z.path)
	if err != nil || info.Mode() != 0o640 || info.Sys().(*syscall.Stat_t).Gid != 1 {
		t.Errorf("the file is %v, %+v", info, err)
	}
	left, err := filepath.Glob(z.path + ".*")
	if err != nil {
		t.Fatal(err)
	}
	if left = slices.DeleteFunc(left, func(name string) bool { // of named
		return strings.HasSuffix(name, ".jbk") || strings.HasSuffix(name, ".jnl") || strings.HasSuffix(name, ".signed")
	}); len(left) != 1 || left[0] != z.path+".lock" {
		t.Errorf("beside the file: %v", left)
	}
}

// TestExampleZonefileByHand: lines of people are read and kept, and not changed; moved into
// the block, in whatever form, they are as any other.
func TestExampleZonefileByHand(t *testing.T) {
	t.Parallel()
	z := startZoneFile(t)
	p := z.provider([]string{example(t, "exec-zonefile/zonefile"), "change", z.path})
	hand := "_25._tcp.mx IN TLSA ( 3 1 1 ; of the old server\n\t" + strings.ToUpper(record("1").Data) + " )\n"
	z.edit(func(text string) string { return text + hand })
	if err := z.apply(p, rrset("1"), rrset("1", "2")); err != nil {
		t.Fatal(err)
	}
	if text := z.read(); !strings.Contains(text, hand) {
		t.Errorf("the line is not what it was:\n%s", text)
	}
	z.awaitServed(owner, rrset("1", "2"))

	const refused = "refused: a line by hand would have to change: move it between the marks of what tlsaroll writes: 3 1 1 a1a1"
	wants(t, z.apply(p, rrset("1", "2"), rrset("2")), dnsprovider.Refused, refused)
	short := rrset("1", "2")
	short.TTL = time.Minute
	wants(t, z.apply(p, rrset("1", "2"), short), dnsprovider.Refused, refused)
	if got := z.look(owner); !got.Same(rrset("1", "2")) || got.TTL != time.Hour {
		t.Errorf("%v stands", got)
	}

	z.edit(func(text string) string {
		return strings.Replace(strings.Replace(text, hand, "", 1), blockEnd, hand+blockEnd, 1)
	})
	if err := z.apply(p, rrset("1", "2"), short); err != nil {
		t.Error(err)
	}
	if err := z.apply(p, short, tlsa.NewRRset(time.Minute, record("2"))); err != nil {
		t.Error(err)
	}
	z.awaitServed(owner, rrset("2"))
	if text := z.read(); strings.Contains(text, "old server") || !strings.HasSuffix(text, blockBegin+string(owner)+" 60 IN TLSA "+record("2").String()+"\n"+blockEnd) {
		t.Errorf("the file is\n%s", text)
	}
}

// TestExampleZonefileKilled: a change that was killed before the server heard of it is
// finished by the next call.
func TestExampleZonefileKilled(t *testing.T) {
	t.Parallel()
	z := startZoneFile(t)
	kill := z.path + "-kills"
	write(t, kill, "case $1 in reload) kill -9 $PPID; sleep 10;; esac\nexec "+z.rndc+` "$@"`+"\n")
	script := example(t, "exec-zonefile/zonefile")
	p := z.provider([]string{"/usr/bin/env", "RNDC=sh " + kill, script, "change", z.path})
	if err := z.apply(p, tlsa.RRset{}, rrset("1")); err != nil {
		t.Error(err)
	}
	z.awaitServed(owner, rrset("1"))
}

// TestExampleZonefileNotLoaded: what the server says of a reload is not all that there is.
func TestExampleZonefileNotLoaded(t *testing.T) {
	t.Parallel()
	z := startZoneFile(t)
	script := example(t, "exec-zonefile/zonefile")
	z.edit(func(text string) string { return strings.Replace(text, "2026010101 ;", "7 ;", 1) }) // an old copy was put back
	if err := z.apply(z.provider([]string{script, "change", z.path}), tlsa.RRset{}, rrset("1")); err != nil {
		t.Error(err)
	}
	z.awaitServed(owner, rrset("1"))

	write(t, z.path+"-lazy", "[ $1 = reload ] || exec "+z.rndc+` "$@"`+"\n")
	lazy := newProvider(t, exec.Config{Read: []string{script, "read", z.path}, Change: []string{script, "change", z.path}, Env: []string{"RNDC=sh " + z.path + "-lazy", "PATIENCE=0.2"}})
	wants(t, z.apply(lazy, rrset("1"), rrset("1", "2")), dnsprovider.Temporary, "zonefile: the server has not loaded serial ")
	_, err := lazy.RRset(t.Context(), zone, owner)
	wants(t, err, dnsprovider.Temporary, "of example.org. from the file: its log says why")
	if err := z.apply(z.provider([]string{script, "change", z.path}), rrset("1"), rrset("1", "2")); err != nil {
		t.Error(err)
	}
	z.awaitServed(owner, rrset("1", "2"))
}

// TestExampleZonefileDynamic: a zone whose file named writes is not for this.
func TestExampleZonefileDynamic(t *testing.T) {
	t.Parallel()
	needs(t, "named-compilezone")
	dir := t.TempDir()
	write(t, dir+"/zone", zoneText)
	write(t, dir+"/rndc", "echo 'serial: 7'; echo 'dynamic: yes'\n")
	z := &zoneFile{t: t, path: dir + "/zone", rndc: "sh " + dir + "/rndc"}
	err := z.apply(z.provider([]string{example(t, "exec-zonefile/zonefile"), "change", z.path}), tlsa.RRset{}, rrset("1"))
	wants(t, err, dnsprovider.Temporary, "zonefile: example.org. is a dynamic zone, whose file is the server's: change it by dynamic update")
	if z.read() != zoneText {
		t.Error("the file was changed")
	}
}

// TestExampleZonefileRefuses: where something is wrong with the file nothing is changed.
func TestExampleZonefileRefuses(t *testing.T) {
	t.Parallel()
	z := startZoneFile(t)
	script := example(t, "exec-zonefile/zonefile")
	p := z.provider([]string{script, "change", z.path})
	for _, test := range []struct{ name, text, want string }{
		{"a broken zone", zoneText + "mx IN A 127.0.0\n", ":8: near '127.0.0': bad dotted quad"},
		{"no zone", "", "zonefile: named-compilezone: "},
		{"half a mark", zoneText + blockBegin, "the marks of the block that tlsaroll writes are not in order"},
		{"marks about", zoneText + blockEnd + blockBegin, "the marks of the block that tlsaroll writes are not in order"},
		{"two blocks", zoneText + blockBegin + blockEnd + blockBegin + blockEnd, "the marks of the block that tlsaroll writes are not in order"},
		{"a serial elsewhere", "$INCLUDE " + z.path + ".soa\nns1 IN A 127.0.0.1\n", "the serial 7 of the SOA record is not found in the file"},
		{"an owner lost", zoneText + blockBegin + blockEnd + " IN TXT x\n", "the zone file would not come to what was meant: nothing was changed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			write(t, z.path+".soa", "@ IN SOA ns1 hostmaster 7 3600 600 86400 300\n@ IN NS ns1\n")
			write(t, z.path, test.text)
			err := z.apply(p, tlsa.RRset{}, rrset("1"))
			if err == nil || dnsprovider.KindOf(err) != dnsprovider.Temporary || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %s", err, test.want)
			}
			if diff := cmp.Diff(test.text, z.read()); diff != "" {
				t.Errorf("the file (-was +is):\n%s", diff)
			}
		})
	}
}

// TestExampleZonefileSerials: they rise, and no other number does.
func TestExampleZonefileSerials(t *testing.T) {
	t.Parallel()
	needs(t, "named-compilezone")
	dir := t.TempDir()
	write(t, dir+"/rndc", "[ $1 = reload ] || named-compilezone -q -s full -o - example.org "+dir+"/zone | awk '$4 == \"SOA\" { print \"serial: \" $7 }'\n")
	z := &zoneFile{t: t, path: dir + "/zone", rndc: "sh " + dir + "/rndc"}
	p := z.provider([]string{example(t, "exec-zonefile/zonefile"), "change", z.path})
	today := time.Now().UTC().Format("20060102")
	for _, test := range []struct{ soa, want string }{
		{"@ IN SOA ns1 hostmaster 1 3600 600 86400 300\n@ NS ns1\nns1 A 127.0.0.1\n", "@ IN SOA ns1 hostmaster 2 3600 600 86400 300\n"},
		{"@ IN SOA ns1 hostmaster (3600 3600 600 86400 300)\n@ NS ns1\nns1 A 127.0.0.1\n", "@ IN SOA ns1 hostmaster (3601 3600 600 86400 300)\n"},
		{"@ IN SOA ns1 hostmaster 4294967295 3600 600 86400 300\n@ NS ns1\nns1 A 127.0.0.1\n", "@ IN SOA ns1 hostmaster 0 3600 600 86400 300\n"},
		{"; SOA 2026010101\n@ soa ns1 hostmaster ( ; 2026010101\n2026010101 3600 600 86400 300 )\n@ NS ns1\nns1 A 127.0.0.1\n", "; SOA 2026010101\n@ soa ns1 hostmaster ( ; 2026010101\n" + today + "00 3600"},
		{"@ IN SOA ns1 hostmaster " + today + "07 3600 600 86400 300\n@ NS ns1\nns1 A 127.0.0.1\n", "@ IN SOA ns1 hostmaster " + today + "08 3600"},
		{"@ IN SOA ns1 hostmaster 2099010101 3600 600 86400 300\n@ NS ns1\nns1 A 127.0.0.1\n", "@ IN SOA ns1 hostmaster 2099010102 3600"},
	} {
		write(t, z.path, "$TTL 3600\n"+test.soa)
		if err := z.apply(p, tlsa.RRset{}, rrset("1")); err != nil {
			t.Error(err)
		}
		if text := z.read(); !strings.HasPrefix(text, "$TTL 3600\n"+test.want) {
			t.Errorf("the file is\n%s, want\n%s", text, test.want)
		}
	}
}
