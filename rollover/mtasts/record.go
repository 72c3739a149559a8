package mtasts

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A Record is what the TXT records at _mta-sts.DOMAIN say.
type Record struct {
	// Text is the record as it stands; with several of them, these one after the other.
	// "": nothing there has to do with MTA-STS.
	Text string
	// ID is that of the policy: another one says that there is another policy. It is set
	// where there is one record with an id, even if that is not of the form it should have.
	ID string
}

// Forms of RFC 8461, section 3.1.
var (
	identifier  = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)
	fieldName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)
	recordValue = regexp.MustCompile(`^[[:graph:]]+$`)
)

// ParseRecord reads the texts of the TXT records at _mta-sts.DOMAIN, each with its
// strings joined. An error says why senders take the domain to have no policy although
// something is there (RFC 8461, section 3.1).
func ParseRecord(texts []string) (Record, error) {
	var records, almost []string
	for _, text := range texts {
		version, _, more := strings.Cut(text, ";")
		switch {
		case more && strings.TrimRight(version, " \t") == "v=STSv1":
			records = append(records, text)
		case strings.HasPrefix(strings.ToLower(strings.TrimSpace(text)), "v=sts"):
			almost = append(almost, text)
		}
	}
	switch {
	case len(records) > 1:
		return Record{Text: strings.Join(records, " ")}, fmt.Errorf("%d records, want one (RFC 8461, section 3.1)", len(records))
	case len(records) == 1:
		id, err := parseFields(records[0])
		return Record{Text: records[0], ID: id}, err
	case len(almost) > 0:
		return Record{Text: strings.Join(almost, " ")}, fmt.Errorf("it begins with %.40q, want \"v=STSv1;\" (RFC 8461, section 3.1)", almost[0])
	}
	return Record{}, nil
}

// parseFields reads what follows the version. Of a field that is given twice the first
// counts, and unknown fields count for nothing (RFC 8461, section 3.2).
func parseFields(record string) (id string, err error) {
	fields := strings.Split(record, ";")[1:]
	if last := len(fields) - 1; last > 0 && blank(fields[last]) {
		fields = fields[:last]
	}
	var faults []error
	seen := false
	for _, field := range fields {
		name, value, _ := strings.Cut(strings.Trim(field, " \t"), "=")
		if strings.TrimSpace(name) == "id" && !seen {
			seen, id = true, strings.TrimSpace(value)
		}
		switch {
		case name == "id" && !identifier.MatchString(value):
			faults = append(faults, fmt.Errorf("id %.40q: want up to 32 letters and digits (RFC 8461, section 3.1)", value))
		case name != "id" && (!fieldName.MatchString(name) || !recordValue.MatchString(value) || strings.Contains(value, "=")):
			faults = append(faults, fmt.Errorf("%.40q: want NAME=VALUE (RFC 8461, section 3.1)", strings.TrimSpace(field)))
		}
	}
	if !seen {
		return "", errors.New("it has no id (RFC 8461, section 3.1)")
	}
	if len(faults) > 0 {
		return id, faults[0]
	}
	return id, nil
}

func blank(s string) bool { return strings.Trim(s, " \t") == "" }
