package lab

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// accountID is of the first user and group that servers want and that hardly any machine has; the
// others follow.
const accountID = 64925

// writeAccounts writes tables of users and groups with those that servers look for, whether the
// machine knows them or not. They are mounted over the machine's where such a server runs.
func writeAccounts(dir string, names ...string) error {
	var users, groups strings.Builder
	for i, name := range names {
		if _, err := user.Lookup(name); err == nil {
			continue
		}
		fmt.Fprintf(&users, "%s:x:%d:%[2]d::/nonexistent:/bin/false\n", name, accountID+i)
		fmt.Fprintf(&groups, "%s:x:%d:\n", name, accountID+i)
	}
	return errors.Join(writeBefore(dir, "passwd", users.String()), writeBefore(dir, "group", groups.String()))
}

func writeBefore(dir, file, lines string) error {
	table, err := os.ReadFile("/etc/" + file)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, file), append([]byte(lines), table...), 0o644)
}
