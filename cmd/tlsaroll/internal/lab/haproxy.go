package lab

import (
	"fmt"
	"strconv"
)

// Debian's begins so, too: the workers run as a user that cannot read the key.
const haproxyConf = `
global
	log stderr format raw local0 notice
	user haproxy
	group haproxy
	maxconn 100
defaults
	log global
	mode http
	option dontlognull
	timeout connect 5s
	timeout client 50s
	timeout server 50s
%s`

// startHAProxy starts a master and its worker, as Debian's unit does, and reloads as that one
// does once it has looked at the configuration.
func (l *Lab) startHAProxy(m *MailServer, s Serving) error {
	if err := m.configure(haproxyConf, s.Config); err != nil {
		return err
	}
	if err := l.serve(m.Name, l.programs["haproxy"], "-W", "-f", m.Config); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	m.Reload = []string{l.programs["kill"], "-USR2", strconv.Itoa(l.PIDs()[m.Name])}
	return nil
}
