// Package draft makes a configuration of what was found on a host and in DNS, with a reason
// for each choice, and the lines that servers need to go along with it.
//
// It is pure: what was found and what a person answered go in, text comes out. What cannot be
// chosen without guessing is a [Question].
package draft
