// Package trial finds out what a provider really does: it writes two records at a scratch
// name, takes one out and then the other, reads the provider's copy after each step, and
// watches every authoritative server until it gives the same.
package trial
