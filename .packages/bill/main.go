// Command bill says what a program is made of, from what Go wrote into it.
//
//	bill sbom PROGRAM VERSION  its modules, as CycloneDX has them
//	bill licences PROGRAM...   their licences, as a Debian package has to have them
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bill:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "sbom":
		text, err := sbom(args[1], args[2], os.Getenv("SOURCE_DATE_EPOCH"))
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(text)
		return err
	case len(args) > 1 && args[0] == "licences":
		text, err := licences(args[1:])
		if err != nil {
			return err
		}
		_, err = os.Stdout.WriteString(text)
		return err
	}
	return errors.New("wrong usage (hint: bill sbom PROGRAM VERSION, or bill licences PROGRAM...)")
}
