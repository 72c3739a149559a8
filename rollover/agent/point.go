//go:build !failpoints

package agent

// points connects what a test may kill the program at; nothing as it is shipped.
func points() {}
