package web

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// A gauge is a family of series that are read at each scrape.
type gauge struct {
	Family
	desc *prometheus.Desc
	join func(a, b float64) float64 // of two that have the same labels
}

// gauges are those of the design's section on metrics, and what their labels mean.
type gauges struct {
	phase, notAfter, verified, converged, ready, passed, warning, build gauge
}

func newGauges() gauges {
	of := func(join func(a, b float64) float64, name, help string, labels ...string) gauge {
		f := Family{"tlsaroll_" + name, "gauge", help, labels}
		return gauge{f, prometheus.NewDesc(f.Name, f.Help, f.Labels, nil), join}
	}
	return gauges{
		phase: of(larger, "lineage_phase", "Whether a lineage is in a phase, in the words of RFC 7583: 1 for the one it is in, 0 for the others.",
			"lineage", "phase"),
		notAfter: of(smaller, "certificate_not_after_timestamp_seconds", "When a certificate ends; role is live, successor or queued.",
			"lineage", "role"),
		verified: of(worse, "endpoint_verified", "Whether what an address presents matches the published records, in every handshake of the last look: 1 yes, 0 no, -1 unknown; no address: none was looked at yet.",
			"lineage", "endpoint", "address"),
		converged: of(worse, "authority_converged", "Whether an authoritative server has the records at an owner name that the newest certificate needs: 1 yes, 0 no, -1 unknown; server is its name and address.",
			"owner", "server"),
		ready: of(smaller, "ready_timestamp_seconds", "When no cache can lack the successor's records any more, so that it may go live; absent while there is no successor or it cannot be told.",
			"lineage"),
		passed: of(larger, "last_pass_timestamp_seconds", "When the last pass over a lineage came to its end; 0: none did since the start.",
			"lineage"),
		warning: of(sum, "warning", "How many warnings of a code there are; absent: none. No lineage: it is about the program as a whole.",
			"lineage", "code", "severity"),
		build: of(larger, "build_info", "What runs; always 1.",
			"version", "goversion"),
	}
}

func (g gauges) all() []gauge {
	return []gauge{g.phase, g.notAfter, g.verified, g.converged, g.ready, g.passed, g.warning, g.build}
}

func larger(a, b float64) float64  { return max(a, b) }
func smaller(a, b float64) float64 { return min(a, b) }
func sum(a, b float64) float64     { return a + b }

// worse joins answers: one no is a no, else one unknown is unknown.
func worse(a, b float64) float64 {
	if a == no || b == no {
		return no
	}
	return min(a, b)
}

const yes, no, unknown = 1, 0, -1

func value(k rollover.Known) float64 {
	switch k {
	case rollover.Yes:
		return yes
	case rollover.No:
		return no
	default: // Unknown
		return unknown
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// samples are what one scrape gives. There is one of each series, whatever is put
// in: Prometheus refuses a scrape with two.
type samples map[series]float64

type series struct {
	desc   *prometheus.Desc
	n      int // of its labels
	labels [3]string
}

func (s samples) put(g gauge, value float64, labels ...string) {
	at := series{desc: g.desc, n: len(labels)}
	for i, l := range labels {
		at.labels[i] = label(l)
	}
	if before, ok := s[at]; ok {
		value = g.join(before, value)
	}
	s[at] = value
}

func (s samples) send(ch chan<- prometheus.Metric) {
	for at, value := range s {
		ch <- prometheus.MustNewConstMetric(at.desc, prometheus.GaugeValue, value, at.labels[:at.n]...)
	}
}

// label is a text as a label's value, which has to be UTF-8.
func label(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// phases of a lineage.
var phases = []rollover.Phase{rollover.Steady, rollover.Generated, rollover.Published, rollover.Ready, rollover.Retiring}

// lineage puts in what there is to say of one.
func (s samples) lineage(g gauges, l rollover.LineageStatus) {
	for _, p := range phases {
		s.put(g.phase, no, l.Name, string(p))
	}
	s.put(g.phase, yes, l.Name, string(l.Phase))
	if l.Live != nil {
		s.put(g.notAfter, seconds(l.Live.NotAfter), l.Name, "live")
	}
	if n := l.Successor; n != nil {
		s.put(g.notAfter, seconds(n.NotAfter), l.Name, "successor")
		if n.ReadyAt != nil {
			s.put(g.ready, seconds(*n.ReadyAt), l.Name)
		}
	}
	if l.Queued != nil {
		s.put(g.notAfter, seconds(l.Queued.NotAfter), l.Name, "queued")
	}
	for _, e := range l.Endpoints {
		s.endpoint(g, l.Name, e)
	}
	s.warnings(g, l.Name, l.Warnings)
}

func (s samples) endpoint(g gauges, lineage string, e rollover.EndpointStatus) {
	for _, c := range e.Served {
		s.put(g.verified, value(c.Verified), lineage, e.URL, c.Address)
	}
	if len(e.Served) == 0 {
		s.put(g.verified, unknown, lineage, e.URL, "")
	}
	for _, v := range e.Servers {
		s.put(g.converged, value(v.Converged), string(e.Owner), strings.TrimPrefix(v.Name+"/"+v.Address, "/"))
	}
}

func (s samples) warnings(g gauges, lineage string, warnings []rollover.Warning) {
	for _, w := range warnings {
		s.put(g.warning, 1, lineage, string(w.Code), string(w.Severity))
	}
}
