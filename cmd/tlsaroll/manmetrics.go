package main

import (
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/web"
)

// metricsPage is the page on what Prometheus is told.
const metricsPage = "tlsaroll-metrics"

// metricsLines are made of what the metrics say of themselves.
func metricsLines() ([]string, error) {
	families, err := web.Families()
	if err != nil {
		return nil, err
	}
	lines := []string{
		".SH NAME", escaped(metricsPage + " - what tlsaroll tells Prometheus"),
		".SH DESCRIPTION", escaped("The daemon has them at /metrics, where the key listen of its configuration says so. Beside those below there are the ones of Prometheus's library for the process and for Go, whose names begin with process_ and go_."),
		".SH METRICS",
	}
	for _, f := range families {
		lines = append(lines, ".TP", bold(f.Name)+escaped(" ("+f.Type+"; labels: "+strings.Join(f.Labels, ", ")+")"), escaped(f.Help))
	}
	return append(lines, ".SH SEE ALSO", escaped("tlsaroll(1), tlsaroll-explain(1), "+configPage+"(5)")), nil
}
