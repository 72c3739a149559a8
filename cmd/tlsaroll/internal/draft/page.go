package draft

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// page is a text that grows by lines.
type page struct{ strings.Builder }

// remarks are in this column, where the line is not too long for it.
const remarks = 44

func (p *page) line(text string) {
	p.WriteString(text)
	p.WriteByte('\n')
}

// said is a line and why it says so.
func (p *page) said(text, why string) {
	pad := max(2, remarks-utf8.RuneCountInString(text))
	p.line(text + strings.Repeat(" ", pad) + "# " + subprocess.Printable(why))
}

// comment is a line for people, as far to the right as its text begins.
func (p *page) comment(text string) {
	plain := strings.TrimLeft(text, " ")
	p.line(text[:len(text)-len(plain)] + "# " + subprocess.Printable(plain)) // which a file's name may not be
}

var (
	plainScalar = regexp.MustCompile(`^[A-Za-z0-9/_][A-Za-z0-9./_@:+-]*[A-Za-z0-9./_@+-]$`)
	optionName  = regexp.MustCompile(`^[A-Za-z][A-Za-z-]*$`)
	letters     = regexp.MustCompile(`[A-Za-z/]`)
	notText     = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|null|0[xo].*|[0-9.+-]+e[0-9]+)$`)
)

// scalar is a text as YAML has it; what may be something else there is quoted.
func scalar(s string) string {
	if plainScalar.MatchString(s) && letters.MatchString(s) && !notText.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

// flow is a list of argument lists.
func flow(commands [][]string) string {
	var lists []string
	for _, argv := range commands {
		var words []string
		for _, w := range argv {
			words = append(words, argument(w))
		}
		lists = append(lists, "["+strings.Join(words, ", ")+"]")
	}
	return "[" + strings.Join(lists, ", ") + "]"
}

// argument is a word of a command; an option needs no quotes.
func argument(s string) string {
	if option, ok := strings.CutPrefix(s, "-"); ok && optionName.MatchString(option) {
		return s
	}
	return scalar(s)
}

// Quoted is a word as a person may paste it into a shell.
func Quoted(s string) string {
	if plainScalar.MatchString(s) || optionName.MatchString(strings.TrimPrefix(s, "-")) {
		return s
	}
	return "'" + strings.ReplaceAll(subprocess.Printable(s), "'", `'\''`) + "'"
}
