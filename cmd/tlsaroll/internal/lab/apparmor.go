package lab

import (
	"path/filepath"
	"slices"
	"strings"
)

// appArmorProfiles lists the loaded profiles with their modes; it is absent
// where the kernel has no AppArmor.
const appArmorProfiles = "/sys/kernel/security/apparmor/profiles"

// confined returns those of the programs that an enforced AppArmor profile keeps
// out of the lab's directory. A profile is named after a program or its path.
func confined(profiles string, paths map[string]string) []string {
	var out []string
	for line := range strings.Lines(profiles) {
		name, mode, _ := strings.Cut(strings.TrimSpace(line), " (")
		if mode != "enforce)" {
			continue
		}
		for _, path := range paths {
			if name == path || name == filepath.Base(path) {
				out = append(out, path)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
