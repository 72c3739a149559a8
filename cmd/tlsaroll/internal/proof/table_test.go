package proof

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A row is one case: what is expected there, and what shows it.
type row struct {
	number  int
	cells   []string // without the number
	tests   []string // room.TestName, or room.TestName/subtest
	reasons []string // "cannot apply: …", "later: …"
	rest    string   // what is neither
}

// The words that begin a reason why no test shows a case, or not all of it.
var reason = regexp.MustCompile(`(cannot apply|later):`)

var quoted = regexp.MustCompile("`[^`]*`")

// read takes in the rows of a Markdown table, and says which lines it cannot read.
func read(text string) (rows []row, wrong []string) {
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|-") || strings.HasPrefix(line, "| | ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		n, err := strconv.Atoi(cells[0])
		switch {
		case len(cells) != 4:
			wrong = append(wrong, fmt.Sprintf("line %d: %d cells, want 4", i+1, len(cells)))
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("line %d: no number %q", i+1, cells[0]))
		default:
			rows = append(rows, newRow(n, cells[1:]))
		}
	}
	return rows, wrong
}

func newRow(n int, cells []string) row {
	r := row{number: n, cells: cells[:2]}
	shown := cells[2]
	if at := reason.FindStringIndex(shown); at != nil {
		r.reasons = reasonsIn(shown[at[0]:])
		shown = shown[:at[0]]
	}
	for _, q := range quoted.FindAllString(shown, -1) {
		r.tests = append(r.tests, strings.Trim(q, "`"))
	}
	r.rest = strings.Trim(quoted.ReplaceAllString(shown, ""), ",; ")
	return r
}

// reasonsIn takes text apart where one of the words begins.
func reasonsIn(text string) (all []string) {
	starts := reason.FindAllStringIndex(text, -1)
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		all = append(all, strings.Trim(text[at[0]:end], ",; "))
	}
	return all
}

// numbered says which of the numbers from 1 to last are missing or stand there twice.
func numbered(rows []row, last int) (wrong []string) {
	seen := map[int]int{}
	for _, r := range rows {
		seen[r.number]++
		switch {
		case r.number < 1 || r.number > last:
			wrong = append(wrong, fmt.Sprintf("%d: there are %d cases", r.number, last))
		case seen[r.number] == 2:
			wrong = append(wrong, fmt.Sprintf("%d: stands there twice", r.number))
		}
	}
	for n := 1; n <= last; n++ {
		if seen[n] == 0 {
			wrong = append(wrong, fmt.Sprintf("%d: is missing", n))
		}
	}
	return wrong
}

// judge says what is wrong with a row.
func (r row) judge(there tests) (wrong []string) {
	say := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%d: ", r.number)+fmt.Sprintf(format, args...))
	}
	if slices.Contains(r.cells, "") {
		say("an empty cell")
	}
	if len(r.tests)+len(r.reasons) == 0 {
		say("neither a test nor a reason")
	}
	for _, text := range r.reasons {
		if word, why, _ := strings.Cut(text, ":"); strings.TrimSpace(why) == "" {
			say("%q without a reason", word+":")
		}
	}
	if r.rest != "" {
		say("%q is none of a test, cannot apply: and later:", r.rest)
	}
	for _, ref := range r.tests {
		if why := there.lacks(ref); why != "" {
			say("%s", why)
		}
	}
	return wrong
}

func sortLines(lines []string) { slices.Sort(lines) }
