package web

import (
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Family is a family of series, and what it says of itself.
type Family struct {
	Name, Type, Help string
	Labels           []string
}

// Families are those of tlsaroll itself, for a manual page: the counters as one lineage and
// one provider have them, and all gauges.
func Families() ([]Family, error) {
	m := NewMetrics(Sources{
		Status:   func() []rollover.LineageStatus { return nil },
		Warnings: func() []rollover.Warning { return nil },
	})
	m.Configure([]string{"mx1"}, []string{"ns1"})
	gathered, err := m.registry.Gather()
	if err != nil {
		return nil, err
	}
	var families []Family
	for _, g := range gathered {
		kind := strings.ToLower(g.GetType().String())
		if !strings.HasPrefix(g.GetName(), "tlsaroll_") || kind == "gauge" {
			continue
		}
		f := Family{Name: g.GetName(), Type: kind, Help: g.GetHelp()}
		for _, l := range g.GetMetric()[0].GetLabel() {
			f.Labels = append(f.Labels, l.GetName())
		}
		families = append(families, f)
	}
	for _, g := range newGauges().all() {
		families = append(families, g.Family)
	}
	return families, nil
}
