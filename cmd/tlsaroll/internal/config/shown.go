package config

import "strings"

// maxShown is longer than any word of ours that could be misspelt, and shorter than a
// TSIG secret or a token.
const maxShown = 20

// shown is a word of the file as a message may quote it. What looks like a secret
// that slipped into another place is not quoted: messages go to logs and to mailing
// lists. The line and the column say where it stands.
func shown(word string) string {
	if mayBeSecret(word) {
		return hidden
	}
	return word
}

// mayBeSecret says of a word that is nothing we know whether it could be a secret: long,
// no name with dots, and with characters that our words don't have.
func mayBeSecret(word string) bool {
	return len(word) > maxShown && !strings.Contains(word, ".") && strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && r != '-' && r != '_' && r != ' '
	})
}
