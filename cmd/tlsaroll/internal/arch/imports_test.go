package arch

import (
	"fmt"
	"slices"
	"strings"
)

// pure are the rooms that decide. What they may not reach for is what would make
// the same question get another answer the next time.
var pure = []string{"rollover", "rollover/tlsa", "rollover/mtasts", "rollover/audit"}

var impure = []string{"net", "os", "context", "log", "log/slog", "sync", "sync/atomic", "os/exec", "os/signal", "net/http", "math/rand", "math/rand/v2"}

// workers are the rooms that look and act for the agent, each on its own.
var workers = []string{"certwatch", "dnsprovider", "rollover/internal/probe", "rollover/internal/stsfetch", "rollover/internal/swap", "rollover/internal/journal"}

// harnesses are packages for tests that stand in files of their own.
var harnesses = []string{"dnsprovider/providertest", "dnsprovider/providertest/fakeapi", "cmd/tlsaroll/internal/lab", "rollover/internal/sim"}

// modules are those we depend on, and what for. Another one needs a reason here.
var modules = map[string]string{
	"github.com/miekg/dns":                "DNS messages, updates and TSIG",
	"github.com/libdns":                   "providers with an API",
	"github.com/ovh/go-ovh":               "what OVH's libdns module lacks: the refresh after a failure, the zone's TTL; it is linked in with that module anyway",
	"github.com/pbergman/provider":        "what libdns' module for TransIP is made of",
	"github.com/hetznercloud/hcloud-go":   "the errors of libdns' module for Hetzner",
	"github.com/aws/aws-sdk-go-v2/config": "whether the SDK takes a configuration, before the module of Route 53 ends the process for it; it is linked in with that module anyway",
	"github.com/go-acme/lego/v4":          "ACME",
	"github.com/fsnotify/fsnotify":        "events of files",
	"github.com/spf13/cobra":              "commands, completion and manual pages",
	"github.com/spf13/pflag":              "cobra's options, to put their errors into words",
	"github.com/goccy/go-yaml":            "YAML with places",
	"go.etcd.io/bbolt":                    "the journal",
	"github.com/google/renameio/v2":       "files replaced whole",
	"github.com/coreos/go-systemd/v22":    "notify, watchdog and sockets that are passed",
	"github.com/prometheus/client_golang": "metrics",
	"github.com/cenkalti/backoff/v5":      "when to try again",
	"golang.org/x/crypto":                 "what TLS messages are made of",
	"golang.org/x/net":                    "names in other scripts, and a limit of connections",
	"golang.org/x/sync":                   "errgroup and singleflight",
	"golang.org/x/sys":                    "what the kernel says of clocks and files",
	"golang.org/x/term":                   "is it a terminal",
	"github.com/jcmturner/gokrb5":         "Kerberos for GSS-TSIG, behind a build tag",
}

// testModules are for tests, and for harnesses.
var testModules = map[string]string{
	"github.com/cockroachdb/datadriven": "stories that are compared, and rewritten with a flag",
	"github.com/google/go-cmp":          "differences",
	"github.com/rogpeppe/go-internal":   "scripts",
	"go.uber.org/goleak":                "goroutines left over",
	"pgregory.net/rapid":                "random worlds",
}

// imports finds imports against the way of the data:
// cmd → agent → {rollover, certwatch, dnsprovider, rollover/internal} → rollover/tlsa → the standard library.
func imports(tr tree) (broken []string) {
	for _, p := range tr.packages {
		for _, imported := range p.Imports {
			if why := forbidden(p.room(), imported); why != "" {
				broken = append(broken, fmt.Sprintf("%s imports %s: %s", p.room(), imported, why))
			}
		}
	}
	return broken
}

func forbidden(room, imported string) (why string) {
	theirs, ours := strings.CutPrefix(imported, module+"/")
	if !ours {
		return forbiddenModule(room, imported)
	}
	worker, wanted := roomOf(room, workers), roomOf(theirs, workers)
	switch {
	case slices.Contains(harnesses, theirs) && !slices.Contains(harnesses, room):
		return "a harness is for tests"
	case slices.Contains(pure, room) && theirs != "rollover/tlsa" && (room != "rollover/audit" || theirs != "rollover" && theirs != "rollover/mtasts"):
		return "who decides knows nothing of who looks and acts"
	case within(theirs, "cmd") && !within(room, "cmd"):
		return "the program uses the library, never the other way"
	case slices.Contains(harnesses, room):
		return ""
	case worker != "" && wanted != "" && worker != wanted:
		return "rooms that look and act know nothing of each other: the agent connects them"
	case within(room, "dnsprovider") && within(theirs, "dnsprovider") && theirs != "dnsprovider" && !within(theirs, room) && !within(theirs, "dnsprovider/internal"):
		return "one provider knows nothing of another"
	case worker != "" && within(theirs, "rollover/agent"):
		return "the agent uses this room, never the other way"
	case worker != "" && worker != "rollover/internal/journal" && theirs == "rollover":
		return "who looks and acts has no opinion on rollovers"
	}
	return ""
}

func forbiddenModule(room, imported string) (why string) {
	first, _, _ := strings.Cut(imported, "/")
	standard := !strings.Contains(first, ".")
	switch {
	case slices.Contains(pure, room) && !standard:
		return "who decides needs the standard library alone"
	case slices.Contains(pure, room) && slices.Contains(impure, imported):
		return "who decides performs no I/O, reads no clock, draws no lots, logs nothing and shares nothing"
	case imported == "testing" && !slices.Contains(harnesses, room):
		return "only harnesses link the testing package"
	case standard, roomOf(imported, keys(modules)) != "":
		return ""
	case roomOf(imported, keys(testModules)) == "":
		return "a new dependency needs its reason in the table of modules"
	case !slices.Contains(harnesses, room):
		return "this module is for tests"
	}
	return ""
}

// within reports whether a path is dir or stands below it.
func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// roomOf is the one of rooms that a path is within, "" if none.
func roomOf(p string, rooms []string) string {
	for _, r := range rooms {
		if within(p, r) {
			return r
		}
	}
	return ""
}

func keys(m map[string]string) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	return ks
}
