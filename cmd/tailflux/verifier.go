package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/tail"
)

// verifier compares files with InfluxDB.
type verifier struct {
	config   *config.Config
	known    map[string]*checkpoint.Source
	rejected rejects.Lines
	client   *influx.Client
	host     string // tag of the points; "" is any
}

func (v *verifier) verify(file, source string) (*verdict, error) {
	log, err := tail.OpenLog(file)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	name, records, err := v.find(log, source)
	if err != nil {
		return nil, err
	}
	matcher, encoder, err := v.shape(name)
	if err != nil {
		return nil, err
	}
	result := &verdict{File: file, Source: name, Approximate: len(records) == 0, Minutes: []minute{}}
	if !result.Approximate {
		result.Generation = records[0].Generation
	}
	log.Rewind()
	stamps, err := v.expect(log, result, records, matcher, encoder)
	if err != nil {
		return nil, err
	}
	slices.Sort(stamps)
	result.Expected = int64(len(stamps))
	points := &pointReader{config: v.config, client: v.client, host: v.host, source: name}
	if result.Approximate {
		err = result.count(stamps, points)
	} else {
		err = result.compare(stamps, points)
	}
	return result, err
}

// find tells of which source a file is a log, and which of its lines were
// delivered, as far as that is known.
func (v *verifier) find(log *tail.Log, source string) (name string, records []tail.Record, err error) {
	for _, candidate := range slices.Sorted(maps.Keys(v.known)) {
		if source != "" && source != candidate {
			continue
		}
		if records, err = log.Records(v.known[candidate]); err != nil || len(records) > 0 {
			return candidate, records, err
		}
	}
	switch {
	case source != "":
		return source, nil, nil
	case len(v.config.Sources) == 1 && !tail.IsGlob(v.config.Sources[0].Path):
		return v.config.Sources[0].Name, nil, nil
	}
	return "", nil, config.UsageError{Err: fmt.Errorf("it is not known of which source this is a log: choose with --source one of %s", sourceNames(v.config, v.known))}
}

// shape is how the lines of a source become points.
func (v *verifier) shape(name string) (*logformat.Matcher, *accesslog.Encoder, error) {
	source, ok := configured(v.config, name)
	if !ok {
		return nil, nil, config.UsageError{Err: fmt.Errorf("source %s is not configured, want one of %s", name, sourceNames(v.config, v.known))}
	}
	if source.Format == shape.Auto {
		chosen, err := v.chosen(name)
		if err != nil {
			return nil, nil, err
		}
		source.Format = chosen
	}
	source.Name = name
	lines, err := shape.New(v.config, source, "any", nil)
	if err != nil {
		return nil, nil, err
	}
	return lines.Matcher, lines.Encoder, nil
}

// configured is the source of that name, or the glob that it is of.
func configured(c *config.Config, name string) (config.Source, bool) {
	for _, s := range c.Sources {
		if s.Name == name || tail.IsGlob(s.Path) && strings.HasPrefix(name, s.Name+":") {
			return s, true
		}
	}
	return config.Source{}, false
}

// sourceNames are those of the sources, of a glob's as far as they are known.
func sourceNames(c *config.Config, known map[string]*checkpoint.Source) string {
	var all []string
	for _, s := range c.Sources {
		if !tail.IsGlob(s.Path) {
			all = append(all, s.Name)
			continue
		}
		n := len(all)
		for _, name := range slices.Sorted(maps.Keys(known)) {
			if strings.HasPrefix(name, s.Name+":") {
				all = append(all, name)
			}
		}
		if len(all) == n {
			all = append(all, s.Name+":... (once they were followed)")
		}
	}
	return strings.Join(all, ", ")
}

// chosen is the format that was found out for a source.
func (v *verifier) chosen(name string) (string, error) {
	found, err := openChoices(v.config, true, nil)
	if err != nil {
		return "", err
	}
	if kept := found.chosen[name]; kept.Format != "" {
		return kept.Format, nil
	}
	return "", config.UsageError{Err: fmt.Errorf("source %s has the format auto, and none was found out yet: give --format", name)}
}

// expect reads the log and returns the timestamps of the points that its lines
// should have become, and counts the others.
func (v *verifier) expect(log io.Reader, result *verdict, records []tail.Record, matcher *logformat.Matcher, encoder *accesslog.Encoder) (stamps []int64, err error) {
	lines := logfile.NewLineReader(log, int(v.config.MaxLineBytes)+1)
	var point []byte
	for {
		line, _, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return stamps, nil
		}
		if err != nil {
			return nil, err
		}
		number, rejected, known := v.line(result, records)
		result.Lines++
		if !known && !result.Approximate {
			if result.Lines <= records[0].Before {
				result.Earlier++
			} else {
				result.Pending++
			}
			continue
		}
		captures, ok := matcher.Match(line)
		if rejected || !ok || len(line) > int(v.config.MaxLineBytes) {
			result.Rejected++
			continue
		}
		var why string
		if point, why, ok = encoder.Append(point[:0], captures, number); !ok {
			if why == "" {
				result.Filtered++
			} else {
				result.Rejected++
			}
			continue
		}
		at := point[bytes.LastIndexByte(point, ' ')+1 : len(point)-1]
		stamp, err := strconv.ParseInt(string(at), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("timestamp of %q: %w", point, err)
		}
		stamps = append(stamps, stamp)
	}
}

// line is the number of the next line, if it was delivered, and whether it is in
// the reject file.
func (v *verifier) line(result *verdict, records []tail.Record) (number int64, rejected, known bool) {
	for _, r := range records {
		number = r.FirstLine + result.Lines - r.Before
		if number >= r.FirstLine && number < r.NextLine {
			return number, v.rejected.Of(result.Source, r.Generation)[number], true
		}
	}
	return 0, false, false
}

// compare looks for each of the timestamps, which are ascending.
func (v *verdict) compare(stamps []int64, points *pointReader) error {
	const atOnce = 20_000
	for len(stamps) > 0 {
		some := stamps[:min(atOnce, len(stamps))]
		stamps = stamps[len(some):]
		found := make([]bool, len(some))
		err := points.between(some[0], some[len(some)-1], func(stamp int64) {
			if i, ok := slices.BinarySearch(some, stamp); ok {
				found[i] = true
			}
		})
		if err != nil {
			return err
		}
		for i, stamp := range some {
			v.add(stamp, 1, count(found[i]))
		}
	}
	v.finish()
	return nil
}

func count(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// count compares the numbers of points in each minute.
func (v *verdict) count(stamps []int64, points *pointReader) error {
	for len(stamps) > 0 {
		from := stamps[0] - stamps[0]%int64(time.Minute)
		n, _ := slices.BinarySearch(stamps, from+int64(time.Minute))
		found := int64(0)
		err := points.between(from, from+int64(time.Minute)-1, func(int64) { found++ })
		if err != nil {
			return err
		}
		v.add(from, int64(n), min(found, int64(n)))
		stamps = stamps[n:]
	}
	v.finish()
	return nil
}

// add counts points of the minute that a timestamp is in, never of an earlier
// minute than before.
func (v *verdict) add(stamp, expected, found int64) {
	at := time.Unix(0, stamp).UTC().Truncate(time.Minute)
	if n := len(v.Minutes); n == 0 || !v.Minutes[n-1].Time.Equal(at) {
		v.Minutes = append(v.Minutes, minute{Time: at})
	}
	last := &v.Minutes[len(v.Minutes)-1]
	last.Expected += expected
	last.Found += found
	v.Found += found
	v.Missing += expected - found
}

// finish forgets the minutes in which nothing is missing.
func (v *verdict) finish() {
	v.Minutes = slices.DeleteFunc(v.Minutes, func(m minute) bool { return m.Found >= m.Expected })
}

// pointReader reads the timestamps of a source's points.
type pointReader struct {
	config       *config.Config
	client       *influx.Client
	host, source string
}

// between calls each for the points from one time to another, both included.
func (p *pointReader) between(from, to int64, each func(stamp int64)) error {
	// A point may lack any of the fields, but not all of them.
	fields := []string{influx.Quote("count")}
	for _, field := range p.config.Fields {
		fields = append(fields, influx.Quote(field))
	}
	where := "source = " + influx.QuoteString(p.source)
	if p.host != "" {
		where += " AND host = " + influx.QuoteString(p.host)
	}
	measurement := influx.Quote(p.config.Measurement)
	if rp := p.config.InfluxDB.RetentionPolicy; rp != "" {
		measurement = influx.Quote(rp) + "." + measurement
	}
	rows, err := p.client.Select(fmt.Sprintf("SELECT %s FROM %s WHERE %s AND time >= %d AND time <= %d",
		strings.Join(slices.Compact(fields), ", "), measurement, where, from, to))
	if err != nil {
		return err
	}
	for _, row := range rows {
		at, ok := row[0].(json.Number)
		if !ok {
			return fmt.Errorf("InfluxDB answered the time %v", row[0])
		}
		stamp, err := at.Int64()
		if err != nil {
			return fmt.Errorf("InfluxDB answered the time %v", at)
		}
		each(stamp)
	}
	return nil
}
