// Package verify compares the lines of a log with the points in InfluxDB: it works
// out the timestamp of each line's point, as the daemon does, and looks for it; and it adds
// the lines up, and compares that with what rollups add up to. It writes nothing.
//
//	verify.go   reads the log
//	points.go   compares points
//	rollups.go  compares sums
//	verdict.go  says what was found
package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/shape"
)

// Points is where the points are; [influx.Client] is one.
type Points interface {
	// Timestamps returns the times of the points from one time to another, both
	// included, in nanoseconds since 1970, in any order.
	Timestamps(ctx context.Context, s influx.Series, from, to int64) ([]int64, error)
	// Deltas returns the points of a rollup between the same.
	Deltas(ctx context.Context, r influx.Rollup, from, to int64) ([]influx.Delta, error)
}

// Verifier verifies files. It is for one goroutine.
type Verifier struct {
	config   *config.Config
	known    map[string]*checkpoint.Source
	rejected rejects.Lines
	points   Points
	rollups  []rollup.Definition
	host     string // tag of the points; "" is any
}

// Open reads what the state directory says of the files that were followed or
// imported. rollups are those that are configured. The daemon may have the directory.
func Open(c *config.Config, points Points, rollups []rollup.Definition) (*Verifier, error) {
	v := &Verifier{config: c, points: points, rollups: rollups}
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
	result := &Verdict{
		File: file, Source: name, Approximate: len(records) == 0, Raw: v.config.Raw,
		Minutes: []Minute{}, Rollups: []*Rollup{},
	}
	if !result.Approximate {
		result.Generation = records[0].Generation
	}
	log.Rewind()
	stamps, sums, err := v.expect(log, result, records, lines)
	if err != nil {
		return nil, err
	}
	for _, s := range sums {
		if err := s.compare(ctx, v.points, v.host); err != nil {
			return nil, err
		}
		result.Rollups = append(result.Rollups, &s.Rollup)
	}
	if !v.config.Raw {
		return result, nil
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

// expect reads the log, and finds out what its lines should have become: the timestamps of
// points, and the sums of rollups. It counts the others.
func (v *Verifier) expect(log io.Reader, result *Verdict, records []checkpoint.Record, shaped *shape.Lines) (stamps []int64, sums []*sums, err error) {
	lines := logfile.NewLineReader(log, int(v.config.MaxLineBytes))
	sums = v.sums(result, records)
	raw := spansOf(records, checkpoint.Raw)
	var point []byte
	for {
		line, long, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return stamps, sums, nil
		}
		if err != nil {
			return nil, nil, err
		}
		is := v.line(result, records)
		result.Lines++
		if !is.known && !result.Approximate {
			if result.Lines <= records[0].Before {
				result.Earlier++
			} else {
				result.Pending++
				if !result.fits && !long && !lines.Unended() {
					read, err := shaped.AppendRead(point[:0], line, is.number, lines, int(v.config.MaxLineBytes))
					if err != nil {
						return nil, nil, err
					}
					if result.fits = read.Outcome != accesslog.Rejected; !result.fits {
						result.misfits++
					}
				}
				for _, s := range sums {
					s.Pending++
				}
			}
			continue
		}
		reach(sums, is.number)
		if is.rejected && !is.reason.IsOfPoint() || long {
			result.Rejected++
			continue
		}
		read, err := shaped.AppendRead(point[:0], line, is.number, lines, int(v.config.MaxLineBytes))
		if err != nil {
			return nil, nil, err
		}
		if point = read.Points; read.More > 0 && !v.joined(result, records, &is, read.More) {
			read.Outcome = accesslog.Rejected
		} else if err := skip(lines, read.More); err != nil {
			return nil, nil, err
		} else {
			result.Lines += int64(read.More)
			result.Filtered += int64(read.More)
			reach(sums, is.number)
		}
		switch read.Outcome {
		case accesslog.Filtered:
			result.Filtered++
			continue
		case accesslog.Rejected:
			result.Rejected++
			continue
		case accesslog.Point:
		}
		m := read.By.Measures(read.Captures)
		for _, s := range sums {
			s.add(&is, m, result.Approximate)
		}
		switch place := raw.place(is.number); {
		case is.rejected:
			result.Rejected++
		case !v.config.Raw:
			result.Added++
		case place == behind && !result.Approximate:
			result.Pending++
		case place == outside && !result.Approximate:
			result.Added++
		default:
			stamp, ok := lineproto.Stamp(point)
			if !ok {
				return nil, nil, fmt.Errorf("no timestamp in %q", point)
			}
			stamps = append(stamps, stamp)
		}
	}
}

// known is what is known of a line.
type known struct {
	number      int64
	known       bool // it was delivered, at least in part
	rejected    bool // it is in the reject file
	redelivered bool // it was, because it could not be read
	reason      flow.Reason
}

// line is what is known of the next line.
func (v *Verifier) line(result *Verdict, records []checkpoint.Record) (is known) {
	for i := range records {
		r := &records[i]
		is.number = r.FirstLine + result.Lines - r.Before
		if is.number >= r.FirstLine && is.number < r.Until() {
			is.known = true
			is.reason, is.rejected = v.rejected.Of(result.Source, r.Generation)[is.number]
			if why, ok := v.rejected.Redelivered(result.Source, r.Generation)[is.number]; ok && !is.rejected {
				is.redelivered = !why.IsOfPoint()
			}
			return is
		}
	}
	return known{}
}

// joined reports whether the daemon may have joined a line with so many behind it, of which
// the last one becomes the line: those that it did not get in one read are in the reject file.
func (v *Verifier) joined(result *Verdict, records []checkpoint.Record, is *known, more int) bool {
	if result.Approximate {
		return true
	}
	behind := *result
	number := is.number
	for i := range int64(more) {
		behind.Lines = result.Lines + i
		if *is = v.line(&behind, records); is.number != number+i+1 || is.rejected && !is.reason.IsOfPoint() || !is.known {
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
