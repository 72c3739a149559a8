package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// Only the way a mail goes depends on its sender; nothing is taken from the network.
const sendingPostfixMain = `
compatibility_level = 3.7
queue_directory = %[1]s/queue
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = %[2]s
myhostname = mta.example.org
myorigin = $myhostname
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = %[3]s
maillog_file_prefixes = %[4]s
smtp_dns_support_level = dnssec
smtp_tls_loglevel = 1
sender_dependent_default_transport_maps = %[5]s
tls_random_source = dev:/dev/urandom
`

const sendingPostfixMaster = `
pickup unix n - n 60 1 pickup
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
proxymap unix - - n - - proxymap
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
`

const sendingPostfix = "postfix-sends"

// startSendingPostfix starts a Postfix whose levels of TLS are ways of their own.
func (l *Lab) startSendingPostfix(programs string) error {
	dir, err := l.mkdir(sendingPostfix)
	if err != nil {
		return err
	}
	if err := postfixQueue(dir); err != nil {
		return err
	}
	config := dir + "/etc"
	if err := os.Mkdir(config, 0o755); err != nil {
		return err
	}
	var ways []string
	master := sendingPostfixMaster
	for _, m := range []MTA{PostfixDANE, PostfixDANEOnly, PostfixMay, PostfixEncrypt, PostfixNone} {
		level := strings.TrimPrefix(string(m), "postfix-")
		ways = append(ways, fmt.Sprintf("{ %s@mta.example.org = %[1]s: }", m))
		master += fmt.Sprintf("%s unix - - n - - smtp -o smtp_tls_security_level=%s\n", m, level)
		script := fmt.Sprintf("#!/bin/sh\nexec %s -C %s -f %s@mta.example.org \"$@\"\n", l.programs["sendmail"], config, m)
		if err := WriteExecutable(programs+"/"+string(m), []byte(script), 0o755); err != nil {
			return err
		}
	}
	main := fmt.Sprintf(sendingPostfixMain, dir, postfixDaemons, l.logPath(sendingPostfix), l.path("log"), "inline:{ "+strings.Join(ways, ", ")+" }")
	if err := os.WriteFile(config+"/main.cf", []byte(main), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(config+"/master.cf", []byte(master), 0o644); err != nil {
		return err
	}
	return l.serveBy(l.senders[0].thread.start, sendingPostfix, l.programs[postfixDaemons+"/master"], "-c", config, "-d")
}

// sendingPostfixReady waits until mail can be handed in.
func (l *Lab) sendingPostfixReady(ctx context.Context) error {
	return await(ctx, func(context.Context) error {
		if err := l.ended(sendingPostfix); err != nil {
			return err
		}
		_, err := os.Stat(l.path(sendingPostfix) + "/queue/public/pickup")
		return err
	})
}
