package swap

import (
	"fmt"
	"io/fs"
	"os/user"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// An ownership is whom a file belongs to; -1 leaves it to the process.
type ownership struct{ uid, gid int }

// lookupOwner reads "user:group". As in chown(1), "user:" means the user's own
// group and "user" leaves the group alone.
func lookupOwner(s string) (ownership, error) {
	o := ownership{-1, -1}
	name, group, hasGroup := strings.Cut(s, ":")
	if name != "" {
		uid, gid, err := lookupUser(name)
		if err != nil {
			return o, err
		}
		o.uid = uid
		if hasGroup && group == "" {
			o.gid = gid
		}
	}
	if group != "" {
		gid, err := lookupGroup(group)
		if err != nil {
			return o, err
		}
		o.gid = gid
	}
	return o, nil
}

const directoryHint = "is it installed? a user or group from LDAP must be given as a number"

func lookupUser(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if err == nil {
		uid, err = strconv.Atoi(u.Uid)
		gid, _ = strconv.Atoi(u.Gid)
		return uid, gid, err
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		if u, err := user.LookupId(name); err == nil {
			gid, _ = strconv.Atoi(u.Gid)
			return int(n), gid, nil
		}
		return int(n), -1, nil
	}
	return 0, 0, fmt.Errorf("unknown user %q (hint: %s)", name, directoryHint)
}

func lookupGroup(name string) (gid int, err error) {
	if g, err := user.LookupGroup(name); err == nil {
		return strconv.Atoi(g.Gid)
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	return 0, fmt.Errorf("unknown group %q (hint: %s)", name, directoryHint)
}

// owns reports whether a file belongs to whom it should, as far as that is said.
func (o ownership) owns(st *unix.Stat_t) bool {
	return (o.uid < 0 || o.uid == int(st.Uid)) && (o.gid < 0 || o.gid == int(st.Gid))
}

// searchable adds x where a file's permissions have r: those of its directory.
func searchable(m fs.FileMode) fs.FileMode { return m | m&0o444>>2 }
