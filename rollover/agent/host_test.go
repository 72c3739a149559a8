package agent

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilesThatServersRead(t *testing.T) {
	for _, test := range []struct {
		install []Install
		want    []string
	}{
		{nil, []string{"/var/lib/tlsaroll/live/mx1"}},
		{[]Install{{Path: "/etc/postfix/mx1.pem"}, {Dir: "/etc/dovecot/mx1"}}, []string{"/etc/postfix/mx1.pem", "/etc/dovecot/mx1"}},
	} {
		g := newGroup([]Lineage{{Name: "mx1", Install: test.install}}, Config{State: "/var/lib/tlsaroll"})
		if diff := cmp.Diff(test.want, g.policy.Lineages["mx1"].Files); diff != "" {
			t.Error(diff)
		}
	}
}
