// Package config reads the program's configuration file.
//
// The file is strict YAML: a key that nothing reads is an error, and so is a value
// that could only fail later. All errors are found in one reading, each with
// file, line, column and the fix, in the order of the file:
//
//	tlsaroll.yaml:14:13: lineages.mx1.scheme: scheme "e": unknown part "e" (hint: a + set of ee, ta, standby)
//
// What comes out is plain values: defaults are filled in, host names are A-labels in
// lower case, paths are absolute, and every reference from one place to
// another holds. [Example] shows every key there is.
package config
