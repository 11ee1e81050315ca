package monitor

import (
	"maps"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/stats"
)

// metricsHandler serves a report as Prometheus reads it.
func metricsHandler(now func() monitorReport) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{now, metrics()})
	// Two names that are alike once they are text cost the second one its series, and no more.
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// collector makes metrics of one report at a time.
type collector struct {
	now     func() monitorReport
	metrics []metric
}

// metric is one of them, with as many series as there are in a report.
type metric struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	series func(monitorReport, add)
}

// add adds a series.
type add func(value float64, labels ...string)

// requestSeconds has its count, its sum and its percentiles from several keys.
var requestSeconds = desc("influxdb_request_seconds", "Duration of acknowledged requests; the percentiles are of the last 60 s.")

func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		out <- m.desc
	}
	out <- requestSeconds
}

func (c collector) Collect(out chan<- prometheus.Metric) {
	r := c.now()
	for _, m := range c.metrics {
		m.series(r, func(value float64, labels ...string) {
			for i, label := range labels {
				labels[i] = escape.Invalid(label, escape.Hex)
			}
			out <- prometheus.MustNewConstMetric(m.desc, m.kind, value, labels...)
		})
	}
	db := r.InfluxDB
	out <- prometheus.MustNewConstSummary(requestSeconds, uint64(db.Batches), db.AllSeconds,
		map[float64]float64{0.5: db.RequestSeconds.P50, 0.99: db.RequestSeconds.P99})
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tailflux_"+name, help, labels, nil)
}

// What a metric may be; its name says the unit, and that of a counter ends in _total.
const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// number is what a figure of a report may be.
type number interface{ int | int64 | float64 }

// single is a metric with one series.
func single[N number](kind prometheus.ValueType, name, help string, value func(monitorReport) N) metric {
	return metric{desc(name, help), kind, func(r monitorReport, add add) { add(float64(value(r))) }}
}

// perSource is a metric with a series for each source.
func perSource[N number](kind prometheus.ValueType, name, help string, value func(sourceReport) N) metric {
	return metric{desc(name, help, "source"), kind, func(r monitorReport, add add) {
		for _, s := range r.Sources {
			add(float64(value(s)), s.Name)
		}
	}}
}

// perGlob is a metric with a series for each glob.
func perGlob[N number](name, help string, value func(globReport) N) metric {
	return metric{desc(name, help, "source"), gauge, func(r monitorReport, add add) {
		for _, g := range r.Globs {
			add(float64(value(g)), g.Name)
		}
	}}
}

// perRollup is a metric with a series for each rollup.
func perRollup[N number](kind prometheus.ValueType, name, help string, value func(rollupReport) N) metric {
	return metric{desc(name, help, "measurement"), kind, func(r monitorReport, add add) {
		for _, one := range r.Rollups {
			add(float64(value(one)), one.Measurement)
		}
	}}
}

// perTag is a metric with a series for each tag.
func perTag[N number](kind prometheus.ValueType, name, help string, value func(tagReport) N) metric {
	return metric{desc(name, help, "tag"), kind, func(r monitorReport, add add) {
		for tag, t := range r.Tags {
			add(float64(value(t)), tag)
		}
	}}
}

// perChannel is a metric with a series for each channel.
func perChannel[N number](name, help string, value func(channelReport) N) metric {
	return metric{desc(name, help, "channel"), gauge, func(r monitorReport, add add) {
		add(float64(value(r.Channels.Read)), "read")
		add(float64(value(r.Channels.Write)), "write")
	}}
}

// rejected has a series for each reason, from the start: a counter that is not there
// before it is 1000 has not grown.
func rejected(r monitorReport, add add) {
	all := map[string]int64{}
	for _, reason := range []flow.Reason{flow.NoMatch, flow.Empty, flow.TooLong, flow.BadTime, flow.Expired, flow.Future} {
		all[string(reason)] = 0
	}
	for _, why := range influx.Briefs() {
		all[string(flow.Refused(why))] = 0
	}
	maps.Copy(all, r.Rejects.Reasons)
	for reason, lines := range all {
		add(float64(lines), reason)
	}
}

// reloads has a series for each state, of which one is 1.
func reloads(r monitorReport, add add) {
	if r.Reload == nil {
		return
	}
	for _, state := range []string{stats.Pending, stats.Applied, stats.NotApplied} {
		add(truth(r.Reload.State == state), state)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
