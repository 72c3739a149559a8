package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// TestMain lets tests run the program: the test binary called as tlsaroll, or as
// one that takes the host for another.
func TestMain(m *testing.M) {
	if strings.HasSuffix(os.Args[0], ".test") {
		sayLeftOut()
	}
	testscript.Main(leakless{m}, map[string]func(){"tlsaroll": main, elsewhereProgram: elsewhereMain, publisherProgram: publisherMain, zoneProgram: zoneMain, seenProgram: seenMain})
}

// leakless are tests that leave no goroutine behind.
type leakless struct{ *testing.M }

func (m leakless) Run() int {
	if err := sideBySide(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.M.Run()
	if code != 0 {
		return code // a test that failed may well have left something
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "goroutines are left over:", err)
		return 1
	}
	return 0
}

// sideBySide runs eight tests at once, unless -parallel says something else: those with
// real servers wait most of the time, and one after the other they would take longer
// than go test allows.
func sideBySide() error {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if said {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(max(8, runtime.GOMAXPROCS(0))))
}

// sayLeftOut tells who sits before a terminal: go test shows what a test says of
// its being left out only with -v.
func sayLeftOut() {
	lacks := lab.Lacks()
	if lacks == "" {
		return
	}
	terminal, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	if err != nil {
		return // there is none: -v tells
	}
	defer terminal.Close()
	fmt.Fprintln(terminal, "LEFT OUT, every test with real servers: "+lacks)
}

// TestScript runs what stands in testdata/script.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			if err := os.CopyFS(filepath.Join(env.WorkDir, "certs"), os.DirFS("testdata/certs")); err != nil {
				return err
			}
			digests, err := os.ReadFile("testdata/certs/digests")
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(digests)) { // leaf 1 1 14c3… is $leaf11
				f := strings.Fields(line)
				env.Setenv(f[0]+f[1]+f[2], f[3])
			}
			env.Setenv("NO_COLOR", "1")
			return nil
		},
	})
}
