package monitor_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tailflux/tailflux/internal/monitor"
	"github.com/tailflux/tailflux/internal/stats"
)

// metricOf has the metric of each figure on /monitor; % is the label's value.
var metricOf = map[string]string{
	"uptime_seconds":           `tailflux_uptime_seconds`,
	"memory_bytes":             `tailflux_resident_memory_bytes`,
	"lines.read":               `tailflux_lines_read_total`,
	"lines.written":            `tailflux_lines_written_total`,
	"lines.filtered":           `tailflux_lines_filtered_total`,
	"lines.in_flight":          `tailflux_lines_in_flight`,
	"rejects.reasons.%":        `tailflux_lines_rejected_total{reason="%"}`,
	"undelivered_seconds":      `tailflux_undelivered_seconds`,
	"channels.%.length":        `tailflux_channel_items{channel="%"}`,
	"channels.%.capacity":      `tailflux_channel_capacity_items{channel="%"}`,
	"channels.%.lines":         `tailflux_channel_lines{channel="%"}`,
	"channels.%.bytes":         `tailflux_channel_bytes{channel="%"}`,
	"sources.%.open":           `tailflux_source_open{source="%"}`,
	"sources.%.offset":         `tailflux_source_offset_bytes{source="%"}`,
	"sources.%.size":           `tailflux_source_size_bytes{source="%"}`,
	"sources.%.lag_bytes":      `tailflux_source_lag_bytes{source="%"}`,
	"sources.%.lag_seconds":    `tailflux_source_lag_seconds{source="%"}`,
	"sources.%.rotations":      `tailflux_source_rotations_total{source="%"}`,
	"sources.%.truncations":    `tailflux_source_truncations_total{source="%"}`,
	"sources.%.recovered":      `tailflux_source_recovered_total{source="%"}`,
	"globs.%.files":            `tailflux_glob_files{source="%"}`,
	"tags.%.values":            `tailflux_tag_values{tag="%"}`,
	"tags.%.limit":             `tailflux_tag_values_limit{tag="%"}`,
	"tags.%.other":             `tailflux_tag_other_total{tag="%"}`,
	"rollups.%.cells":          `tailflux_rollup_cells{measurement="%"}`,
	"rollups.%.bytes":          `tailflux_rollup_memory_bytes{measurement="%"}`,
	"rollups.%.cuts":           `tailflux_rollup_cuts_total{measurement="%"}`,
	"rollups.%.intents":        `tailflux_rollup_intents{measurement="%"}`,
	"rollups.%.open_seconds":   `tailflux_rollup_open_seconds{measurement="%"}`,
	"influxdb.up":              `tailflux_influxdb_up`,
	"influxdb.outage_seconds":  `tailflux_influxdb_outage_seconds`,
	"influxdb.batches":         `tailflux_influxdb_request_seconds_count`,
	"influxdb.retries":         `tailflux_influxdb_retries_total`,
	"rejects_expired":          `tailflux_rejects_expired_total`,
	"generations_unreadable":   `tailflux_generations_unreadable`,
	"checkpoint.saved_seconds": `tailflux_checkpoint_age_seconds`,

	"sources.%.generations_lost":             `tailflux_source_generations_lost_total{source="%"}`,
	"sources.%.bytes_lost":                   `tailflux_source_lost_bytes_total{source="%"}`,
	"sources.%.nul_bytes_skipped":            `tailflux_source_nul_skipped_bytes_total{source="%"}`,
	"sources.%.values_omitted":               `tailflux_source_values_omitted_total{source="%"}`,
	"sources.%.still_written_after_rotation": `tailflux_source_still_written_after_rotation_total{source="%"}`,
	"sources.%.line_numbers_used_twice":      `tailflux_source_line_numbers_used_twice_total{source="%"}`,
	"rollups.%.refused_requests":             `tailflux_rollup_refused_requests_total{measurement="%"}`,
	"rollups.%.expired_requests":             `tailflux_rollup_expired_requests_total{measurement="%"}`,
	"influxdb.request_seconds.p50":           `tailflux_influxdb_request_seconds{quantile="0.5"}`,
	"influxdb.request_seconds.p99":           `tailflux_influxdb_request_seconds{quantile="0.99"}`,

	// Their sum is a figure of its own on /monitor.
	"lines.rejected": `tailflux_lines_rejected_total`,
}

// withoutMetric has the figures that Prometheus does not get, and why.
var withoutMetric = map[string]string{
	"pid":                             "it says nothing over time",
	"throughput.lines_per_second.1s":  "rate(tailflux_lines_read_total[1m])",
	"throughput.lines_per_second.10s": "rate(tailflux_lines_read_total[1m])",
	"throughput.lines_per_second.60s": "rate(tailflux_lines_read_total[1m])",
	"throughput.bytes_per_second.1s":  "rate(tailflux_read_bytes_total[1m])",
	"throughput.bytes_per_second.10s": "rate(tailflux_read_bytes_total[1m])",
	"throughput.bytes_per_second.60s": "rate(tailflux_read_bytes_total[1m])",
}

// withoutFigure has the metrics of what is a text on /monitor, or is not there.
var withoutFigure = []string{
	"tailflux_build_info", "tailflux_read_bytes_total", "tailflux_influxdb_request_seconds_sum",
	"tailflux_source_trouble", "tailflux_glob_trouble", "tailflux_rejects_trouble", "tailflux_checkpoint_trouble",
	"tailflux_reload_state", "tailflux_reload_timestamp_seconds",
}

// figures are all numbers and truths on /monitor, by key and, where there are several
// of something, its name.
func figures(t *testing.T, h http.Handler) map[[2]string]float64 {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal(get(t, h, "/monitor").Body.Bytes(), &tree); err != nil {
		t.Fatal(err)
	}
	all := map[[2]string]float64{}
	several := map[string]string{"sources": "name", "globs": "name", "rollups": "measurement", "channels": "", "tags": "", "rejects.reasons": "", "parser": ""}
	var walk func(key, name string, v any)
	walk = func(key, name string, v any) {
		switch v := v.(type) {
		case float64:
			all[[2]string{key, name}] = v
		case bool:
			all[[2]string{key, name}] = 0
			if v {
				all[[2]string{key, name}] = 1
			}
		case []any:
			for _, one := range v {
				walk(key+".%", fmt.Sprint(one.(map[string]any)[several[key]]), one)
			}
		case map[string]any:
			for k, value := range v {
				if _, is := several[key]; is {
					walk(key+".%", k, value)
				} else {
					walk(strings.TrimPrefix(key+"."+k, "."), name, value)
				}
			}
		}
	}
	for key, value := range tree {
		walk(key, "", value)
	}
	return all
}

// series are those of /metrics, and under the bare name the sum of a metric's.
func series(t *testing.T, h http.Handler) (all map[string]float64, text string) {
	t.Helper()
	w := get(t, h, "/metrics")
	if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Fatalf("%d %s", w.Code, kind)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	text = w.Body.String()
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	all = map[string]float64{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			if s := m.GetSummary(); s != nil {
				all[name+"_count"], all[name+"_sum"] = float64(s.GetSampleCount()), s.GetSampleSum()
				for _, q := range s.GetQuantile() {
					all[fmt.Sprintf(`%s{quantile="%v"}`, name, q.GetQuantile())] = q.GetValue()
				}
				continue
			}
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			all[name] += value
			if labels := m.GetLabel(); len(labels) == 1 {
				all[name+"{"+labels[0].GetName()+`="`+labels[0].GetValue()+`"}`] = value
			}
		}
	}
	return all, text
}

// Each figure on /monitor is on /metrics, or it was decided that it is not.
func TestMetricsAreThoseOfMonitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes between the two
		st := busy()
		st.CheckpointSaved(time.Now().Add(-3 * time.Second))
		st.UpdateRollup("nginx_site#1", func(r *stats.Rollup) { r.OpenSince = time.Now().Add(-7 * time.Second) })
		h := monitor.Handler(info, st)
		want := figures(t, h)
		got, text := series(t, h)
		seen := map[string]bool{}
		for figure, value := range want {
			key, name := figure[0], figure[1]
			if withoutMetric[key] != "" {
				continue
			}
			metric := strings.ReplaceAll(metricOf[key], "%", name)
			seen[bare(metric)] = true
			if v, is := got[metric]; !is || v != value && key != "memory_bytes" {
				t.Errorf("%s of %q is %v on /monitor: no metric %q with this value; a new key needs one, or its reason in withoutMetric", key, name, value, metric)
			}
		}
		for name := range got {
			if name = bare(name); !seen[name] && !slices.Contains(withoutFigure, name) {
				t.Errorf("%s is no figure on /monitor", name)
			}
		}
		for _, metric := range metricOf {
			if !seen[bare(metric)] {
				t.Errorf("no figure has become %s", metric)
			}
		}
		if t.Failed() {
			t.Log(text)
		}
	})
}

func bare(series string) string {
	name, _, _ := strings.Cut(series, "{")
	return name
}

// What /monitor has as a text is 0 or 1.
func TestMetricsOfStates(t *testing.T) {
	st := stats.New(time.Now())
	h := monitor.Handler(info, st)
	source, glob := st.AddSource("web", "access.log"), st.AddGlob("sites", "*.log")
	check := func(want map[string]float64) {
		t.Helper()
		time.Sleep(110 * time.Millisecond) // an answer may be as old as that
		got, _ := series(t, h)
		for series, value := range want {
			if v, is := got[series]; !is || v != value {
				t.Errorf("%s = %v %v, want %v", series, v, is, value)
			}
		}
	}
	check(map[string]float64{
		`tailflux_source_open{source="web"}`: 0, `tailflux_source_trouble{source="web"}`: 1,
		`tailflux_glob_trouble{source="sites"}`: 1, "tailflux_influxdb_up": 0,
		"tailflux_rejects_trouble": 0, "tailflux_checkpoint_trouble": 0,
		`tailflux_lines_rejected_total{reason="no match"}`:                     0,
		`tailflux_lines_rejected_total{reason="refused: field type conflict"}`: 0,
		`tailflux_lines_rejected_total{reason="refused: other"}`:               0,
		`tailflux_build_info`: 1,
	})
	if got, _ := series(t, h); slices.ContainsFunc(slices.Collect(maps.Keys(got)), func(s string) bool {
		return strings.Contains(s, "reload") || strings.Contains(s, "checkpoint_age")
	}) {
		t.Errorf("what has not happened has a series: %v", got)
	}
	st.UpdateSource(source, func(s *stats.Source) { s.Open, s.Trouble = true, "" })
	st.Matched(glob, 1, "")
	st.Answered("1.8.10")
	st.RejectsTrouble("full")
	st.CheckpointTrouble("full")
	at := time.Now().Truncate(time.Millisecond)
	st.Reloaded(at, stats.NotApplied, "no")
	check(map[string]float64{
		`tailflux_source_open{source="web"}`: 1, `tailflux_source_trouble{source="web"}`: 0,
		`tailflux_glob_trouble{source="sites"}`: 0, "tailflux_influxdb_up": 1,
		"tailflux_rejects_trouble": 1, "tailflux_checkpoint_trouble": 1,
		`tailflux_reload_state{state="refused"}`: 1, `tailflux_reload_state{state="applied"}`: 0, `tailflux_reload_state{state="pending"}`: 0,
		"tailflux_reload_timestamp_seconds": float64(at.UnixMilli()) / 1000,
	})
	st.UpdateSource(source, func(s *stats.Source) { s.Unfit = "not in its format" })
	check(map[string]float64{`tailflux_source_open{source="web"}`: 1, `tailflux_source_trouble{source="web"}`: 1})
	st.DropSource(source)
	time.Sleep(110 * time.Millisecond)
	if _, text := series(t, h); strings.Contains(text, `source="web"`) {
		t.Errorf("a source that is dropped has series:\n%s", text)
	}
}

// Names are what file names may be.
func TestMetricsOfOddNames(t *testing.T) {
	odd := map[string]string{ // as they are shown
		`a"quote`: `a"quote`, "a\nline": "a\nline", `a\backslash`: `a\backslash`, "a\\\"\nall": "a\\\"\nall",
		"a\xffbyte": `a\xFFbyte`, "a\xfebyte": `a\xFEbyte`, "\xe2\x82": `\xE2\x82`, "a\x00nul": "a\x00nul",
		"a{b=\"c\"} 1": "a{b=\"c\"} 1", "schön": "schön", "": "", "a\ttab\r": "a\ttab\r",
	}
	st := stats.New(time.Now())
	for name := range odd {
		i := st.AddSource(name, "/logs/"+name)
		st.UpdateSource(i, func(s *stats.Source) { s.Rotations = int64(i) + 1 })
		st.AddGlob(name, "/logs/*")
		st.Rejected(i, 1, "no match", []byte(name))
	}
	got, text := series(t, monitor.Handler(info, st))
	sum := 0
	for i, want := range slices.Sorted(maps.Values(odd)) {
		if got[`tailflux_source_rotations_total{source="`+want+`"}`] == 0 {
			t.Errorf("no series of %q in\n%s", want, text)
		}
		sum += i + 1
	}
	if n := got["tailflux_source_rotations_total"]; n != float64(sum) {
		t.Errorf("all series together have %v, want %d: one got another's value", n, sum)
	}
	// Two that are alike once they are text: all else is still there.
	st.AddSource(`a\xFFbyte`, "x")
	got, text = series(t, monitor.Handler(info, st))
	if _, is := got["tailflux_lines_read_total"]; !is || got["tailflux_source_rotations_total"] != float64(sum) {
		t.Errorf("all series together have %v, want %d:\n%s", got["tailflux_source_rotations_total"], sum, text)
	}
}

// Names, units, types and helps are as Prometheus' linter wants them.
func TestMetricsLint(t *testing.T) {
	st := busy()
	st.CheckpointSaved(time.Now())
	st.Reloaded(time.Now(), stats.Applied, "")
	_, text := series(t, monitor.Handler(info, st))
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v: %+v", err, problems)
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "# HELP tailflux_") && !strings.HasPrefix(line, "# TYPE tailflux_") && !strings.HasPrefix(line, "tailflux_") {
			t.Errorf("not ours: %s", line)
		}
	}
}

// Whoever scrapes gets gzip if it wants it; nothing is counted of that.
func TestMetricsCompressed(t *testing.T) {
	h := monitor.Handler(info, busy())
	for _, encoding := range []string{"gzip", "identity"} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Content-Encoding"); w.Code != 200 || got != encoding && encoding != "identity" {
			t.Errorf("%s: %d, encoding %q", encoding, w.Code, got)
		}
	}
	before, _ := series(t, h)
	after, _ := series(t, h)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after))); diff != "" {
		t.Errorf("a scrape adds series:\n%s", diff)
	}
}

// Every metric is named in docs/monitor.md.
func TestMetricsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/monitor.md")
	if err != nil {
		t.Fatal(err)
	}
	st := busy()
	st.CheckpointSaved(time.Now())
	st.Reloaded(time.Now(), stats.Applied, "")
	_, text := series(t, monitor.Handler(info, st))
	for line := range strings.Lines(text) {
		if name, is := strings.CutPrefix(line, "# TYPE tailflux_"); is {
			name, _, _ = strings.Cut(name, " ")
			if !regexp.MustCompile("`" + name + "[`{]").Match(page) {
				t.Errorf("docs/monitor.md does not have %s", name)
			}
		}
	}
}
