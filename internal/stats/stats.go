// Package stats counts what the pipeline does. Every figure that /monitor shows
// is counted here, at the place where it happens, once per chunk, batch or
// request.
//
// The books are the figures that must balance, in every snapshot:
//
//	read = written + rejected + filtered + in flight
//
// No term is derived from the others: each stage moves its lines from one
// account to the next under one short lock.
package stats

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Books are lines by what became of them since the process started.
type Books struct {
	Read     int64 // newline-terminated lines, empty ones too
	Written  int64 // acknowledged by InfluxDB
	Rejected int64 // in the reject file
	Filtered int64 // left out on purpose
	InFlight int64 // read, and none of the others yet
}

// Load is what waits in a channel.
type Load struct{ Lines, Bytes int64 }

// Stats is safe for use by several goroutines. Make it with [New].
type Stats struct {
	started time.Time

	mu         sync.Mutex // guards what follows; never held over I/O
	books      Books
	rate       rate
	read       Load // chunks sent and not yet received
	write      Load // batches sent and not yet received
	reasons    map[string]int64
	rejectsErr string
	rejectsOld int64     // entries removed from the reject file
	saved      time.Time // the checkpoint, zero before
	saveErr    string
	sources    []Source
	tags       []*Tag
	influx     influx
}

// Source is what is known of one followed path.
type Source struct {
	Name, Path  string
	Open        bool
	Trouble     string // why it is not open
	Offset      int64  // bytes read of the current file
	Size        int64  // bytes in it when it was last looked at
	Rotations   int64
	Truncations int64
	Recovered   int64     // times that the rest of a truncated file was found in a copy
	Lost        int64     // generations that are gone before they were read to their end
	LostBytes   int64     // bytes of them that are known not to have been read
	LastLine    time.Time // time in the last line parsed, zero before the first

	Kind         string // "scanner", "regexp" or "json"; "" until the format is known
	LastRejected string
	LastReason   string
}

// New returns empty books. started is when the process did.
func New(started time.Time) *Stats {
	return &Stats{started: started, reasons: map[string]int64{}}
}

// AddSource makes a source known and returns its number, counted from 0.
func (s *Stats) AddSource(name, path, kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources = append(s.sources, Source{Name: name, Path: path, Kind: kind, Trouble: "not opened yet"})
	return len(s.sources) - 1
}

// UpdateSource lets update change what is known of a source. update must be
// quick and must not call Stats.
func (s *Stats) UpdateSource(source int, update func(*Source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	update(&s.sources[source])
}

// Read counts a chunk that is about to be sent: its lines are in flight now.
func (s *Stats) Read(now time.Time, lines, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books.Read += lines
	s.books.InFlight += lines
	s.read.Lines += lines
	s.read.Bytes += bytes
	s.rate.add(now, lines, bytes)
}

// Offset notes how far the newest file of a source was read.
func (s *Stats) Offset(source int, offset int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := &s.sources[source]
	at.Offset, at.Size = offset, max(at.Size, offset)
}

// Parsing counts a chunk that was received.
func (s *Stats) Parsing(lines, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read.Lines -= lines
	s.read.Bytes -= bytes
}

// Parsed counts a batch that is about to be sent: bytes is its line protocol,
// last the time in its last line, if not zero.
func (s *Stats) Parsed(source int, last time.Time, lines, filtered, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books.Filtered += filtered
	s.books.InFlight -= filtered
	s.write.Lines += lines
	s.write.Bytes += bytes
	if !last.IsZero() {
		s.sources[source].LastLine = last
	}
}

// Writing counts a batch that was received.
func (s *Stats) Writing(lines, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.write.Lines -= lines
	s.write.Bytes -= bytes
}

// Written counts points that InfluxDB acknowledged.
func (s *Stats) Written(points int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books.Written += points
	s.books.InFlight -= points
}

// Rejected counts lines of a source that are in the reject file for one reason,
// and keeps a copy of the last one.
func (s *Stats) Rejected(source int, lines int64, reason string, last []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books.Rejected += lines
	s.books.InFlight -= lines
	s.reasons[reason] += lines
	s.sources[source].LastRejected, s.sources[source].LastReason = string(last), reason
}

// RejectsTrouble notes why the reject file cannot be written; "" when it can.
func (s *Stats) RejectsTrouble(err string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejectsErr = err
}

// RejectsExpired counts entries that the cap has removed from the reject file.
func (s *Stats) RejectsExpired(entries int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejectsOld += entries
}

// CheckpointTrouble notes why the checkpoint cannot be saved; "" when it can.
func (s *Stats) CheckpointTrouble(err string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saveErr = err
}

// CheckpointSaved notes that the checkpoint is on the disk.
func (s *Stats) CheckpointSaved(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = now
}

// Checkpoint is how saving the checkpoint goes.
type Checkpoint struct {
	Saves   bool          // it was saved at least once
	Age     time.Duration // since then
	Trouble string
}

// Snapshot is the state at one instant.
type Snapshot struct {
	Uptime          time.Duration
	Books           Books
	LinesPerSecond  Rates
	BytesPerSecond  Rates
	Read, Write     Load
	RejectedReasons map[string]int64
	RejectsTrouble  string
	RejectsExpired  int64
	Checkpoint      Checkpoint
	Sources         []Source
	Tags            []TagValues
	InfluxDB        InfluxDB
}

// Snapshot returns everything at once: its books balance.
func (s *Stats) Snapshot(now time.Time) Snapshot {
	snap, took := s.copy(now)
	snap.InfluxDB.RequestSeconds = quantiles(took) // sorts: not under the lock
	return snap
}

func (s *Stats) copy(now time.Time) (snap Snapshot, took []float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap = Snapshot{
		Uptime:          now.Sub(s.started),
		Books:           s.books,
		Read:            s.read,
		Write:           s.write,
		RejectedReasons: maps.Clone(s.reasons),
		RejectsTrouble:  s.rejectsErr,
		RejectsExpired:  s.rejectsOld,
		Checkpoint:      Checkpoint{Saves: !s.saved.IsZero(), Trouble: s.saveErr},
		Sources:         slices.Clone(s.sources),
		Tags:            tagValues(s.tags),
		InfluxDB:        s.influx.snapshot(now),
	}
	if snap.Checkpoint.Saves {
		snap.Checkpoint.Age = now.Sub(s.saved)
	}
	snap.LinesPerSecond, snap.BytesPerSecond = s.rate.over(now, s.started)
	return snap, s.influx.took(now)
}
