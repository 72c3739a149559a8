//go:build failpoints

package certwatch

// Passing is called at each instant at which a test may kill the program. It is set
// before there is a [Stash], and only where the program was built for such tests.
var Passing = func(point string) {}

func passing(point string) { Passing(point) }
