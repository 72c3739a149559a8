// Package failpoint names the instants at which a test may kill the program: on
// either side of what it writes, renames, sends and runs.
//
// As it is shipped [Here] does nothing, and nothing of it is left in the program.
// Built with the tag failpoints it ends its own process with SIGKILL where the
// environment wants that. All names stand in points.txt.
package failpoint
