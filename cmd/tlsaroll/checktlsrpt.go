package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/tlsrpt"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// reportOptions are what check --tlsrpt was asked.
type reportOptions struct {
	files  []string
	json   bool
	config bool     // a configuration was named
	others []string // options that have nothing to do with reports
}

// othersThan are the options that were given, but for some.
func othersThan(c *cobra.Command, names ...string) (others []string) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(names, f.Name) {
			others = append(others, "--"+f.Name)
		}
	})
	return others
}

// complete has a shell complete the names of reports, and none for domains.
func (o *checkOptions) complete(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if o.tlsrpt {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// reportsDoc is what is printed as JSON.
type reportsDoc struct {
	Reports    []reportDoc    `json:"reports"`
	Successful int64          `json:"successful"` // sessions
	Failed     int64          `json:"failed"`
	Failures   []tlsrpt.Group `json:"failures"`
	// Compared tells whether failures were held against our rollovers; Why says why not.
	Compared bool     `json:"compared"`
	Why      string   `json:"why,omitempty"`
	Errors   []string `json:"errors"` // of files that could not be read
}

// reportDoc is one report, without its details.
type reportDoc struct {
	File         string    `json:"file"`
	Organization string    `json:"organization"`
	ID           string    `json:"report_id"`
	Start        time.Time `json:"start,omitzero"`
	End          time.Time `json:"end,omitzero"`
	Successful   int64     `json:"successful"`
	Failed       int64     `json:"failed"`
	// SameAs is the file that has the same report: it counts once. "": it is the first.
	SameAs string `json:"same_as,omitempty"`
}

func (p *program) checkReports(ctx context.Context, o reportOptions) error {
	switch {
	case len(o.others) > 0:
		return usage(fmt.Errorf("--tlsrpt and %s do not go together (hint: reports are read from FILEs, and nothing is looked at)", o.others[0]))
	case len(o.files) == 0:
		return usage(errors.New("--tlsrpt: no FILE (hint: tlsaroll check --tlsrpt report.json.gz)"))
	}
	doc, reports := p.readReports(o.files)
	doc.Failures = slices.Concat([]tlsrpt.Group{}, tlsrpt.Groups(reports))
	if len(doc.Failures) > 0 {
		lineages, why, err := p.ourRollovers(ctx, o.config)
		if err != nil {
			return err
		}
		doc.Compared, doc.Why = why == "", why
		tlsrpt.Compare(doc.Failures, lineages)
	}
	for _, wrong := range doc.Errors {
		p.ui.say(paint(p.ui.colourErr, red, wrong), "")
	}
	if o.json {
		if err := p.ui.printJSON(doc); err != nil {
			return err
		}
	} else {
		for _, line := range doc.lines() {
			p.ui.result(line)
		}
	}
	switch {
	case len(doc.Failures) > 0:
		return &exitCode{code: exitPerson}
	case len(doc.Errors) > 0:
		return &exitCode{code: exitError}
	}
	return nil
}

// readReports reads all that can be read. The same report counts once, as where the mail
// and the file that came with it lie side by side.
func (p *program) readReports(files []string) (reportsDoc, []tlsrpt.Report) {
	doc := reportsDoc{Reports: []reportDoc{}, Errors: []string{}}
	var all []tlsrpt.Report
	seen := map[string]string{}
	for _, file := range files {
		reports, err := p.readReport(file)
		if err != nil {
			doc.Errors = append(doc.Errors, err.Error())
		}
		for _, r := range reports {
			content, err := json.Marshal(r)
			if err != nil {
				doc.Errors = append(doc.Errors, fmt.Sprintf("%s: %v", file, err))
				continue
			}
			one := reportDoc{File: file, Organization: r.Organization, ID: r.ID, Start: r.Start, End: r.End, SameAs: seen[string(content)]}
			one.Successful, one.Failed = r.Sessions()
			if one.SameAs == "" {
				seen[string(content)] = file
				all = append(all, r)
			}
			doc.Reports = append(doc.Reports, one)
		}
	}
	doc.Successful, doc.Failed = tlsrpt.Sessions(all)
	return doc, all
}

func (p *program) readReport(file string) ([]tlsrpt.Report, error) {
	in := io.NopCloser(p.ui.stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fileError(file, err)
		}
		in = f
	}
	defer in.Close()
	reports, err := tlsrpt.Read(in)
	if err != nil {
		return nil, fileError(file, err)
	}
	return reports, nil
}

// ourRollovers are what is remembered of them, or why they are not known: where there
// is no configuration, there are none to compare with.
func (p *program) ourRollovers(ctx context.Context, named bool) (lineages []tlsrpt.Lineage, why string, err error) {
	if _, err := os.Stat(p.configFile); errors.Is(err, fs.ErrNotExist) && !named {
		return nil, "there is no configuration", nil
	}
	status, err := p.glance(ctx, "")
	switch {
	case err != nil && named:
		return nil, "", err
	case err != nil:
		return nil, strings.Join(findings(err), "; "), nil
	}
	for _, l := range status.Lineages {
		lineages = append(lineages, tlsrpt.Lineage{Name: l.Name, Hosts: mailHosts(l.Endpoints), Rollovers: l.Rollovers})
	}
	return lineages, "", nil
}

// mailHosts are the hosts among endpoints to which mail is delivered.
func mailHosts(endpoints []rollover.EndpointStatus) (hosts []string) {
	for _, e := range endpoints {
		if u, err := url.Parse(e.URL); err == nil && u.Scheme == "smtp" {
			hosts = append(hosts, strings.TrimSuffix(strings.ToLower(u.Hostname()), "."))
		}
	}
	return hosts
}
