package main

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// newTestDaemon has no more of a daemon than a configuration in force.
func newTestDaemon(cfg config.Config) *daemon {
	d := newDaemon(&program{configFile: "tlsaroll.yaml"})
	d.present.Store(&present{cfg: &cfg})
	return d
}

// TestUnchangeable: what would stay as it was is said, secrets included.
func TestUnchangeable(t *testing.T) {
	old := config.Config{State: "/var/lib/tlsaroll", Control: "/run/tlsaroll/control.sock", ControlGroup: "root", Listen: netip.MustParseAddrPort("127.0.0.1:9253"),
		Web: config.Web{User: "me", Password: config.NewSecret([]byte("leaked"))}}
	d := newTestDaemon(old)
	for key, change := range map[string]func(c *config.Config){
		"":              func(c *config.Config) { c.Web.Password = config.NewSecret([]byte("leaked")) },
		"state":         func(c *config.Config) { c.State = "/srv" },
		"control":       func(c *config.Config) { c.Control = "/run/control.sock" },
		"control-group": func(c *config.Config) { c.ControlGroup = "mail" },
		"listen":        func(c *config.Config) { c.Listen = netip.AddrPort{} },
		"web":           func(c *config.Config) { c.Web.Password = config.NewSecret([]byte("another")) },
	} {
		cfg := old
		change(&cfg)
		err := d.unchangeable(&cfg)
		if key == "" {
			if err != nil {
				t.Errorf("the same: %v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), ": "+key+": cannot change") || strings.Contains(err.Error(), "another") {
			t.Errorf("%s: %v", key, err)
		}
	}
}
