package config

import "strings"

// didYouMean is the hint for a word that is none of known: the nearest of them,
// or all of them after the words of lead.
func didYouMean(word string, known []string, lead string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	if len(known) == 0 {
		return ""
	}
	return lead + strings.Join(known, ", ")
}

// nearest finds the known word that a slip of the fingers would turn into word,
// "" if there is none.
func nearest(word string, known []string) string {
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

// sentence lists words in a sentence: a, b and c.
func sentence(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
