package lab

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "labd" {
		os.Exit(labd())
	}
	goleak.VerifyTestMain(m)
}

// labd is a daemon, which the test binary is when it is called so.
func labd() int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGUSR1)
	fmt.Println("args", os.Args[1:], os.Getenv("LABD"))
	notify("READY=1\nSTATUS=waiting")
	for sig := range signals {
		switch sig {
		case syscall.SIGHUP:
			notify("RELOADING=1")
			fmt.Fprint(os.Stderr, "reload")
			fmt.Fprintln(os.Stderr, "ed")
			notify("READY=1")
		case syscall.SIGTERM:
			notify("STOPPING=1")
			return 3
		case syscall.SIGUSR1: // leaves a child behind
			if err := exec.Command("sleep", "60").Start(); err != nil {
				panic(err)
			}
			return 0
		}
	}
	return 1
}

func notify(state string) {
	conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	if _, err := strings.NewReader(state).WriteTo(conn); err != nil {
		panic(err)
	}
}
