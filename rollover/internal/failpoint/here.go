//go:build !failpoints

package failpoint

// Here is an instant at which a test may kill the program; nothing as it is shipped.
func Here(string) {}
