package web

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// Sources are asked at each scrape, and for each page.
type Sources struct {
	Status   func() []rollover.LineageStatus
	Warnings func() []rollover.Warning // of the program as a whole
	Version  string
}

// Metrics are what Prometheus is told, with a registry of their own. They are safe
// for concurrent use, and outlive a change of the configuration.
type Metrics struct {
	from     Sources
	gauges   gauges
	registry *prometheus.Registry
	swaps    *prometheus.CounterVec
	updates  *prometheus.CounterVec
	hint     chan struct{} // something may have changed

	mu        sync.Mutex
	passes    map[string]time.Time // the last of each configured lineage, zero: none
	providers []string
}

// NewMetrics knows no lineages before [Metrics.Configure].
func NewMetrics(from Sources) *Metrics {
	m := &Metrics{
		from: from, gauges: newGauges(), registry: prometheus.NewRegistry(), passes: map[string]time.Time{}, hint: make(chan struct{}, 1),
		swaps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tlsaroll_swaps_total",
			Help: "Swaps of the live pair; result is ok, failed, or back where one was undone.",
		}, []string{"lineage", "result"}),
		updates: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tlsaroll_dns_updates_total",
			Help: "Changes of RRsets; result is ok, by-hand where a person was asked to make one, conflict where somebody else was faster, refused, or failed.",
		}, []string{"provider", "result"}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.swaps, m.updates, m)
	return m
}

// Configure says which lineages and providers there are from now on: each has its
// counters from the start, and those that left have none.
func (m *Metrics) Configure(lineages, providers []string) {
	defer m.stir()
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.passes {
		if !slices.Contains(lineages, name) {
			delete(m.passes, name)
			m.swaps.DeletePartialMatch(prometheus.Labels{"lineage": label(name)})
		}
	}
	for _, name := range m.providers {
		if !slices.Contains(providers, name) {
			m.updates.DeletePartialMatch(prometheus.Labels{"provider": label(name)})
		}
	}
	m.providers = slices.Clone(providers)
	for _, name := range lineages {
		if _, known := m.passes[name]; !known {
			m.passes[name] = time.Time{}
		}
		for _, result := range []string{"ok", "failed", "back"} {
			m.swaps.WithLabelValues(label(name), result)
		}
	}
	for _, name := range providers {
		for _, result := range []string{"ok", "by-hand", "conflict", "refused", "failed"} {
			m.updates.WithLabelValues(label(name), result)
		}
	}
}

// Acted counts an action that was carried out, or failed.
func (m *Metrics) Acted(_ []string, action rollover.Action, err error) {
	defer m.stir()
	switch a := action.(type) {
	case rollover.Swap:
		m.swapped(a.Lineage, "ok", err)
	case rollover.Back:
		m.swapped(a.Lineage, "back", err)
	case rollover.Publish:
		m.updated(a.Provider, err)
	case rollover.Retire:
		m.updated(a.Provider, err)
	case rollover.Retime:
		m.updated(a.Provider, err)
	}
}

func (m *Metrics) swapped(lineage, result string, err error) {
	if err != nil {
		result = "failed"
	}
	m.swaps.WithLabelValues(label(lineage), result).Inc()
}

func (m *Metrics) updated(provider string, err error) {
	result := "failed"
	var byHand *dnsprovider.ByHandError
	switch {
	case err == nil:
		result = "ok"
	case errors.As(err, &byHand):
		result = "by-hand"
	case errors.Is(err, dnsprovider.ErrConflict):
		result = "conflict"
	case errors.Is(err, dnsprovider.ErrRefused):
		result = "refused"
	}
	m.updates.WithLabelValues(label(provider), result).Inc()
}

// Passed takes in when a pass over lineages came to its end.
func (m *Metrics) Passed(lineages []string, at time.Time) {
	defer m.stir()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range lineages {
		if _, configured := m.passes[name]; configured {
			m.passes[name] = at
		}
	}
}

// stir has those who wait for news look.
func (m *Metrics) stir() {
	select {
	case m.hint <- struct{}{}:
	default: // they are about to
	}
}

// unpassed are the lineages that no pass was made over yet, sorted.
func (m *Metrics) unpassed() (names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, at := range m.passes {
		if at.IsZero() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Describe is part of prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, g := range m.gauges.all() {
		ch <- g.desc
	}
}

// Collect is part of prometheus.Collector: it reads the status.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	s := samples{}
	for _, l := range m.from.Status() {
		s.lineage(m.gauges, l)
	}
	s.warnings(m.gauges, "", m.from.Warnings())
	m.lastPasses(s)
	s.put(m.gauges.build, 1, m.from.Version, runtime.Version())
	s.send(ch)
}

// lastPasses puts in when the last passes were.
func (m *Metrics) lastPasses(s samples) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, at := range m.passes {
		var when float64
		if !at.IsZero() {
			when = seconds(at)
		}
		s.put(m.gauges.passed, when, name)
	}
}
