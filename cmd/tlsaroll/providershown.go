package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/trial"
)

// trialJSON is a trial for programs. TTLs and the margin are in seconds, the rest in
// milliseconds.
type trialJSON struct {
	Provider string          `json:"provider"`
	Zone     string          `json:"zone"`
	Owner    string          `json:"owner"`
	Security string          `json:"security"`
	AskedTTL int             `json:"asked_ttl"`
	TTL      int             `json:"ttl"`
	Margin   int             `json:"margin"`
	Slowest  int64           `json:"slowest_ms"`
	Steps    []trialStepJSON `json:"steps"`
}

type trialStepJSON struct {
	Did     string            `json:"did"`
	Change  int64             `json:"change_ms"`
	Servers []trialServerJSON `json:"servers"`
}

type trialServerJSON struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	After   int64  `json:"after_ms"`
	TTL     int    `json:"ttl"`
	Skipped string `json:"skipped,omitempty"`
}

func (j *trialJSON) add(s trial.Step) {
	step := trialStepJSON{Did: s.Did, Change: s.Change.Milliseconds()}
	for _, x := range s.Servers {
		step.Servers = append(step.Servers, trialServerJSON{x.Name, x.Address, x.After.Milliseconds(), int(x.TTL / time.Second), x.Skipped})
	}
	j.Steps = append(j.Steps, step)
}

func (j *trialJSON) end(r trial.Result) {
	j.Zone, j.Security, j.TTL, j.Slowest = r.Zone, string(r.Security), int(r.TTL/time.Second), r.Slowest.Milliseconds()
}

// trialStep prints a step that is over.
func (u *ui) trialStep(s trial.Step) {
	u.result(fmt.Sprintf("%s: %s%s", s.Did, took(s.Change), withTTL(s.TTL)))
	for _, x := range s.Servers {
		if x.Skipped != "" {
			u.result(fmt.Sprintf("  %s %s: not asked: %s", x.Name, x.Address, x.Skipped))
			continue
		}
		u.result(fmt.Sprintf("  %s %s: %s%s", x.Name, x.Address, took(x.After), withTTL(x.TTL)))
	}
}

// trialEnd prints what it all comes to.
func (u *ui) trialEnd(r trial.Result, asked, margin time.Duration) {
	if r.TTL != asked {
		u.result(fmt.Sprintf("the host made a TTL of %s of %s: write ttl: %[1]s in the lineages, or every first wait is longer than it looks", config.ShortDuration(r.TTL), config.ShortDuration(asked)))
	}
	line := fmt.Sprintf("two records stood beside each other, each went alone, and the last server followed after %s", took(r.Slowest))
	if margin > 0 {
		line += fmt.Sprintf("; a rollover waits %s more, for servers that cannot be seen", config.ShortDuration(margin))
	}
	u.result(line)
}

func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
}

func withTTL(ttl time.Duration) string {
	if ttl == 0 {
		return ""
	}
	return ", TTL " + config.ShortDuration(ttl)
}
