package lookup

import (
	"bytes"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// compareNames orders names as RFC 4034, section 6.1 does: label by label from the
// root, each as lower-case octets.
func compareNames(a, b string) int {
	return slices.CompareFunc(octets(a), octets(b), bytes.Compare)
}

// octets returns a name's labels as unescaped lower-case octets, from the root
// down. A name that cannot be packed has none and sorts first.
func octets(name string) [][]byte {
	buf := make([]byte, 256)
	end, err := dns.PackDomainName(dns.Fqdn(name), buf, 0, nil, false)
	if err != nil {
		return nil
	}
	var labels [][]byte
	for off := 0; off < end && buf[off] != 0; off += int(buf[off]) + 1 {
		label := buf[off+1 : off+1+int(buf[off])]
		for i, c := range label { // only ASCII has case here (RFC 4343, section 3)
			if 'A' <= c && c <= 'Z' {
				label[i] = c + 'a' - 'A'
			}
		}
		labels = append(labels, label)
	}
	slices.Reverse(labels)
	return labels
}

// closest returns the longest name that is an ancestor of both, or one of them.
func closest(a, b string) string {
	n := dns.CompareDomainName(a, b)
	labels := dns.SplitDomainName(a)
	if n == 0 {
		return "."
	}
	return strings.Join(labels[len(labels)-n:], ".") + "."
}

// last returns the last n labels of name.
func last(name string, n int) string {
	for dns.CountLabel(name) > n {
		name = parent(name)
	}
	return name
}

func wildcard(encloser string) string {
	if encloser == "." {
		return "*."
	}
	return "*." + encloser
}
