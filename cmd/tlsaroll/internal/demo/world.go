package demo

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A world is everything that the demo takes place in.
type world struct {
	clock   agent.Clock
	dir     string
	network network
	zone    *memory.Zone
	mail    *mailServer
	caches  []*cache // of the senders' resolvers
	senders []sender
	certs   []certificate // number 1 is in service at first
	servers []*nameserver // authoritative ones and resolvers
}

func newWorld(ctx context.Context, clock agent.Clock) (w *world, err error) {
	w = &world{clock: clock, network: newNetwork()}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "tlsaroll-demo-"); err != nil {
		return w, fmt.Errorf("no temporary directory: %w (hint: TMPDIR names another place)", err)
	}
	for _, step := range []func() error{w.issue, w.startMail, w.startDNS} {
		if err := step(); err != nil {
			return w, err
		}
	}
	return w, w.try(ctx)
}

// issue makes the certificates of the story.
func (w *world) issue() error {
	ca, err := newIssuer(w.clock.Wall)
	if err != nil {
		return err
	}
	for number := 1; number <= 3; number++ {
		c, err := ca.issue(number)
		if err != nil {
			return err
		}
		w.certs = append(w.certs, c)
	}
	return nil
}

// startDNS starts the root, two servers of the zone, and the resolvers: one a
// sender, and one for the agent.
func (w *world) startDNS() error {
	now := w.clock.Wall
	content, err := memory.New(memory.Options{Name: domain, Primary: primary, Secondaries: []string{secondary}, Now: now, NegativeTTL: recordTTL,
		Content: map[tlsa.Owner]tlsa.RRset{owner: tlsa.NewRRset(recordTTL, w.certs[0].record, foreign)}})
	if err != nil {
		return err
	}
	content.Follow(secondary, lag)
	w.zone = content
	t, err := newTree(content, now)
	if err != nil {
		return err
	}
	answers := map[netip.AddrPort]func(*dns.Msg) (*dns.Msg, error){
		rootAt:     t.rootZone().answer,
		ns1At:      t.childZone(primary).answer,
		ns2At:      t.childZone(secondary).answer,
		resolverAt: newResolver(t.hint(), w.network, now, 0).answer,
	}
	for i := range resolvers {
		r, at := newResolver(t.hint(), w.network, now, i), netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(101 + i)}), dnsPort)
		answers[at] = r.answer
		w.caches = append(w.caches, r.answers)
		w.senders = append(w.senders, sender{at, w.network, now})
	}
	// All places are known before anybody is asked, and asks others.
	started := map[netip.AddrPort]*nameserver{}
	for at := range answers {
		n, err := listenDNS()
		if err != nil {
			return err
		}
		w.servers, started[at] = append(w.servers, n), n
		w.network.place(at, n)
	}
	for at, n := range started {
		if err := n.serve(answers[at]); err != nil {
			return err
		}
	}
	return nil
}

// try makes one handshake, by the agent's resolver, so that the senders' are left
// with empty caches.
func (w *world) try(ctx context.Context) error {
	if err := (sender{resolverAt, w.network, w.clock.Wall}).handshake(ctx); err != nil {
		return fmt.Errorf("the demo's world does not work on this host: %w (hint: is its loopback interface up?)", err)
	}
	return nil
}

// combined is the file that the mail server reads.
func (w *world) combined() string { return filepath.Join(w.dir, "mx1.pem") }

func (w *world) startMail() error {
	if err := w.install(w.certs[0]); err != nil {
		return err
	}
	var err error
	if w.mail, err = serveMail(w.combined()); err != nil {
		return err
	}
	w.network.tcp[mailAt] = w.mail.listener.Addr().String()
	return nil
}

func (w *world) install(c certificate) error { return os.WriteFile(w.combined(), c.combined(), 0o600) }

// reload is the command that has the mail server read its file.
func (w *world) reload(context.Context, []string) ([]byte, error) { return nil, w.mail.reload() }

// close leaves nothing behind. Whoever asks questions has ended before.
func (w *world) close() error {
	var errs []error
	if w.mail != nil {
		errs = append(errs, w.mail.close())
	}
	for _, s := range w.servers {
		errs = append(errs, s.close())
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}
