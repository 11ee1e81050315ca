package monitor

import (
	"cmp"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/stats"
)

// The JSON of /monitor.
type (
	monitorReport struct {
		UptimeSeconds float64                 `json:"uptime_seconds"`
		Version       string                  `json:"version"`
		Go            string                  `json:"go"`
		PID           int                     `json:"pid"`
		MemoryBytes   int64                   `json:"memory_bytes"`
		Lines         linesReport             `json:"lines"`
		Undelivered   float64                 `json:"undelivered_seconds"`
		Throughput    throughputReport        `json:"throughput"`
		Channels      channelsReport          `json:"channels"`
		Sources       []sourceReport          `json:"sources"`
		Globs         []globReport            `json:"globs"`
		Rollups       []rollupReport          `json:"rollups"`
		InfluxDB      influxReport            `json:"influxdb"`
		Tags          map[string]tagReport    `json:"tags"`
		Rejects       rejectsReport           `json:"rejects"`
		OldRejects    int64                   `json:"rejects_expired"`
		Unreadable    int64                   `json:"generations_unreadable"`
		Checkpoint    checkpointReport        `json:"checkpoint"`
		Parser        map[string]parserReport `json:"parser"`
		Reload        *reloadReport           `json:"reload"`

		BytesRead int64 `json:"-"` // /metrics has it instead of throughput
	}
	reloadReport struct {
		State string    `json:"state"`
		At    time.Time `json:"at"`
		Error string    `json:"error,omitempty"`
	}
	linesReport struct {
		Read     int64 `json:"read"`
		Written  int64 `json:"written"`
		Rejected int64 `json:"rejected"`
		Filtered int64 `json:"filtered"`
		InFlight int64 `json:"in_flight"`
	}
	throughputReport struct {
		Lines rates `json:"lines_per_second"`
		Bytes rates `json:"bytes_per_second"`
	}
	rates struct {
		Over1s  float64 `json:"1s"`
		Over10s float64 `json:"10s"`
		Over60s float64 `json:"60s"`
	}
	channelsReport struct {
		Read  channelReport `json:"read"`
		Write channelReport `json:"write"`
	}
	channelReport struct {
		Length   int   `json:"length"`
		Capacity int   `json:"capacity"`
		Lines    int64 `json:"lines"`
		Bytes    int64 `json:"bytes"`
	}
	sourceReport struct {
		Name        string  `json:"name"`
		Path        string  `json:"path"`
		Open        bool    `json:"open"`
		Trouble     string  `json:"trouble,omitempty"`
		Offset      int64   `json:"offset"`
		Size        int64   `json:"size"`
		LagBytes    int64   `json:"lag_bytes"`
		LagSeconds  float64 `json:"lag_seconds"`
		Rotations   int64   `json:"rotations"`
		Truncations int64   `json:"truncations"`
		Recovered   int64   `json:"recovered"`
		Lost        int64   `json:"generations_lost"`
		LostBytes   int64   `json:"bytes_lost"`
		NULs        int64   `json:"nul_bytes_skipped"`
		Omitted     int64   `json:"values_omitted"`
		WrittenLate int64   `json:"still_written_after_rotation"`
		Beyond      int64   `json:"line_numbers_used_twice"`
	}
	globReport struct {
		Name    string `json:"name"`
		Path    string `json:"path"`
		Files   int    `json:"files"`
		Trouble string `json:"trouble,omitempty"`
	}
	rollupReport struct {
		Measurement     string  `json:"measurement"`
		Cells           int64   `json:"cells"`
		Bytes           int64   `json:"bytes"`
		Cuts            int64   `json:"cuts"`
		Intents         int64   `json:"intents"`
		OpenSeconds     float64 `json:"open_seconds"`
		RefusedRequests int64   `json:"refused_requests"`
		ExpiredRequests int64   `json:"expired_requests"`
	}
	checkpointReport struct {
		SavedSeconds *float64 `json:"saved_seconds"`
		Trouble      string   `json:"trouble,omitempty"`
	}
	influxReport struct {
		Up             bool      `json:"up"`
		Version        string    `json:"version"`
		LastError      string    `json:"last_error"`
		OutageSeconds  float64   `json:"outage_seconds"`
		Batches        int64     `json:"batches"`
		Retries        int64     `json:"retries"`
		RequestSeconds quantiles `json:"request_seconds"`

		AllSeconds float64 `json:"-"` // of all acknowledged requests
	}
	quantiles struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	}
	tagReport struct {
		Values int64 `json:"values"`
		Limit  int   `json:"limit"`
		Other  int64 `json:"other"`
	}
	rejectsReport struct {
		Reasons map[string]int64 `json:"reasons"`
		Trouble string           `json:"trouble,omitempty"`
	}
	parserReport struct {
		Kind         string      `json:"kind"`
		LastRejected *lastReport `json:"last_rejected"`
	}
	lastReport struct {
		Line   string `json:"line"`
		Reason string `json:"reason"`
	}
)

// maxShown is the most bytes that are shown of a rejected line.
const maxShown = 1024

func report(info Info, st *stats.Stats, now time.Time) monitorReport {
	s := st.Snapshot(now)
	db := s.InfluxDB
	r := monitorReport{
		UptimeSeconds: s.Uptime.Seconds(),
		Version:       info.Version,
		Go:            runtime.Version(),
		PID:           os.Getpid(),
		MemoryBytes:   ResidentBytes(),
		Lines:         linesReport(s.Books),
		BytesRead:     s.BytesRead,
		Undelivered:   s.Undelivered.Seconds(),
		Throughput:    throughputReport{rates(s.LinesPerSecond), rates(s.BytesPerSecond)},
		Channels:      channelsReport{channel(info.Read, s.Read), channel(info.Write, s.Write)},
		Sources:       []sourceReport{},
		Globs:         []globReport{},
		Rollups:       []rollupReport{},
		InfluxDB: influxReport{
			Up: db.Up, Version: db.Version, LastError: db.LastError, OutageSeconds: db.Outage.Seconds(),
			Batches: db.Batches, Retries: db.Retries, RequestSeconds: quantiles(db.RequestSeconds),
			AllSeconds: db.Took.Seconds(),
		},
		Tags:       map[string]tagReport{},
		Rejects:    rejectsReport{Reasons: s.RejectedReasons, Trouble: s.RejectsTrouble},
		OldRejects: s.RejectsExpired,
		Unreadable: unreadable(s.Sources),
		Checkpoint: checkpointReport{Trouble: s.Checkpoint.Trouble},
		Parser:     map[string]parserReport{},
	}
	if is := s.Reload; is.State != "" {
		r.Reload = &reloadReport{is.State, is.At.UTC().Truncate(time.Millisecond), is.Err}
	}
	if s.Checkpoint.Saves {
		age := s.Checkpoint.Age.Seconds()
		r.Checkpoint.SavedSeconds = &age
	}
	for _, source := range s.Sources {
		r.Sources = append(r.Sources, sourceOf(source, now))
		p := parserReport{}
		if info.Kind != nil {
			p.Kind = info.Kind(source.Name, source.Path)
		}
		if source.LastReason != "" {
			line := source.LastRejected[:min(len(source.LastRejected), maxShown)]
			p.LastRejected = &lastReport{escape.Invalid(line, escape.Hex), source.LastReason}
		}
		r.Parser[source.Name] = p
	}
	for _, glob := range s.Globs {
		r.Globs = append(r.Globs, globReport{glob.Name, glob.Path, glob.Files, glob.Trouble})
	}
	for _, rollup := range s.Rollups {
		one := rollupReport{
			Measurement: rollup.Measurement, Cells: rollup.Cells, Bytes: rollup.Bytes, Cuts: rollup.Cuts, Intents: rollup.Intents,
			RefusedRequests: rollup.RefusedRequests, ExpiredRequests: rollup.ExpiredRequests,
		}
		if !rollup.OpenSince.IsZero() {
			one.OpenSeconds = now.Sub(rollup.OpenSince).Seconds()
		}
		r.Rollups = append(r.Rollups, one)
	}
	for _, tag := range s.Tags {
		r.Tags[tag.Name] = tagReport{Values: tag.Values, Limit: tag.Limit, Other: tag.Other}
	}
	return r
}

func unreadable(sources []stats.Source) (n int64) {
	for _, s := range sources {
		n += s.Unreadable
	}
	return n
}

func channel(c Channel, load stats.Load) channelReport {
	return channelReport{Length: c.Length(), Capacity: c.Capacity(), Lines: load.Lines, Bytes: load.Bytes}
}

func sourceOf(s stats.Source, now time.Time) sourceReport {
	r := sourceReport{
		Name: s.Name, Path: s.Path, Open: s.Open, Trouble: cmp.Or(s.Trouble, s.Unfit),
		Offset: s.Offset, Size: s.Size, LagBytes: s.Size - s.Offset,
		Rotations: s.Rotations, Truncations: s.Truncations,
		Recovered: s.Recovered, Lost: s.Lost, LostBytes: s.LostBytes, NULs: s.NULs, Omitted: s.Omitted, WrittenLate: s.WrittenLate, Beyond: s.Beyond,
	}
	if r.LagBytes > 0 && !s.LastLine.IsZero() {
		r.LagSeconds = max(0, now.Sub(s.LastLine).Seconds())
	}
	return r
}

// ResidentBytes is the resident memory of the process, from /proc; 0 without it.
func ResidentBytes() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
