package main

import (
	"cmp"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

const hostZone = "example.org."

// notFaked are the types that are tried with a real server, or with a program.
var notFaked = []string{"exec", "manual", "powerdns", "rfc2136"}

// atOnceAtExit keeps a program with the race detector from waiting a second at its end.
const atOnceAtExit = "GORACE=atexit_sleep_ms=0"

// TestHostExamplesPublish: the program publishes two records with each example against the
// host's API as it is documented, takes one out and then the other, and leaves those
// of others alone.
func TestHostExamplesPublish(t *testing.T) {
	t.Parallel()
	eachFakedExample(t, func(t *testing.T, e hostExample, fake hostFake) {
		zone := fakeapi.NewZone(hostZone)
		server := fake.make(zone, e.load(t, e.text, nil).Providers[0])
		zone.Add("_25._tcp.mx1."+hostZone, "TLSA", 3600, "3 1 1 "+strings.Repeat("ab", 32))
		before := zone.Records("", "")
		env, text := fake.answers(t, e.text, server)
		file, _ := e.place(t, text)
		publish(t, env, file, "publish", hostZone)
		if after := zone.Records("", ""); !slices.EqualFunc(before, after, sameRecord) {
			t.Errorf("%s: the zone was\n%v\nand is\n%v", e.kind.Type, before, after)
		}
		f := server.Fixture()
		if f.Listings() == 0 || f.InFlight() == 0 || f.InFlight() > dnsprovider.DefaultInFlight {
			t.Errorf("%s: %d listings, %d requests at once", e.kind.Type, f.Listings(), f.InFlight())
		}
	})
}

// eachFakedExample runs a test for every type whose host has a fake, and wants one for all but
// those that are tried otherwise.
func eachFakedExample(t *testing.T, test func(*testing.T, hostExample, hostFake)) {
	t.Helper()
	fakes := hostFakes()
	for _, k := range providerKinds() {
		if fake, ok := fakes[k.Type]; ok {
			t.Run(k.Type, func(t *testing.T) { test(t, hostExampleOf(t, k), fake) })
		} else if !slices.Contains(notFaked, k.Type) {
			t.Errorf("%s: nobody has tried this type", k.Type)
		}
	}
}

func sameRecord(a, b fakeapi.Record) bool {
	return a.Name == b.Name && a.Type == b.Type && a.TTL == b.TTL && a.Data == b.Data
}

// TestHostExamplesWithoutAPI: the same with the types that ask no API of a host, at a PowerDNS and
// with a program of the test's own.
func TestHostExamplesWithoutAPI(t *testing.T) {
	t.Parallel()
	t.Run("exec", func(t *testing.T) {
		e := hostExampleOf(t, kindOf(t, "exec"))
		program, err := exec.LookPath(zoneProgram)
		if err != nil {
			t.Fatal(err)
		}
		zone := filepath.Join(t.TempDir(), "zone.json")
		writeFile(t, zone, "[]")
		file, _ := e.place(t, replaced(t, e.text,
			aReplacement{"/usr/local/lib/tlsaroll/zone", program},
			aReplacement{`# env: ["ACCOUNT=4711", "TOKEN_FILE=/etc/tlsaroll/zone-token"]`, "env: [" + zoneEnv + "=" + zone + ", " + atOnceAtExit + "]"}))
		publish(t, nil, file, "publish", hostZone)
	})
	l := lab.Start(t, lab.Options{Primary: lab.PowerDNS, Resolvers: 1})
	key := l.Key(hostZone)
	signed := []aReplacement{
		{"server: ns1.example.org ", "server: " + l.Primary.String() + " "}, {"key: tlsaroll.example.org.", "key: " + key.Name},
		{"secret-file: /etc/tlsaroll/tsig.secret", "secret-file: " + key.SecretFile},
	}
	hands := "  " + byHands + ": {type: rfc2136, server: \"" + l.Primary.String() + "\", key: " + key.Name + ", secret-file: " + key.SecretFile + "}\n"
	for kind, table := range map[string][]aReplacement{
		"rfc2136":  signed,
		"powerdns": {{"http://127.0.0.1:8081", l.PowerDNS.URL}, {"/etc/tlsaroll/powerdns.token ", l.PowerDNS.KeyFile + " "}},
		"manual": {
			{"mail: hostmaster@example.org", "tell: [/bin/true]"}, {"# server: ns1.example.org:53", "server: " + l.Primary.String()},
			{"\nproviders:\n", "\nproviders:\n" + hands},
		},
	} {
		t.Run(kind, func(t *testing.T) {
			e := hostExampleOf(t, kindOf(t, kind))
			file, _ := e.place(t, replaced(t, e.text, table...))
			publish(t, nil, file, "publish", hostZone)
		})
	}
}

func kindOf(t *testing.T, name string) providerKind {
	t.Helper()
	i := slices.IndexFunc(providerKinds(), func(k providerKind) bool { return k.Type == name })
	if i < 0 {
		t.Fatalf("there is no type %s", name)
	}
	return providerKinds()[i]
}

// publish runs the publisher with nothing of this process's environment.
func publish(t *testing.T, env []string, args ...string) {
	t.Helper()
	if out, err := publisherCommand(t, env, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

func publisherCommand(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), publisherProgram, args...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), atOnceAtExit}, env...)
	return c
}

// TestHostExamplesShareAccount: four providers with one secret are one account, at which
// no more than two requests are on their way. With other secrets they are others.
func TestHostExamplesShareAccount(t *testing.T) {
	t.Parallel()
	eachFakedExample(t, func(t *testing.T, e hostExample, fake hostFake) {
		crowd := &crowd{Handler: fake.make(fakeapi.NewZone(hostZone), e.load(t, e.text, nil).Providers[0])}
		env, text := fake.answers(t, e.fourTimes(), crowd)
		file, _ := e.place(t, text)
		publish(t, env, file, "read", hostZone, "2")
		if top := crowd.most(); top > dnsprovider.DefaultInFlight || top == 0 {
			t.Errorf("%s: %d requests at once", e.kind.Type, top)
		}
	})
	t.Run("others", func(t *testing.T) {
		e, fake := hostExampleOf(t, kindOf(t, "desec")), hostFakes()["desec"]
		crowd := &crowd{Handler: fake.make(fakeapi.NewZone(hostZone), e.load(t, e.text, nil).Providers[0])}
		env, text := fake.answers(t, strings.Replace(e.fourTimes(), "desec.token", "other.token", 1), crowd)
		file, _ := e.place(t, text)
		other := filepath.Join(filepath.Dir(file), "other.token")
		writeFile(t, other, secretOf("desec", "token")+" \n") // the same, so that it is good
		publish(t, env, file, "read", hostZone, "2")
		if top := crowd.most(); top > dnsprovider.DefaultInFlight {
			t.Errorf("%d requests at once", top)
		}
		crowd.hold = 5 * time.Second
		writeFile(t, other, "another\n")
		if out, err := publisherCommand(t, env, file, "read", hostZone, "2").CombinedOutput(); err == nil {
			t.Errorf("the other token is good: %s", out)
		}
		if top := crowd.most(); top <= dnsprovider.DefaultInFlight {
			t.Errorf("%d requests at once, so that nothing is shown by two", top)
		}
	})
}

// fourTimes is the example with its provider four times, for whatever zone is asked for.
func (e hostExample) fourTimes() string {
	lines := strings.SplitAfter(e.block(), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "    zone:") })
	name, all := strings.TrimSuffix(strings.TrimSpace(lines[0]), ":"), strings.Join(lines, "")
	for _, other := range []string{"b", "c", "d"} {
		all += "  " + other + ":\n" + strings.Join(lines[1:], "")
	}
	text := strings.Replace(e.text, e.block(), all, 1)
	return strings.Replace(text, "  mx1:\n", "  mx1:\n    provider: "+name+"\n", 1)
}

// crowd holds each request until three have met, or for a moment.
type crowd struct {
	http.Handler
	hold time.Duration // zero: 50 ms

	mu       sync.Mutex
	now, top int
	met      chan struct{}
}

func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	if c.met == nil {
		c.met = make(chan struct{})
	}
	c.now++
	if c.top = max(c.top, c.now); c.now == 3 {
		select {
		case <-c.met:
		default:
			close(c.met)
		}
	}
	met := c.met
	c.mu.Unlock()
	timer := time.NewTimer(cmp.Or(c.hold, 50*time.Millisecond))
	select {
	case <-met:
	case <-timer.C:
	}
	timer.Stop()
	c.Handler.ServeHTTP(w, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now--
}

func (c *crowd) most() int { c.mu.Lock(); defer c.mu.Unlock(); return c.top }
