// Package suggest finds the word that was meant.
package suggest

import "strings"

// Hint is the hint for a word that is none of known: the nearest of them, or all
// of them after the words of lead; "" if there are none.
func Hint(word string, known []string, lead string) string {
	if near := Nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	if len(known) == 0 {
		return ""
	}
	return lead + strings.Join(known, ", ")
}

// Nearest finds the known word that a slip of the fingers would turn into word,
// "" if there is none.
func Nearest(word string, known []string) string {
	fold := strings.NewReplacer("_", "-", " ", "-")
	word = fold.Replace(strings.ToLower(word))
	best, at := "", len(word)
	for _, k := range known {
		if d := distance(word, strings.ToLower(k)); d < at {
			best, at = k, d
		}
	}
	if at > max(1, len(best)/3) {
		return ""
	}
	return best
}

// distance counts the letters put in, left out, changed, or swapped with their
// neighbour (Damerau and Levenshtein, restricted).
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
