package arch

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// parsers are all that read octets which somebody else wrote, and the fuzz targets that
// feed them, by the room that these stand in. Each for a minute:
//
//	for p in $(go list ./...); do
//		for f in $(go test -list '^Fuzz' "$p" | grep ^Fuzz); do
//			go test -run '^$' -fuzz "^$f\$" -fuzztime 60s -fuzzminimizetime 10x "$p" || exit
//		done
//	done
//
// A plain go test runs each over its seeds.
var parsers = []struct{ what, room, targets string }{
	{"certificates and keys in PEM", "certwatch", "FuzzFromPEM FuzzOrder"},
	{"keys alone, as ACME clients keep their next ones", "certwatch", "FuzzParseKey"},
	{"a pair while another takes its place", "certwatch", "FuzzTorn"},
	{"the environment and the arguments of ACME clients' hooks", "certwatch", "FuzzRecognise"},
	{"what a CA says of renewals", "certwatch/acme", "FuzzRenewalInfo FuzzRetryAfter"},
	{"a chain from a CA", "certwatch/acme", "FuzzChain"},
	{"accounts and notes, in their files", "certwatch/acme", "FuzzKept"},
	{"the FILE of record and match", "cmd/tlsaroll", "FuzzChainFile"},
	{"the records of match and adopt", "cmd/tlsaroll", "FuzzRecord"},
	{"the domains of check and the lines of its list", "cmd/tlsaroll", "FuzzTarget"},
	{"the configuration", "cmd/tlsaroll/internal/config", "FuzzLoad"},
	{"host names as people write them", "cmd/tlsaroll/internal/config", "FuzzHost"},
	{"resolv.conf", "cmd/tlsaroll/internal/config", "FuzzSystemResolver"},
	{"what mail servers, BIND and ACME clients have on a host", "cmd/tlsaroll/internal/finder", "FuzzFind"},
	{"requests on the control socket, pairs in them", "cmd/tlsaroll/internal/control", "FuzzRequest"},
	{"the daemon's answers", "cmd/tlsaroll/internal/control", "FuzzFrames"},
	{"what people were told, in its file", "cmd/tlsaroll/internal/notify", "FuzzLoad"},
	{"TLSRPT reports, and the mails that bring them", "cmd/tlsaroll/internal/tlsrpt", "FuzzRead"},
	{"replies of Azure DNS", "dnsprovider/azuredns", "FuzzListing"},
	{"replies of Cloudflare's API", "dnsprovider/cloudflare", "FuzzListing"},
	{"replies of Google Cloud DNS", "dnsprovider/googleclouddns", "FuzzListing"},
	{"replies of authoritative servers and resolvers", "dnsprovider/lookup", "FuzzReply FuzzWorld"},
	{"hidden servers", "dnsprovider/lookup", "FuzzParseHidden"},
	{"the order of names in denials", "dnsprovider/lookup", "FuzzCompareNames"},
	{"what commands that read and change a zone print", "dnsprovider/exec", "FuzzReply"},
	{"replies of the primary of a zone that a person changes, and what that person was told", "dnsprovider/manual", "FuzzReplies FuzzTold"},
	{"replies to updates, and to questions at the primary", "dnsprovider/rfc2136", "FuzzReplies FuzzInterpret"},
	{"signatures of replies", "dnsprovider/rfc2136", "FuzzVerify"},
	{"what KDCs and servers say to tickets; built with -tags gsstsig alone", "dnsprovider/rfc2136", "FuzzGSSKDC FuzzGSSToken"},
	{"what servers answer to ClientHellos that are made by hand", "rollover/internal/hello", "FuzzServerHello"},
	{"the journal's file", "rollover/internal/journal", "FuzzOpen"},
	{"the journal's entries", "rollover/internal/journal", "FuzzEntries"},
	{"requests to the installer, and its answers", "rollover/installer", "FuzzRequest FuzzReply"},
	{"greetings and STARTTLS of SMTP, IMAP, POP3 and ManageSieve", "rollover/internal/probe", "FuzzDialogues FuzzReply"},
	{"endpoints", "rollover/internal/probe", "FuzzParseURL"},
	{"MTA-STS policies and the records that announce them", "rollover/mtasts", "FuzzParsePolicy FuzzParseRecord"},
	{"what commands print", "rollover/subprocess", "FuzzQuoted"},
	{"TLSA records", "rollover/tlsa", "FuzzParseAssociation"},
	{"owner names", "rollover/tlsa", "FuzzParseOwner"},
	{"chains", "rollover/tlsa", "FuzzParseChain FuzzChainJSON"},
}

// TestParsers holds the table and the tree to each other: each parser's targets exist, and
// no target is missing in it.
func TestParsers(t *testing.T) {
	tr := load(t, root(t))
	for _, difference := range unlike(tr) {
		t.Error(difference)
	}
	if got := unlike(tree{}); len(got) < len(parsers) {
		t.Errorf("in an empty tree only %d targets are missing", len(got))
	}
}

func unlike(tr tree) (differences []string) {
	var stand, named []string
	for _, s := range tr.sources {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Fuzz") {
				stand = append(stand, path.Dir(s.path)+" "+f.Name.Name)
			}
		}
	}
	for _, p := range parsers {
		for _, target := range strings.Fields(p.targets) {
			name := p.room + " " + target
			if named = append(named, name); !slices.Contains(stand, name) {
				differences = append(differences, fmt.Sprintf("%s: %s does not exist", p.what, name))
			}
		}
	}
	for _, name := range stand {
		if !slices.Contains(named, name) {
			differences = append(differences, name+": which parser is this for?")
		}
	}
	return differences
}
