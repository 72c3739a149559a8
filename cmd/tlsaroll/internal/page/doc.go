// Package page lays out where everything stands for a browser: what tlsaroll status
// says, as a page that stays open on a desk or is looked at on a phone.
//
// It is a status and a time in, and HTML out: [All] and [One] choose what is
// said, [Write] writes it. The page asks for nothing from elsewhere. Without scripts it is whole;
// with them it follows what happens.
package page
