package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// providerOptions are what provider was asked for.
type providerOptions struct {
	json    bool
	owner   string
	zone    string
	ttl     time.Duration
	timeout time.Duration
}

func (p *program) providerCommand() *cobra.Command {
	o := providerOptions{ttl: time.Hour, timeout: 10 * time.Minute}
	c := &cobra.Command{
		Use:                   "provider list [--json] [TYPE] | provider test [OPTION]... NAME",
		DisableFlagsInUseLine: true,
		Short:                 "show which DNS hosts there are providers for, or try one",
		Long: `
			list prints the types of providers, or all there is to know of one: against what it was verified, how it changes
			an RRset, the lowest TTL that the host takes, whether the host signs zones, how much longer than need be is
			waited for its anycast network, the least rights that suffice, and what to beware of. Types that cannot keep two
			TLSA records at a name are listed with the reason, and what to use.

			test finds out what a provider of the configuration really does. At a scratch name, _25._tcp.tlsaroll-test in
			its zone, it publishes two records, takes one out and then the other, reads the provider's copy after
			each step, and watches every authoritative server until it gives the same. It says how long each took and
			which TTL is served. No certificate has these records, and no mail host that name. They are taken out again
			whatever happens; if it is killed, the next test takes them out.`,
		Example: `
			$ tlsaroll provider list desec

			$ tlsaroll provider test ns1
			  publish two records: 12 ms, TTL 1h
			    ns1.example.org. 192.0.2.53: 3 ms, TTL 1h
			    ns2.example.org. 192.0.2.54: 1.1 s, TTL 1h
			  …`,
		Annotations: map[string]string{exitStatus: "0\tprinted; the provider does what it should\n1\tan error\n2\twrong usage or configuration\n4\tit needs a person: the zone is not signed, or the provider does not do what it should"},
		Args:        providerArgs,
		ValidArgs:   []string{"list", "test"},
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] == "list" {
				return p.providerList(args[1:], o.json)
			}
			return p.providerTest(c.Context(), args[1], o)
		},
	}
	c.Flags().BoolVar(&o.json, "json", false, "list: print JSON, for programs")
	c.Flags().StringVar(&o.zone, "zone", "", "test: use this `ZONE`, if the configuration does not name the provider's")
	c.Flags().StringVar(&o.owner, "owner", "", "test: publish at the owner name `NAME`, as in _25._tcp.test.example.org, if the key may write nowhere else")
	c.Flags().DurationVar(&o.ttl, "ttl", o.ttl, "test: publish the records with this `TTL`")
	c.Flags().DurationVar(&o.timeout, "timeout", o.timeout, "test: give up after this `DURATION`, and take the records out")
	return c
}

func providerArgs(c *cobra.Command, args []string) error {
	const hint = "tlsaroll provider list, or tlsaroll provider test NAME"
	switch {
	case len(args) == 0:
		return usage(errors.New("provider: list or test? (hint: " + hint + ")"))
	case args[0] == "list":
		return atMostOne("TYPE")(c, args[1:])
	case args[0] != "test":
		return usage(fmt.Errorf("provider: %q is neither list nor test (hint: %s)", args[0], hint))
	case len(args) == 1:
		return usage(errors.New("provider test: no NAME (hint: the name under providers: in the configuration, as in tlsaroll provider test ns1)"))
	}
	return atMostOne("NAME")(c, args[1:])
}

// capabilities are those of all types, and of those that there are not.
func capabilities() (linked, refused []dnsprovider.Capability) {
	for _, k := range providerKinds() {
		linked = append(linked, k.Capability)
	}
	return linked, dnsprovider.RefusedTypes()
}

func (p *program) providerList(args []string, asJSON bool) error {
	linked, refused := capabilities()
	all := append(slices.Clone(linked), refused...)
	if name := first(args); name != "" {
		i := slices.IndexFunc(all, func(c dnsprovider.Capability) bool { return c.Type == name })
		if i < 0 {
			var types []string
			for _, c := range all {
				types = append(types, c.Type)
			}
			return usage(fmt.Errorf("provider list: unknown type %q (hint: %s)", name, suggest.Hint(name, types, "there are: ")))
		}
		if asJSON {
			return p.ui.printJSON(shownCapability(all[i]))
		}
		p.ui.result(capabilityPage(all[i]))
		return nil
	}
	if asJSON {
		var out []capabilityJSON
		for _, c := range all {
			out = append(out, shownCapability(c))
		}
		return p.ui.printJSON(out)
	}
	for _, line := range capabilityTable(linked) {
		p.ui.result(line)
	}
	p.ui.result("\nThere are none of these, and provider list TYPE says why, and what to use:")
	var names []string
	for _, c := range refused {
		names = append(names, c.Type)
	}
	p.ui.result(strings.TrimSuffix(indent(2, strings.Join(names, ", ")), "\n"))
	return nil
}
