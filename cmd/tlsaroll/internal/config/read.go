package config

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

const day = 24 * time.Hour

// maxSocketPath is the room in sockaddr_un, less the final zero (unix(7)).
const maxSocketPath = 107

// readConfig reads the whole document. Everything in it is looked at, whatever
// is wrong with the rest.
func (r *reader) readConfig(doc value) *Config {
	c := &Config{
		State:        "/var/lib/tlsaroll",
		Control:      defaultControl,
		ControlGroup: "root",
		NotifyAt:     "error",
		NotifyRemind: day,
		ResolverTest: ".",
		Timing:       Timing{rollover.DefaultTiming(), 5 * time.Second},
	}
	f, ok := doc.mapping("write keys and values, as in state: /var/lib/tlsaroll")
	if !ok {
		return nil
	}
	f.file("state", &c.State, "/var/lib/tlsaroll")
	r.readControl(&f, c)
	r.readInstaller(&f, c)
	r.readResolver(&f, c)
	r.readTiming(&f, &c.Timing)
	r.readNotify(&f, c)
	r.readWeb(&f, c)
	c.Zones = r.readZones(&f)
	c.Providers = r.readProviders(&f)
	c.Lineages = r.readLineages(&f)
	f.done()
	r.checkClaims(c)
	r.checkLifetimes(c)
	return c
}

// checkLifetimes warns of self-signed certificates that end while their records are still
// waited for: none would ever be swapped in, as its end is no time to begin.
func (r *reader) checkLifetimes(c *Config) {
	for _, l := range c.Lineages {
		v, given := r.seen["lineages."+l.Name+".lifetime"]
		if wait := c.Timing.PublicationInterval(l.TTL); given && l.SelfSigned && l.Lifetime <= wait {
			v.warn(fmt.Sprintf("not longer than the wait before a swap, which is %s or more: no certificate would live to see it", ShortDuration(wait)), "write "+ShortDuration(4*wait)+" or more")
		}
	}
}

func (r *reader) readControl(f *fields, c *Config) {
	f.file("control", &c.Control, defaultControl)
	r.socketFits("control", c.Control)
	f.account("control-group", "group", &c.ControlGroup)
}

func (r *reader) readInstaller(f *fields, c *Config) {
	f.file("installer", &c.Installer, "/run/tlsaroll-installer.sock")
	r.socketFits("installer", c.Installer)
	if c.Installer != "" {
		c.InstallerUser = "tlsaroll"
	}
	f.account("installer-user", "user", &c.InstallerUser)
	if f.has("installer-user") && !f.has("installer") {
		r.seen["installer-user"].lacks("nobody installs for another user", "write installer: /run/tlsaroll-installer.sock, or take this out")
	}
}

// socketFits refuses a socket's path that the kernel has no room for.
func (r *reader) socketFits(key, path string) {
	if len(path) > maxSocketPath {
		r.seen[key].fail(fmt.Sprintf("a path of %d octets, and a socket's has room for %d", len(path), maxSocketPath), "choose a shorter one")
	}
}

// account reads the name or number of a user or group.
func (f *fields) account(key, kind string, to *string) {
	v, ok := f.take(key)
	if !ok {
		return
	}
	hint := "write a " + kind + "'s name or number"
	if s, ok := v.text(hint); ok {
		if !account.MatchString(s) {
			v.fail(fmt.Sprintf("%q is not the name of a %s", s, kind), hint)
		}
		*to = s
	}
}

func (r *reader) readResolver(f *fields, c *Config) {
	f.flag("trust-resolver", &c.TrustResolver)
	if v, ok := f.take("resolver-test"); ok {
		if s, ok := v.text("write a name in a signed zone"); ok && s != "." {
			c.ResolverTest, _ = v.canonical(s, "write a name in a signed zone")
		}
	}
	v, ok := f.take("resolver")
	if !ok {
		if c.Resolver, ok = r.SystemResolver(); !ok {
			c.Resolver = netip.AddrPort{}
			f.warn("no resolver on loopback in /etc/resolv.conf, so that nothing can be told to be secure", "install unbound, and write resolver: 127.0.0.1:53")
		}
		return
	}
	if c.Resolver, ok = v.addressPort(53); ok && !c.Resolver.Addr().IsLoopback() && !c.TrustResolver {
		v.warn("a resolver elsewhere is not believed, so that nothing can be told to be secure", "install unbound here, or write trust-resolver: true if the way there is safe")
	}
}

func (r *reader) readTiming(root *fields, t *Timing) {
	v, ok := root.take("timing")
	if !ok {
		return
	}
	f, ok := v.mapping("write timing: {ttls: 2, floor: 1h}")
	if !ok {
		return
	}
	f.whole("ttls", &t.TTLs, 1, 100)
	if t.TTLs == 1 {
		if v, ok := f.take("ttls"); ok {
			v.warn("one TTL is RFC 6698, appendix A.4; RFC 7671, section 8.1 wants two", "write ttls: 2")
		}
	}
	if v, ok := f.duration("floor", &t.Floor, span{0, 30 * day}); ok && t.Floor < 2*time.Second {
		t.Floor = 2 * time.Second
		v.warn("raised to 2s: resolvers count whole seconds, and may give an answer out a second past its TTL", "write floor: 2s or more")
	}
	f.duration("unknown-ttl", &t.UnknownTTL, span{time.Second, maxTTL})
	f.duration("retire", &t.Retire, span{0, 365 * day})
	f.duration("settle", &t.Settle, span{time.Second, time.Hour})
	f.duration("quiet", &t.Quiet, span{0, time.Hour})
	f.duration("poll", &t.Poll, span{time.Second, day})
	f.duration("look", &t.Look, span{time.Second, day})
	f.done()
}

func (r *reader) readWeb(root *fields, c *Config) {
	if v, ok := root.take("listen"); ok {
		if s, isText := v.scalarText(); isText && strings.HasPrefix(s, ":") {
			v.fail(fmt.Sprintf("%q is not an address with a port", s), "write 127.0.0.1"+s+", or [::]"+s+" for every address")
		} else {
			c.Listen, _ = v.addressPort(0)
		}
	}
	v, ok := root.take("web")
	if !ok {
		if c.Listen.IsValid() && !c.Listen.Addr().IsLoopback() {
			root.seen["listen"].fail("everyone who can reach it could read the status", "listen on 127.0.0.1, or write web: {auth: {user: …, password-file: …}}")
		}
		return
	}
	f, ok := v.mapping("write web: {auth: {user: …, password-file: …}}")
	if !ok {
		return
	}
	if a, ok := f.take("auth"); ok {
		a.readAuth(&c.Web)
	} else if !f.has("auth") && c.Listen.IsValid() && !c.Listen.Addr().IsLoopback() {
		v.lacks("no auth", "write web: {auth: {user: …, password-file: …}}, or listen on 127.0.0.1")
	}
	if n, ok := f.take("name"); ok {
		c.Web.Name = n.hostName("status.example.org")
		if !c.Web.Password.IsZero() || !c.Web.Token.IsZero() || c.Listen.IsValid() && !c.Listen.Addr().IsLoopback() {
			n.warn("has no effect: with a password or a token it answers under every name", "take it out")
		}
	}
	f.file("cert", &c.Web.Cert, "/etc/tlsaroll/web.pem")
	f.file("key", &c.Web.Key, "/etc/tlsaroll/web.key")
	if (c.Web.Cert == "") != (c.Web.Key == "") {
		v.lacks("cert and key go together", "write both, or neither")
	}
	f.done()
	if c.Listen.IsValid() && !c.Listen.Addr().IsLoopback() && c.Web.Cert == "" {
		v.warn("passwords and tokens cross the network in the clear", "write cert and key, or put a proxy with TLS before it and listen on 127.0.0.1")
	}
	if !c.Listen.IsValid() {
		v.lacks("nothing listens", "write listen: 127.0.0.1:9253, or take this out")
	}
}

func (v value) readAuth(w *Web) {
	f, ok := v.mapping("write auth: {user: …, password-file: …}, or auth: {token-file: …}")
	if !ok {
		return
	}
	if u, ok := f.take("user"); ok {
		const hint = "write a name without a colon"
		if w.User, ok = u.text(hint); ok && strings.Contains(w.User, ":") {
			u.fail("a name with a colon", hint)
		}
	}
	before := len(v.errors)
	w.Password, _, _ = f.secret("password", w.User != "")
	w.Token, _, _ = f.secret("token", false)
	f.done()
	if len(v.errors) > before {
		return
	}
	if basic := w.User != "" && !w.Password.IsZero(); basic == !w.Token.IsZero() {
		v.lacks("not one way of authentication", "write a user with a password, or a token alone")
	}
}
