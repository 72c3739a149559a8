package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// preamble is what the packages say of themselves.
const preamble = `tlsaroll: keeps DANE working while mail servers change certificates
Source: https://github.com/tlsaroll/tlsaroll

The sources of tlsaroll come without a licence text so far. The program is linked with Go's
standard library and with the modules below, whose licences and notices follow.
`

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// licences are the texts that the modules of the programs come under, each once.
func licences(programs []string) (string, error) {
	linked := map[string]string{} // by path, the version
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return "", fmt.Errorf("%s: %w", program, err)
		}
		for _, m := range info.Deps {
			linked[source(m).Path] = source(m).Version
		}
	}
	dirs, err := moduleDirs()
	if err != nil {
		return "", err
	}
	goroot, err := output("go", "env", "GOROOT")
	if err != nil {
		return "", err
	}
	dirs["std"], linked["std"] = strings.TrimSpace(string(goroot)), ""

	under := map[string][]string{} // by text, the modules
	for _, path := range slices.Sorted(maps.Keys(linked)) {
		texts, err := textsOf(dirs[path])
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		for _, text := range texts {
			under[text] = append(under[text], strings.TrimSpace(path+" "+linked[path]))
		}
	}
	return preamble + listed(under), nil
}

// source is the module that the code of another comes from.
func source(m *debug.Module) *debug.Module {
	for m.Replace != nil {
		m = m.Replace
	}
	return m
}

// textsOf are the licences and notices of a module: there has to be one.
func textsOf(dir string) (texts []string, err error) {
	if dir == "" {
		return nil, errors.New("its source is not there (hint: go mod download)")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !licenceFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, strings.ReplaceAll(strings.TrimSpace(string(text)), "\r\n", "\n"))
	}
	if len(texts) == 0 {
		return nil, errors.New("it has no licence")
	}
	return texts, nil
}

// listed has the texts in the order of the first module that is under each.
func listed(under map[string][]string) string {
	var b strings.Builder
	texts := slices.SortedFunc(maps.Keys(under), func(x, y string) int {
		if c := slices.Compare(under[x], under[y]); c != 0 {
			return c
		}
		return strings.Compare(x, y)
	})
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("-", 72), strings.Join(under[text], "\n"), text)
	}
	return b.String()
}

// moduleDirs are where the sources of the modules of this directory's module are.
func moduleDirs() (map[string]string, error) {
	text, err := output("go", "list", "-m", "-json=Path,Dir,Replace", "all")
	if err != nil {
		return nil, err
	}
	dirs := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var m struct {
			Path, Dir string
			Replace   *struct{ Path, Dir string }
		}
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return dirs, nil
		} else if err != nil {
			return nil, err
		}
		if m.Replace != nil {
			m.Path, m.Dir = m.Replace.Path, m.Replace.Dir
		}
		dirs[m.Path] = m.Dir
	}
}

func output(argv ...string) ([]byte, error) {
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, failed.Stderr)
	}
	return out, err
}
