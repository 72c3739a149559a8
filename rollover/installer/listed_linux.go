package installer

import "golang.org/x/sys/unix"

// listed reports whether an access list names others than owner and group: the group's mode
// then is the most that any of them has (acl(5)).
func listed(at string) bool {
	n, err := unix.Lgetxattr(at, "system.posix_acl_access", nil)
	return n > 0 && err == nil
}
