package control

import (
	"fmt"
	"os/user"
	"strconv"
)

// group is the control group.
type group struct {
	name string
	gid  uint32
}

// lookupGroup takes a number too, as groups from LDAP are not found by name.
func lookupGroup(name string) (group, error) {
	number := name
	if g, err := user.LookupGroup(name); err == nil {
		number = g.Gid
	}
	gid, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return group{}, fmt.Errorf("control socket: unknown group %q (hint: make it with groupadd, or set another control-group; a group from LDAP must be given as a number)", name)
	}
	return group{name, uint32(gid)}, nil
}
