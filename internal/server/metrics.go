package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// Metrics is what /metrics shows, in a registry of its own.
type Metrics struct {
	Registry *prometheus.Registry
	calls    *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewMetrics makes the metrics; those of the fleet are read from the store
// whenever somebody asks.
func NewMetrics(store inventory.Store) *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_api_calls_total", Help: "API calls by method and outcome.",
		}, []string{"method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "meridian_api_call_duration_seconds", Help: "How long API calls took.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10, 60},
		}, []string{"method"}),
	}
	m.Registry.MustRegister(m.calls, m.duration, fleetCollector{store},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

func (m *Metrics) count(procedure, code string) {
	m.calls.WithLabelValues(procedureLabel(procedure), code).Inc()
}

func (m *Metrics) observe(procedure, code string, took time.Duration) {
	m.count(procedure, code)
	m.duration.WithLabelValues(procedureLabel(procedure)).Observe(took.Seconds())
}

// procedureLabel is the method's name; paths that are no method share one
// label, as anybody can invent them.
func procedureLabel(procedure string) string {
	if _, known := callers[procedure]; !known {
		return "unknown"
	}
	return procedure[strings.LastIndexByte(procedure, '/')+1:]
}

// fleetCollector counts regions, clusters and rollouts by phase.
type fleetCollector struct{ store inventory.Store }

var (
	phaseKinds = map[fleet.Kind]*prometheus.Desc{
		fleet.KindRegion:  phaseDesc("meridian_regions", "Regions by phase."),
		fleet.KindCluster: phaseDesc("meridian_clusters", "Clusters by phase."),
		fleet.KindRollout: phaseDesc("meridian_rollouts", "Rollouts by phase."),
	}
	driftedDesc = prometheus.NewDesc("meridian_clusters_drifted", "Clusters with findings in their last drift check.", nil, nil)
)

func phaseDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"phase"}, nil)
}

// Describe implements prometheus.Collector.
func (fleetCollector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range phaseKinds {
		to <- desc
	}
	to <- driftedDesc
}

// Collect implements prometheus.Collector.
func (c fleetCollector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for kind, desc := range phaseKinds {
		resources, err := c.store.List(ctx, kind, inventory.Query{})
		if err != nil {
			to <- prometheus.NewInvalidMetric(desc, err)
			continue
		}
		for phase, count := range countPhases(resources) {
			to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(count), phase)
		}
		if kind == fleet.KindCluster {
			to <- prometheus.MustNewConstMetric(driftedDesc, prometheus.GaugeValue, float64(countDrifted(resources)))
		}
	}
}

func countPhases(resources []fleet.Resource) map[string]int {
	counts := map[string]int{}
	for _, resource := range resources {
		counts[phaseOf(resource)]++
	}
	return counts
}

// phaseOf reads the phase that every kind's status has under the same name.
func phaseOf(resource fleet.Resource) string {
	var status struct{ Phase string }
	if len(resource.Status) > 0 && json.Unmarshal(resource.Status, &status) == nil && status.Phase != "" {
		return status.Phase
	}
	return "None"
}

func countDrifted(clusters []fleet.Resource) int {
	drifted := 0
	for _, cluster := range clusters {
		status, err := fleet.StatusOf[fleet.ClusterStatus](cluster)
		if err == nil && status.Drift != nil && len(status.Drift.Findings) > 0 {
			drifted++
		}
	}
	return drifted
}
