package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// TestOrderKeepsNobodyWaiting: a CA that takes its time with an order of once's keeps nobody
// from handing a pair in, or from asking how things stand.
func TestOrderKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{Resolvers: 1}, setting{})
	h.must(exitDone, "once")
	ca, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}) // which never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer ca.Close()
	h.configure(setting{staged: fmt.Sprintf("names: [mx1.example.org, mail.example.org]\n    acme: {directory: \"https://%s/dir\"}", ca.Addr())})
	if err := ca.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	once := h.start("once")
	conn, err := ca.Accept()
	if err != nil {
		t.Fatalf("nothing is ordered: %v\n%s", err, once.errs)
	}
	h.must(exitDone, "status")
	pair := h.Certificates().Issue(t, lab.LeafOptions{})
	if _, errs := h.must(exitDone, "hook", "--cert", pair.Combined()); !strings.HasPrefix(errs.String(), "tlsaroll: mx1: taken; ") {
		t.Errorf("the hook says\n%s", errs)
	}
	conn.Close()
	if code := <-once.done; code != exitError {
		t.Errorf("once: exit %d\n%s", code, once.errs)
	}
}
