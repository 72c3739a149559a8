package sim

import (
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// What people do to servers, machines and CAs in stories.

// CrossSigned is the same CA, name and key, with a certificate of another issuer.
func (w *World) CrossSigned(ca, issuer *CA) *CA {
	w.T.Helper()
	template := *ca.cert
	template.SignatureAlgorithm, template.AuthorityKeyId = 0, nil
	return &CA{key: ca.key, issuer: issuer, cert: w.sign(&template, issuer, ca.key)}
}

// Start makes a server answer again.
func (w *World) Start(s *Server) { s.down = false }

// CatchUp gives a server what the primary has.
func (w *World) CatchUp(s *Server) {
	w.serve(s, w.Zone)
	s.pending = nil
}

// Takes makes a server give a zone that somebody put there.
func (w *World) Takes(s *Server, zone map[tlsa.Owner]Stored) {
	fresh := map[tlsa.Owner]Stored{}
	for owner, r := range zone {
		fresh[owner] = newStored(r.RRset, w.Now, true)
	}
	w.serve(s, fresh)
}

// Gives is what a server gives at an owner name, and whether it gives anything.
func (s *Server) Gives(owner tlsa.Owner) (tlsa.RRset, bool) {
	return s.zone[owner].RRset, !s.down
}

// SwitchOff takes a machine out of DNS and switches it off.
func (w *World) SwitchOff(n *Node) { n.Served, n.coming, n.Gone, n.lonely = "", false, true, true }

// SwitchOn brings one back, with whatever pair it has.
func (w *World) SwitchOn(n *Node, id tlsa.ChainID) { n.Served, n.Gone, n.lonely = id, false, false }

// Ended gives how an action of the last pass ended, "" where it went well, and
// whether it was carried out at all.
func (w *World) Ended(a rollover.Action) (err string, begun bool) {
	for i := len(w.log) - 1; i >= 0; i-- {
		if at, line, _ := strings.Cut(w.log[i], " "); strings.HasPrefix(line, a.String()) {
			return strings.TrimSpace(line[len(a.String()):]), at == w.Passed.Sub(Epoch).String()
		}
	}
	return "", false
}
