package lab

import (
	"fmt"
	"os"
	"strings"
)

const bindOptions = `
options {
	directory "%[1]s";
	pid-file none;
	session-keyfile none;
	lock-file none;
	listen-on port 53 { %[2]s };
	listen-on-v6 { none; };
	recursion no;
	notify no;
	dnssec-validation no;
	empty-zones-enable no;
	allow-transfer { %[3]s };
};
`

const bindNoControls = "controls { };\n"

const bindControls = `
controls {
	inet %s port 953 allow { 127.0.0.0/8; } keys { "%s"; };
};
`

const rndcOptions = `
options { default-server %s; default-key "%s"; };
`

const bindPolicy = `
dnssec-policy "lab" {
	keys { csk lifetime unlimited algorithm ecdsap256sha256; };
	dnskey-ttl 60;
	signatures-validity 14d;
	signatures-refresh 5d;
};
`

const bindZone = `
zone "%[1]s" {
	type primary;
	file "%[1]szone";
	check-integrity no;
%[4]s	update-policy {
		grant "%[2]s" zonesub %[5]s;
		grant "%[3]s" zonesub ANY;
		grant "%[6]s" zonesub TXT;
	};
};
`

const bindSigning = `	dnssec-policy "lab";
	inline-signing yes;
`

// startBIND starts BIND as the primary.
func (l *Lab) startBIND(dir string) error {
	var conf strings.Builder
	for _, k := range append([]Key{l.hand, l.transfer, l.control, l.acme}, l.keys()...) {
		conf.WriteString(k.clause())
	}
	fmt.Fprintf(&conf, bindOptions, dir, l.Primary.Addr().String()+";", fmt.Sprintf("key %q;", l.transfer.Name))
	fmt.Fprintf(&conf, bindControls, l.Primary.Addr(), l.control.Name)
	rndc := l.control.clause() + fmt.Sprintf(rndcOptions, l.Primary.Addr(), l.control.Name)
	if err := os.WriteFile(dir+"/rndc.conf", []byte(rndc), 0o600); err != nil {
		return err
	}
	conf.WriteString(bindPolicy)
	for _, z := range l.zones {
		signing := bindSigning
		if z.security == insecure {
			signing = ""
		}
		types := "TLSA"
		if l.Pebble != nil {
			types = "TLSA TXT"
		}
		fmt.Fprintf(&conf, bindZone, z.name, z.key.Name, l.hand.Name, signing, types, l.acme.Name)
		if err := z.write(dir); err != nil {
			return err
		}
	}
	return l.startNamed("primary", dir, conf.String())
}

func (l *Lab) startNamed(name, dir, conf string) error {
	if err := os.WriteFile(dir+"/named.conf", []byte(conf), 0o600); err != nil {
		return err
	}
	return l.serve(name, l.programs["named"], "-f", "-n", "1", "-c", dir+"/named.conf", "-L", l.logPath(name))
}
