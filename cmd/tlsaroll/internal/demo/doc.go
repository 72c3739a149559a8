// Package demo shows what tlsaroll is for in a world of its own: the same renewal
// twice, under the same senders, first as scripts do it and then with the agent
// that the daemon runs.
//
// Everything in that world is real but for where it stands: DNS over UDP and TCP,
// zones that are signed while they answer, a secondary that follows late,
// resolvers that verify from the root down and keep each answer for all of its TTL,
// SMTP with STARTTLS, senders that judge the chain as RFC 7672 says. Its addresses
// are mapped to sockets on 127.0.0.1 with ports that the kernel chooses, and lead
// nowhere else; its files are in a temporary directory. So it needs no rights, no
// configuration and no network.
//
// A [Stage] shows the story. It is told by looking at the world ten times a second:
// what one look finds that the one before did not is worth a line.
package demo
