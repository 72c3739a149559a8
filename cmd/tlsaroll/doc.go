// Command tlsaroll keeps DANE working while mail servers change certificates.
//
// Its configuration is /etc/tlsaroll/tlsaroll.yaml, see
// [github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config]. Results go to
// standard output, all else to standard error.
//
// # Who may do what
//
// What is to be guarded are the private keys, the right to change TLSA records, and the
// choice of the certificate that is served. Tests hold what is said here: TestSilence,
// TestMisplacedSecrets, TestModes and TestNoCore of this package, and those named below.
//
// The configuration: who may write it runs commands as the daemon's user, root as a rule.
// It holds no secret, but for the URL of a webhook where that is written out; one that
// stands in it by mistake is refused and not repeated.
//
// The state directory (0700; entries of the stash 0700, every file 0600, whatever the
// umask): who may read it has the keys of the live, the previous and the next
// certificates, and so has a backup of it. Who may write it chooses what is served, as the
// journal is believed, and an entry of the stash is only held to be whole. So a directory
// that everyone may write to is refused (journal.ErrExposed). Nothing in it but the stash
// holds a key; provider secrets are not there. Without the journal every wait starts again, and
// records of ours that nothing needs any more look like someone else's.
//
// The control socket (0660, root and control-group; who connects is asked of the kernel,
// see package control): who is let in may give all orders, hand in a pair, and so bring a
// key of their own into service, or end DANE with withdraw. They get no key out, no file
// read or written at a path of their choice, since pairs travel as content, and no command
// run that the configuration does not name. So: those who may be trusted with the mail
// host's certificate, and nobody else. A client hands its pair to no listener but root's,
// its own user's or that of the directory's owner.
//
// The installer (installer: in the configuration; see package installer): the daemon is a user
// then, and this is root. Who took the daemon over has its keys and its right to change
// records. They can have a pair installed for a lineage if its certificate is for every
// endpoint of it, and nothing else: paths, owners, names and commands are root's, who is
// believed only where nobody else may write the file or a directory on the way to it
// (TestTrusted). A request is read before anything is done with it (FuzzRequest); the kernel
// says whose it is, and a lineage's servers are reloaded six times in a row, then every ten
// seconds (TestInstallerOften). The live pair and the one before are kept in a directory of
// root's own, which the daemon cannot read.
//
// The status page (listen:; the page itself, metrics, healthz, readyz): read only. Names,
// dates, digests and what waits for what are in it, no secret. What others may have written
// of that, as names and errors of servers, is text there and never markup, and the browser is
// told to run and load nothing but what is ours (Content-Security-Policy). On loopback every user of the host may
// read it, and no page elsewhere through the browser of one: what is asked for under a name that is
// neither loopback's nor configured is refused. Elsewhere it must have a password or a token, which
// is asked for before anything is answered.
//
// Staged files: they are read, never written. Who may write them chooses the next
// certificate, after the same waits and checks as any. A key that everyone may read is
// refused (certwatch.ErrExposed). Where files are torn, an old or a new pair is taken
// whole, or none (FuzzTorn of certwatch).
//
// Install directories: files are made there 0600, beside those that they replace, and get
// their owner and mode before their name. Who may write to such a directory can put
// another key there, and could before tlsaroll came. The previous pair is kept, 0600.
//
// Commands (check:, reload:, notify:) run as the daemon's user, without a shell, with an
// environment of their own that has no secret in it. What they print may be quoted in
// errors, but no part of a key that they were to read (FuzzQuoted of package subprocess).
// Those under notify: are given the JSON of warnings and nothing else.
//
// The TSIG key: who has it may change what the name server lets it change; give it the
// TLSA records alone (update-policy … zonesub TLSA). With it and a place between sender
// and host somebody else can pass for the host. It is read from a file that others may not
// read, from the environment or from systemd's credentials, and is kept in memory alone. A
// reply that it did not sign changes nothing (FuzzVerify, FuzzReplies of rfc2136).
//
// The resolver and the network: a name server's answers count by the signatures, which are
// verified here, too (FuzzWorld of lookup). The resolver is believed on what is secure
// only on loopback or with trust-resolver, and no answer of it makes a wait shorter. Who
// can keep answers from us can hold a swap up, and no more.
//
// Checked domains: what check shows was said by servers that anybody may run. None of it
// moves a cursor, runs as a formula in a spreadsheet or becomes markup (TestHostile of
// paper); the page for browsers loads nothing and runs nothing (TestSheetStandsAlone).
// Every address of every MX host is connected to, and no mail is sent.
//
// A crash leaves no core, and no process but root's can read the memory of this one.
package main
