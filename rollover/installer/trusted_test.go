package installer

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTrusted: what is run as root is chosen by root alone.
func TestTrusted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("LEFT OUT, whose configuration is believed: only root can give files away")
	}
	const stranger = 65534
	for _, test := range []struct {
		name string
		arm  func(dir, file string) error
		want string // "": it is believed
	}{
		{"root's", func(string, string) error { return nil }, ""},
		{"the daemon's group may read it", func(_, file string) error { return errors.Join(os.Chown(file, 0, stranger), os.Chmod(file, 0o640)) }, ""},
		{"another's file", func(_, file string) error { return os.Chown(file, stranger, 0) }, "belongs to uid 65534, who could change what is run as root (hint: chown root "},
		{"everybody's file", func(_, file string) error { return os.Chmod(file, 0o646) }, "others than root may write it, and so choose what is run as root (hint: chmod go-w "},
		{"a group's file", func(_, file string) error { return errors.Join(os.Chown(file, 0, stranger), os.Chmod(file, 0o660)) }, "others than root may write it"},
		{"another's directory", func(dir, _ string) error { return os.Chown(dir, stranger, 0) }, "belongs to uid 65534"},
		{"everybody's directory", func(dir, _ string) error { return os.Chmod(dir, 0o777) }, "others than root may write it"},
		{"a directory like /tmp", func(dir, _ string) error { return os.Chmod(dir, 0o777|fs.ModeSticky) }, ""},
		{"through a link of another's", func(dir, file string) error {
			return errors.Join(os.Rename(file, file+".real"), os.Symlink(file+".real", file), os.Lchown(file, stranger, 0))
		}, "belongs to uid 65534"},
		{"a link into another's directory", func(dir, file string) error {
			away := filepath.Join(dir, "away")
			return errors.Join(os.Mkdir(away, 0o755), os.Rename(file, filepath.Join(away, "real")), os.Symlink(filepath.Join(away, "real"), file), os.Chown(away, stranger, 0))
		}, "belongs to uid 65534"},
		{"by way of a link in another's directory", func(dir, file string) error {
			away, through := filepath.Join(dir, "away"), filepath.Join(dir, "away", "through")
			return errors.Join(os.Mkdir(away, 0o755), os.Rename(file, file+".real"), os.Symlink(file+".real", through), os.Symlink(through, file), os.Chown(away, stranger, 0))
		}, "belongs to uid 65534"},
		{"up from a link", func(dir, file string) error { // deep/.. is away, and not what has the link
			away, down := filepath.Join(dir, "away"), filepath.Join(dir, "down")
			return errors.Join(os.MkdirAll(filepath.Join(away, "deep"), 0o755), os.Rename(file, filepath.Join(away, "real")), os.Symlink("away/deep", down), os.Symlink("down/../real", file), os.Chown(away, stranger, 0))
		}, "belongs to uid 65534"},
		{"links of root's alone", func(dir, file string) error {
			return errors.Join(os.Rename(file, file+".real"), os.Symlink("tlsaroll.yaml.real", file+".next"), os.Symlink(dir+"/./tlsaroll.yaml.next", file))
		}, ""},
		{"a link to itself", func(_, file string) error { return errors.Join(os.Remove(file), os.Symlink(file, file)) }, "too many levels of symbolic links"},
		{"root's group may write it", func(_, file string) error { return os.Chmod(file, 0o660) }, ""},
		{"on a list of those who may write it", func(_, file string) error {
			list := binary.LittleEndian.AppendUint32(nil, 2) // acl(5), as Linux keeps it: a version, and tag, rights and id of each
			for _, e := range [][3]uint32{{1, 6, 1<<32 - 1}, {2, 6, stranger}, {4, 4, 1<<32 - 1}, {16, 6, 1<<32 - 1}, {32, 0, 1<<32 - 1}} {
				list = binary.LittleEndian.AppendUint16(list, uint16(e[0]))
				list = binary.LittleEndian.AppendUint16(list, uint16(e[1]))
				list = binary.LittleEndian.AppendUint32(list, e[2])
			}
			return unix.Setxattr(file, "system.posix_acl_access", list, 0)
		}, "others than root may write it"},
		{"nothing", func(_, file string) error { return os.Remove(file) }, "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "etc")
			file := filepath.Join(dir, "tlsaroll.yaml")
			if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(file, nil, 0o600), os.Chmod(dir, 0o755), test.arm(dir, file)); err != nil {
				t.Fatal(err)
			}
			err := Trusted(file)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
