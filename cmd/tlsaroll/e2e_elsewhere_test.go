package main

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// elsewhereProgram is the program on a host whose clock someone sets, and which has
// fewer addresses than this one: the file that elsewhereEnv names says so, and is read
// at each use.
const (
	elsewhereProgram = "tlsaroll-elsewhere"
	elsewhereEnv     = "TLSAROLL_TEST_ELSEWHERE"
)

// elsewhere is in what a host differs from this one.
type elsewhere struct {
	Step         time.Duration // of the wall clock
	Synchronised bool          // whether the kernel calls that clock right
	OthersToo    bool          // the name servers' clocks were stepped likewise
	Addresses    []netip.Addr  // of its interfaces; nil: this host's
}

func elsewhereMain() {
	name, now := os.Getenv(elsewhereEnv), time.Now
	wall := func() time.Time { return now().Add(readElsewhere(name).Step) }
	os.Exit(asProcess(world{
		now: func() time.Time {
			if readElsewhere(name).OthersToo {
				return now()
			}
			return wall()
		},
		host: func(cfg *agent.Config) {
			cfg.Clock.Wall, cfg.Clock.Synchronised = wall, func() bool { return readElsewhere(name).Synchronised }
			if at := readElsewhere(name).Addresses; at != nil {
				cfg.Local = func() []netip.Addr { return at }
			}
		},
	}))
}

func readElsewhere(name string) (e elsewhere) {
	text, err := os.ReadFile(name)
	if err := errors.Join(err, json.Unmarshal(text, &e)); err != nil {
		panic(err)
	}
	return e
}

// elsewhere has the daemon of the host, from its next start on, take the host for
// another, and changes that for one that runs.
func (h *host) elsewhere(e elsewhere) {
	h.t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		h.t.Fatal(err)
	}
	name := filepath.Join(h.Dir, "elsewhere.json")
	if err := errors.Join(os.WriteFile(name+".new", text, 0o600), os.Rename(name+".new", name)); err != nil {
		h.t.Fatal(err)
	}
	h.program, h.env = elsewhereProgram, []string{elsewhereEnv + "=" + name}
}
