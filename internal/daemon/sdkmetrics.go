package daemon

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// sdkMetrics shows what Temporal's client and workers measure. They choose
// names and labels as they go, so vectors are made when first seen; the label
// names of the first use are kept, as Prometheus wants them all the same.
type sdkMetrics struct {
	vectors *sdkVectors
	tags    map[string]string
}

type sdkVectors struct {
	registry prometheus.Registerer
	mutex    sync.Mutex
	counters map[string]vector[*prometheus.CounterVec]
	gauges   map[string]vector[*prometheus.GaugeVec]
	timers   map[string]vector[*prometheus.HistogramVec]
}

type vector[T any] struct {
	metric T
	labels []string
}

func newSDKMetrics(registry prometheus.Registerer) client.MetricsHandler {
	return sdkMetrics{vectors: &sdkVectors{
		registry: registry,
		counters: map[string]vector[*prometheus.CounterVec]{},
		gauges:   map[string]vector[*prometheus.GaugeVec]{},
		timers:   map[string]vector[*prometheus.HistogramVec]{},
	}}
}

// WithTags implements client.MetricsHandler.
func (m sdkMetrics) WithTags(tags map[string]string) client.MetricsHandler {
	merged := maps.Clone(m.tags)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, tags)
	return sdkMetrics{vectors: m.vectors, tags: merged}
}

// Counter implements client.MetricsHandler.
func (m sdkMetrics) Counter(name string) client.MetricsCounter {
	found := find(m, m.vectors.counters, name, func(labels []string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help(name)}, labels)
	})
	counter := found.metric.With(m.values(found.labels))
	return sdkCounter(func(delta int64) { counter.Add(float64(max(delta, 0))) })
}

// Gauge implements client.MetricsHandler.
func (m sdkMetrics) Gauge(name string) client.MetricsGauge {
	found := find(m, m.vectors.gauges, name, func(labels []string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help(name)}, labels)
	})
	return sdkGauge(found.metric.With(m.values(found.labels)).Set)
}

// Timer implements client.MetricsHandler.
func (m sdkMetrics) Timer(name string) client.MetricsTimer {
	found := find(m, m.vectors.timers, name, func(labels []string) *prometheus.HistogramVec {
		buckets := []float64{.002, .01, .05, .2, 1, 5, 30, 300}
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name + "_seconds", Help: help(name), Buckets: buckets}, labels)
	})
	histogram := found.metric.With(m.values(found.labels))
	return sdkTimer(func(took time.Duration) { histogram.Observe(took.Seconds()) })
}

func find[T prometheus.Collector](m sdkMetrics, known map[string]vector[T], name string, create func([]string) T) vector[T] {
	m.vectors.mutex.Lock()
	defer m.vectors.mutex.Unlock()
	found, ok := known[name]
	if !ok {
		found = vector[T]{labels: slices.Sorted(maps.Keys(m.tags))}
		found.metric = create(found.labels)
		_ = m.vectors.registry.Register(found.metric) // a name that clashes is not shown
		known[name] = found
	}
	return found
}

func (m sdkMetrics) values(labels []string) prometheus.Labels {
	values := prometheus.Labels{}
	for _, label := range labels {
		values[label] = m.tags[label]
	}
	return values
}

func help(name string) string { return "Temporal SDK: " + strings.ReplaceAll(name, "_", " ") + "." }

type sdkCounter func(int64)

func (c sdkCounter) Inc(delta int64) { c(delta) }

type sdkGauge func(float64)

func (g sdkGauge) Update(value float64) { g(value) }

type sdkTimer func(time.Duration)

func (t sdkTimer) Record(took time.Duration) { t(took) }
