package lab

import "testing"

func TestUp(t *testing.T) {
	l := Start(t, Options{Dovecot: true, Resolvers: 3})
	for i := range l.Resolvers {
		for _, port := range []uint16{25, 993} {
			if h := l.Finger(i, Host, port); h.Outcome != Verified {
				t.Errorf("resolver %d, port %d: %s\n%s", i, port, h.Outcome, h.Output)
			}
		}
	}
}
