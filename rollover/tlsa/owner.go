package tlsa

import (
	"fmt"
	"strconv"
	"strings"
)

// Owner is an owner name of TLSA records in canonical form: absolute, lower
// case, A-labels, such as "_25._tcp.mx1.example.org.". It is a name of any shape,
// as an alias may lead to one (RFC 7671, section 7).
type Owner string

// OwnerOf returns the owner name of RFC 6698, section 3 for a TCP service.
func OwnerOf(port uint16, base string) (Owner, error) {
	if port == 0 {
		return "", fmt.Errorf("owner name for %q: port 0 is not a port", base)
	}
	name, err := canonical(base)
	if err != nil {
		return "", err
	}
	return parseLen("_" + strconv.Itoa(int(port)) + "._tcp." + name)
}

// ParseOwner brings a name into canonical form.
func ParseOwner(s string) (Owner, error) {
	name, err := canonical(s)
	if err != nil {
		return "", err
	}
	return parseLen(name)
}

// Base returns the TLSA base domain (RFC 7671, section 2.1) without the trailing
// dot, or "" where the name is not of the form _port._transport.base.
func (o Owner) Base() string {
	_, base, ok := o.split()
	if !ok {
		return ""
	}
	return strings.TrimSuffix(base, ".")
}

// Port returns the port in the name, 0 where there is none.
func (o Owner) Port() uint16 {
	port, _, _ := o.split()
	return port
}

func (o Owner) split() (port uint16, base string, ok bool) {
	first, rest, _ := strings.Cut(string(o), ".")
	second, base, _ := strings.Cut(rest, ".")
	n, err := strconv.ParseUint(strings.TrimPrefix(first, "_"), 10, 16)
	if err != nil || n == 0 || first != "_"+strconv.FormatUint(n, 10) || len(second) < 2 || second[0] != '_' || base == "" {
		return 0, "", false
	}
	return uint16(n), base, true
}

// String returns the name with its trailing dot.
func (o Owner) String() string { return string(o) }

// UnmarshalText accepts any spelling of the name, see [ParseOwner], and nothing for
// a name that is not known.
func (o *Owner) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*o = ""
		return nil
	}
	*o, err = ParseOwner(string(text))
	return err
}

// CanonicalHost brings a host name into the form of a reference identifier:
// lower case, A-labels, no trailing dot.
func CanonicalHost(s string) (string, error) {
	name, err := canonical(s)
	if err != nil {
		return "", err
	}
	if _, err := parseLen(name); err != nil {
		return "", err
	}
	return strings.TrimSuffix(name, "."), nil
}

// canonical folds case and adds the trailing dot. Labels beyond ASCII are refused:
// which A-label a U-label becomes is a question of its own (RFC 5891), to be
// answered before a name gets here.
func canonical(s string) (string, error) {
	name := strings.TrimSuffix(s, ".")
	if name == "" {
		return "", fmt.Errorf("name %q: empty (hint: write it whole, as in mx1.example.org)", s)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" {
			return "", fmt.Errorf("name %q: an empty label", s)
		}
		if len(label) > 63 {
			return "", fmt.Errorf("name %q: the label %q has %d octets, 63 are allowed (RFC 1035, section 2.3.4)", s, label, len(label))
		}
		for _, c := range []byte(label) {
			if c >= 0x80 {
				return "", fmt.Errorf("name %q: not ASCII (hint: write the A-label, as in xn--bcher-kva.example)", s)
			}
			if c <= ' ' || c == 0x7f || strings.IndexByte(`"()\;@$`, c) >= 0 {
				return "", fmt.Errorf("name %q: %q is not allowed in a name", s, c)
			}
		}
	}
	// Only now: some characters beyond ASCII, such as the Kelvin sign, fold into it.
	return strings.ToLower(name) + ".", nil
}

func parseLen(name string) (Owner, error) {
	if len(name)+1 > 255 {
		return "", fmt.Errorf("name %q: %d octets, 255 are allowed (RFC 1035, section 2.3.4)", name, len(name)+1)
	}
	return Owner(name), nil
}
