// Package verify compares the lines of a log with the points in InfluxDB: it works
// out the timestamp of each line's point, as the daemon does, and looks for it. It
// writes nothing.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/shape"
)

// Points is where the points are; [influx.Client] is one.
type Points interface {
	// Timestamps returns the times of the points from one time to another, both
	// included, in nanoseconds since 1970, in any order.
	Timestamps(ctx context.Context, s influx.Series, from, to int64) ([]int64, error)
}

// Verifier verifies files. It is for one goroutine.
type Verifier struct {
	config   *config.Config
	known    map[string]*checkpoint.Source
	rejected rejects.Lines
	points   Points
	host     string // tag of the points; "" is any
}

// Open reads what the state directory says of the files that were followed or
// imported. The daemon may have the directory.
func Open(c *config.Config, points Points) (*Verifier, error) {
	v := &Verifier{config: c, points: points}
	var err error
	if v.known, err = checkpoint.Read(c.StateDir); err != nil {
		return nil, err
	}
	if v.rejected, err = rejects.Read(c.StateDir); err != nil {
		return nil, err
	}
	v.host, err = shape.KeptHost(c)
	return v, err
}

// A FileError is why a file cannot be read, and names it. Others may be verified.
type FileError struct{ Err error }

func (e FileError) Error() string { return e.Err.Error() }
func (e FileError) Unwrap() error { return e.Err }

// Verify compares a file, plain or compressed, with the points of a source; "" is
// the source that the file is found to be of. The error is a [config.UsageError]
// when source must be given, and is not, and a [FileError] when the file cannot be
// read. It blocks for the whole of the file and its points, until ctx ends.
func (v *Verifier) Verify(ctx context.Context, file, source string) (*Verdict, error) {
	log, err := logfile.OpenLog(file)
	if err != nil {
		return nil, FileError{err}
	}
	defer log.Close()
	verdict, err := v.verify(ctx, log, file, source)
	if reading, ok := errors.AsType[*fs.PathError](err); ok && reading.Path == file {
		err = FileError{err}
	}
	return verdict, err
}

func (v *Verifier) verify(ctx context.Context, log *logfile.Log, file, source string) (*Verdict, error) {
	name, records, err := v.find(log, source)
	if err != nil {
		return nil, err
	}
	configured, ok := shape.Configured(v.config, name)
	if !ok {
		return nil, config.UsageError{Err: fmt.Errorf("source %s is not configured; use one of %s", name, v.names())}
	}
	lines, err := shape.Kept(v.config, configured, name)
	if err != nil {
		return nil, err
	}
	result := &Verdict{File: file, Source: name, Approximate: len(records) == 0, Minutes: []Minute{}}
	if !result.Approximate {
		result.Generation = records[0].Generation
	}
	log.Rewind()
	stamps, err := v.expect(log, result, records, lines)
	if err != nil {
		return nil, err
	}
	slices.Sort(stamps)
	result.Expected = int64(len(stamps))
	points := func(from, to int64) ([]int64, error) {
		s := influx.Series{Measurement: v.config.Measurement, Fields: v.config.Fields, Source: name, Host: v.host}
		return v.points.Timestamps(ctx, s, from, to)
	}
	if result.Approximate {
		err = result.count(stamps, points)
	} else {
		err = result.compare(stamps, points)
	}
	return result, err
}

// find returns the source that a file is a log of, and which of its lines were
// delivered, as far as that is known.
func (v *Verifier) find(log *logfile.Log, source string) (name string, records []checkpoint.Record, err error) {
	for _, candidate := range slices.Sorted(maps.Keys(v.known)) {
		if source != "" && source != candidate {
			continue
		}
		if records, err = v.known[candidate].Records(log); err != nil || len(records) > 0 {
			return candidate, records, err
		}
	}
	switch {
	case source != "":
		return source, nil, nil
	case len(v.config.Sources) == 1 && !v.config.Sources[0].IsGlob():
		return v.config.Sources[0].Name, nil, nil
	}
	return "", nil, config.UsageError{Err: fmt.Errorf("cannot tell which source this file belongs to: use --source (one of %s)", v.names())}
}

func (v *Verifier) names() string {
	return shape.Names(v.config, slices.Collect(maps.Keys(v.known)))
}

// expect reads the log and returns the timestamps of the points that its lines
// should have become, and counts the others.
func (v *Verifier) expect(log io.Reader, result *Verdict, records []checkpoint.Record, shaped *shape.Lines) (stamps []int64, err error) {
	lines := logfile.NewLineReader(log, int(v.config.MaxLineBytes))
	var point []byte
	for {
		line, long, err := lines.Next()
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
		if rejected || long {
			result.Rejected++
			continue
		}
		is, err := shaped.AppendRead(point[:0], line, number, lines, int(v.config.MaxLineBytes))
		if err != nil {
			return nil, err
		}
		if point = is.Points; !v.joined(result, records, number, is.More) {
			is.Outcome = accesslog.Rejected
		} else if err := skip(lines, is.More); err != nil {
			return nil, err
		} else {
			result.Lines += int64(is.More)
			result.Filtered += int64(is.More)
		}
		switch is.Outcome {
		case accesslog.Filtered:
			result.Filtered++
		case accesslog.Rejected:
			result.Rejected++
		case accesslog.Point:
			stamp, ok := lineproto.Stamp(point)
			if !ok {
				return nil, fmt.Errorf("no timestamp in %q", point)
			}
			stamps = append(stamps, stamp)
		}
	}
}

// line is the number of the next line, if it was delivered, and whether it is in
// the reject file.
func (v *Verifier) line(result *Verdict, records []checkpoint.Record) (number int64, rejected, known bool) {
	for _, r := range records {
		number = r.FirstLine + result.Lines - r.Before
		if number >= r.FirstLine && number < r.NextLine {
			return number, v.rejected.Of(result.Source, r.Generation)[number], true
		}
	}
	return 0, false, false
}

// joined reports whether the daemon may have joined a line with so many behind it: those
// that it did not get in one read are in the reject file.
func (v *Verifier) joined(result *Verdict, records []checkpoint.Record, number int64, more int) bool {
	if result.Approximate {
		return true
	}
	behind := *result
	for i := range int64(more) {
		behind.Lines = result.Lines + i
		if n, rejected, known := v.line(&behind, records); n != number+i+1 || rejected || !known {
			return false
		}
	}
	return true
}

func skip(lines *logfile.LineReader, n int) error {
	for range n {
		if _, _, err := lines.Next(); err != nil {
			return err
		}
	}
	return nil
}

// compare looks for each of the timestamps, which are ascending.
func (v *Verdict) compare(stamps []int64, points func(from, to int64) ([]int64, error)) error {
	const atOnce = 20_000
	for len(stamps) > 0 {
		some := stamps[:min(atOnce, len(stamps))]
		stamps = stamps[len(some):]
		there, err := points(some[0], some[len(some)-1])
		if err != nil {
			return err
		}
		found := make([]bool, len(some))
		for _, stamp := range there {
			if i, ok := slices.BinarySearch(some, stamp); ok {
				found[i] = true
			}
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
func (v *Verdict) count(stamps []int64, points func(from, to int64) ([]int64, error)) error {
	for len(stamps) > 0 {
		from := stamps[0] - stamps[0]%int64(time.Minute)
		n, _ := slices.BinarySearch(stamps, from+int64(time.Minute))
		found, err := points(from, from+int64(time.Minute)-1)
		if err != nil {
			return err
		}
		v.add(from, int64(n), int64(min(len(found), n)))
		stamps = stamps[n:]
	}
	v.finish()
	return nil
}
