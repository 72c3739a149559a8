package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// hosts answers what is asked for under a name of this host alone, where neither a password
// nor a token guards a listener on loopback. A page elsewhere could otherwise have its own name
// lead to 127.0.0.1 and read ours in the browser of somebody on this host (DNS rebinding): it would
// be one origin to that browser. Where there is a password that is no way in, as the browser gives it
// to the origin alone that it was given for; a proxy before us may then ask under any name.
//
// /healthz is answered under any name: it says in a word whether passes are made, which a refusal
// says just as well, and whoever restarts programs should not be kept from it. /metrics and /readyz
// are not: they name lineages and what is wrong with them. Who scrapes asks at the address that we
// listen on, and that is a name of this host.
func (s *Server) hosts(inside http.Handler) http.Handler {
	if !s.cfg.Listen.Addr().IsLoopback() || !s.cfg.Web.Password.IsZero() || !s.cfg.Web.Token.IsZero() {
		return inside
	}
	scheme := "http://"
	if s.cfg.Web.Cert != "" {
		scheme = "https://"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" && !ofThisHost(r.Host, s.cfg.Web.Name) {
			http.Error(w, "host: this page answers at loopback addresses, as localhost and under the name that the configuration gives it, and under no other (hint: open "+
				scheme+s.Addr().String()+"/, or write web: {name: …})", http.StatusMisdirectedRequest)
			return
		}
		inside.ServeHTTP(w, r)
	})
}

// ofThisHost reports whether nobody else can have a name lead here: an address, localhost
// (RFC 6761, section 6.3), the configured name; or none at all, which HTTP/1.0 allows and no
// browser does.
func ofThisHost(host, configured string) bool {
	if host == "" {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")); err == nil {
		return addr.Unmap().IsLoopback()
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || configured != "" && host == configured
}
