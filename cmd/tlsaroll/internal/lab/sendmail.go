package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// It takes no mail for anybody. The directories above are the machine's for temporary files,
// which sendmail finds unsafe unless it is told to count on the sticky bit.
const sendmailMC = "divert(0)dnl\n" +
	"VERSIONID(`lab')dnl\n" +
	"OSTYPE(`linux')dnl\n" +
	"define(`confDOMAIN_NAME', `%[1]s')dnl\n" +
	"define(`confPID_FILE', `%[2]s/pid')dnl\n" +
	"define(`QUEUE_DIR', `%[2]s/queue')dnl\n" +
	"define(`STATUS_FILE', `')dnl\n" +
	"define(`ALIAS_FILE', `')dnl\n" +
	"define(`confHOSTS_FILE', `%[2]s/hosts')dnl\n" +
	"define(`confTO_IDENT', `0')dnl\n" +
	"define(`confDONT_PROBE_INTERFACES', `true')dnl\n" +
	"define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit')dnl\n" +
	"define(`confREFUSE_LA', `0')dnl\ndefine(`confDELAY_LA', `0')dnl\n" +
	"FEATURE(`no_default_msa')dnl\n" +
	"DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=%[3]s, Port=25')dnl\n" +
	"%[4]s" +
	"MAILER(`local')dnl\nMAILER(`smtp')dnl\n"

// It waits for a name that it takes to be whole, and asks who its clients are.
const sendmailScript = `#!/bin/sh
[ "$1" = inside ] || exec %[1]s --mount --uts --propagation private "$0" inside
%[2]s --bind %[3]s/hosts /etc/hosts || exit
%[2]s --bind %[4]s/resolv-0.conf /etc/resolv.conf || exit
%[8]s %[5]s || exit
exec %[6]s -bD -C%[7]s
`

// startSendmail starts sendmail in the foreground. SIGHUP has it start itself anew, which is
// what Debian's reload does.
func (l *Lab) startSendmail(m *MailServer, s Serving) error {
	dir, program := filepath.Dir(m.Config), l.programs["sendmail-mta"]
	if err := os.Mkdir(dir+"/queue", 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(dir+"/hosts", fmt.Appendf(nil, "127.0.0.1 localhost\n%s %s\n", s.At, s.Host), 0o644); err != nil {
		return err
	}
	cf := filepath.Join(filepath.Dir(filepath.Dir(program)), "sendmail-cf", "cf") // as .ci/run unpacks it
	m4 := exec.Command(l.programs["m4"], "-D_CF_DIR_="+cf+"/", cf+"/m4/cf.m4", "-")
	m4.Stdin = bytes.NewReader(fmt.Appendf(nil, sendmailMC, s.Host, dir, s.At, s.Config))
	text, err := m4.Output()
	if err != nil {
		return fmt.Errorf("m4: %w", err)
	}
	if err := os.WriteFile(m.Config, text, 0o644); err != nil {
		return err
	}
	script := fmt.Sprintf(sendmailScript, l.programs["unshare"], l.programs["mount"], dir, l.path("senders"), s.Host, program, m.Config, l.programs["hostname"])
	if err := WriteExecutable(dir+"/start", []byte(script), 0o755); err != nil {
		return err
	}
	if err := l.serve(m.Name, dir+"/start"); err != nil {
		return err
	}
	m.Reload = []string{l.programs["kill"], "-HUP", strconv.Itoa(l.PIDs()[m.Name])}
	return nil
}
