package lab

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// A sender enforces DANE behind one resolver: it runs posttls-finger where
// /etc/resolv.conf names that resolver.
type sender struct {
	index   int
	thread  *thread
	program string // posttls-finger
	config  string // a Postfix configuration folder with defaults only
}

// trust-ad: glibc hides the AD bit from programs without it.
const senderResolvConf = "nameserver %s\noptions trust-ad timeout:5 attempts:2\n"

// handshakePatience is what one handshake may take in all, its lookups included.
const handshakePatience = 30 * time.Second

func (l *Lab) startSenders() error {
	dir, err := l.mkdir("senders")
	if err != nil {
		return err
	}
	if err := os.WriteFile(dir+"/main.cf", []byte("compatibility_level = 3.7\n"), 0o644); err != nil {
		return err
	}
	for i, at := range l.Resolvers {
		file := fmt.Sprintf("%s/resolv-%d.conf", dir, i)
		if err := os.WriteFile(file, fmt.Appendf(nil, senderResolvConf, at.Addr()), 0o644); err != nil {
			return err
		}
		th, err := newThread(func() error { return enterNamespace(file) })
		if err != nil {
			return fmt.Errorf("sender %d: %w", i, err)
		}
		l.senders = append(l.senders, &sender{i, th, l.programs["posttls-finger"], dir})
	}
	return nil
}

func (s *sender) end() { s.thread.end() }

// An Outcome is how a handshake ended.
type Outcome string

// Outcomes. Only Verified is a success: in each other case a sender that
// enforces DANE would have kept the mail.
const (
	Verified   Outcome = "verified"
	Unverified Outcome = "unverified" // TLS, but the chain matches no TLSA record
	NoRecords  Outcome = "no records" // no usable TLSA, or no secure answer
	Lookup     Outcome = "lookup"     // the resolver had no answer
	NoTLS      Outcome = "no TLS"     // no connection, no STARTTLS, or TLS did not come about
)

// A Handshake is one delivery attempt up to TLS.
type Handshake struct {
	Resolver  int        // whose cache it went by: index of Lab.Resolvers
	Address   netip.Addr // of the mail server; with several it takes any, and the next if it is refused
	Begun     time.Time
	Took      time.Duration
	Outcome   Outcome
	MatchedBy string // the RDATA that matched, as of [tlsa.Association.String]; "" if none
	Output    string // of posttls-finger
}

// handshake runs one posttls-finger, which takes chains of the given key types only.
func (s *sender) handshake(host string, port uint16, takes []KeyType) Handshake {
	argv := []string{"-l", "dane-only", "-c", "-t", "10", "-T", "10"}
	if len(takes) > 0 {
		argv = append(argv, "-p", ">=TLSv1.2, <=TLSv1.2", "-o", "tls_medium_cipherlist="+ciphers(takes)) // ciphers of TLS 1.3 say nothing of keys
	}
	if port == 465 || port == 993 || port == 995 {
		argv = append(argv, "-w") // TLS from the first octet; the protocol within does not matter
	}
	h := s.finger(append(argv, fmt.Sprintf("[%s]:%d", host, port))...)
	h.judge()
	return h
}

// finger runs one posttls-finger.
func (s *sender) finger(argv ...string) Handshake {
	var out bytes.Buffer
	cmd := exec.Command(s.program, argv...)
	cmd.Env = []string{"PATH=" + searchPath, "LC_ALL=C", "MAIL_CONFIG=" + s.config}
	cmd.Dir = s.config
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = senderAttr()
	h := Handshake{Resolver: s.index, Begun: time.Now()}
	if err := s.thread.start(cmd); err != nil {
		h.Outcome, h.Output = NoTLS, err.Error()
		return h
	}
	limit := time.AfterFunc(handshakePatience, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
	err := cmd.Wait()
	limit.Stop()
	h.Took = time.Since(h.Begun)
	h.Output = strings.TrimSpace(out.String())
	if err != nil {
		h.Output += "\n" + err.Error()
	}
	return h
}

// ciphers is OpenSSL's word for the suites with these keys.
func ciphers(takes []KeyType) string {
	var list []string
	for _, kt := range takes {
		list = append(list, "a"+strings.ToUpper(string(kt)))
	}
	return strings.Join(list, ":")
}

// addressed is a host with the address that was taken of it.
var addressed = regexp.MustCompile(`\S\[([0-9.]+)\]:\d`)

// judge reads posttls-finger's output; its exit status says nothing about TLS.
func (h *Handshake) judge() {
	has := func(text string) bool { return strings.Contains(h.Output, text) }
	switch {
	case has("TLSA records found, resorting to"), has("TLSA records unusable"):
		h.Outcome = NoRecords // it goes on with PKIX, which a dane-only delivery does not
	case has("Verified TLS connection established"):
		h.Outcome = Verified
	case has("TLS connection established"):
		h.Outcome = Unverified
	case has("lookup error"), has("lookup problem"), has("lookup failed"), has("Name service error"):
		h.Outcome = Lookup
	default:
		h.Outcome = NoTLS
	}
	if at := addressed.FindAllStringSubmatch(h.Output, -1); at != nil {
		h.Address, _ = netip.ParseAddr(at[len(at)-1][1]) // the zero Addr if it is none
	}
	if _, after, ok := strings.Cut(h.Output, "Matched DANE "); ok {
		line, _, _ := strings.Cut(after, "\n")
		if _, record, ok := strings.Cut(line, ": "); ok {
			h.MatchedBy = strings.ToLower(record)
		}
	}
}

// Finger makes one handshake with a host of the lab, by the cache of the given
// resolver. Ports 465, 993 and 995 have TLS from the start, others STARTTLS of SMTP.
// With key types the sender takes chains with such keys only, the first rather
// than the next, by TLS 1.2.
func (l *Lab) Finger(resolver int, host string, port uint16, takes ...KeyType) Handshake {
	return l.senders[resolver].handshake(host, port, takes)
}
