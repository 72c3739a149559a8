// Package lab is a test world of real servers on loopback addresses: a signed
// root and its signed top-level zones, a primary that takes dynamic updates and
// signs (BIND, Knot or PowerDNS), an NSD secondary whose transfers are held back,
// validating Unbounds with the lab's root as trust anchor, Postfix and, where asked for,
// Dovecot. Its senders are posttls-finger processes that enforce DANE, each behind one of
// the resolvers, so that what a cache still holds decides whether a handshake succeeds.
//
// Nothing of it touches the machine's own servers, their configuration or its
// resolver. It needs root: for port 53 and 25, for addresses on the loopback
// interface and for the mount namespaces in which a sender has a resolv.conf of
// its own. Several labs may run at once; each has a /24 of its own.
//
// A test of a rollover looks like this:
//
//	l := lab.Start(t, lab.Options{TTL: 10 * time.Second, SecondaryLag: 9 * time.Second, Resolvers: 8})
//	next := l.Certificates().Issue(t, lab.LeafOptions{})
//	h := l.Hammer(t.Context(), lab.HammerOptions{})
//	// … have next published, swapped in (l.Postfix.Combined, l.Postfix.Reload)
//	// with l.Key(lab.Domain) at l.Primary …
//	if c := h.Stop(); c.Failed > 0 {
//		t.Error(c)
//	}
//
// With [Options.Pebble] there is an ACME CA that validates by the lab's zones, and that
// has a new issuer whenever it is started again:
//
//	l := lab.Start(t, lab.Options{Pebble: &lab.PebbleOptions{}})
//	// … have a client with l.ACMEKey() for dns-01 order at l.Pebble.Directory, which
//	// l.Pebble.CAFile vouches for, with the profile lab.ShortLived …
//	l.Pebble.Restart(t)
//
// What no server of Debian does, or would take one process for each host, is done within
// the test's own: mail servers with faults ([Lab.ServeMX]), zones that are wrongly signed or
// unevenly served ([Lab.Craft]), policies of MTA-STS ([Lab.ServePolicies]).
//
// With [Options.MTAs] Postfix and Exim send mail, behind the first of the resolvers, each in
// several ways: what [Lab.Sendmail] names takes it as sendmail(8) does.
//
// A test of a host's life has a [Daemon] beside it and does what happens to such
// hosts: servers that go away ([Lab.Stop], [Lab.Kill], [Lab.Pause]) and come back, an
// old zone that is restored ([Lab.RestoreZone], [Lab.RestoreFiles]), name servers that
// come and go ([Lab.AddSecondary], [Lab.SetNS], [Lab.SetDelegation]). Where a person,
// not the program, brings failures about, [Counts.Before] and [Counts.Since] tell
// them apart.
package lab
