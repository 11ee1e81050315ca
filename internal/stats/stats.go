// Package stats counts what the pipeline does. Each figure on /monitor is counted
// here, by the stage where the event happens, once per chunk, batch or request.
//
// The books are the figures that must balance in every snapshot:
//
//	read = written + rejected + filtered + in flight
//
// No figure is calculated from the others: each stage moves its lines from one
// account to the next under one short lock.
package stats

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Books are the lines since the process started, by outcome.
type Books struct {
	Read     int64 // lines with a newline, including empty ones
	Written  int64 // acknowledged by InfluxDB
	Rejected int64 // in the reject file
	Filtered int64 // dropped by a rule
	InFlight int64 // read, but not yet written, rejected or filtered
}

// Load is how much waits in a channel.
type Load struct{ Lines, Bytes int64 }

// Stats is safe for use by several goroutines. Make it with [New].
type Stats struct {
	started time.Time

	mu          sync.Mutex // guards what follows; never held over I/O
	books       Books
	rate        rate
	bytes       int64 // of the lines read
	undelivered undelivered
	read        Load // chunks sent but not yet received
	write       Load // batches sent but not yet received
	reasons     map[string]int64
	rejects     rejects
	rejectsErr  string
	rejectsOld  int64     // entries that the limit removed from the reject file
	saved       time.Time // when the checkpoint was last saved; zero: never
	saveErr     string
	looked      time.Time // when the reader last looked at its paths; zero: it does not read
	sources     []Source
	globs       []Glob
	rollups     []Rollup
	tags        []*Tag
	influx      influx
	reload      Reload
}

// Source is the state of one source.
type Source struct {
	Name, Path  string
	Open        bool
	Trouble     string // why it is not open
	Offset      int64  // bytes read of the current file
	Size        int64  // size of the current file in bytes when it was last checked
	Rotations   int64
	Truncations int64
	Recovered   int64     // truncated files whose unread rest was found in a copy
	Lost        int64     // generations that disappeared before they were read to the end
	LostBytes   int64     // bytes of these known to be unread
	WrittenLate int64     // superseded files that were written to when nginx should have reopened its logs
	Beyond      int64     // lines of superseded files that have numbers of the file after them
	Unreadable  int64     // files that may be its logs and cannot be unpacked or placed
	LastLine    time.Time // timestamp in the last parsed line; zero: none yet
	NULs        int64     // bytes that nobody wrote, skipped
	Omitted     int64     // field values left out of their points because they are not numbers

	Lines        int64  // judged by the format: all but empty and too long ones
	Misfits      int64  // of Lines, those that are not in the format
	FirstMisfit  string // why the first of them is not
	Unfit        string // why its lines are rejected just now; "": some are in its format
	LastRejected string
	LastReason   string

	Files     int   // of it that are open
	Unsettled int64 // lines read of which that, and of all before them, is not known yet

	Dropped bool // it is in no snapshot
}

// Glob is the state of a configured glob, of which each file is a source.
type Glob struct {
	Name, Path string
	Files      int    // that it has matched since the process started, without earlier days that were deleted
	Trouble    string // why it has matched none

	Dropped bool // it is in no snapshot
}

// New returns empty books of a process that started at started.
func New(started time.Time) *Stats {
	return &Stats{started: started, reasons: map[string]int64{}}
}

// AddSource adds a source and returns its number, from 0.
func (s *Stats) AddSource(name, path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources = append(s.sources, Source{Name: name, Path: path, Trouble: "not opened yet"})
	return len(s.sources) - 1
}

// UpdateSource calls update to change the state of a source. update must be quick
// and must not call Stats.
func (s *Stats) UpdateSource(source int, update func(*Source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	update(&s.sources[source])
}

// AddGlob adds a glob and returns its number, from 0.
func (s *Stats) AddGlob(name, path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.globs = append(s.globs, Glob{Name: name, Path: path, Trouble: "not looked for yet"})
	return len(s.globs) - 1
}

// Matched records how many files a glob has matched and, if it has matched no file, why.
func (s *Stats) Matched(glob, files int, trouble string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.globs[glob].Files, s.globs[glob].Trouble = files, trouble
}

// Read counts a chunk that is about to be sent. Its lines are in flight from now
// on.
func (s *Stats) Read(now time.Time, lines, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books.Read += lines
	s.books.InFlight += lines
	s.read.Lines += lines
	s.read.Bytes += bytes
	s.rate.add(now, lines, bytes)
	s.bytes += bytes
	s.undelivered.add(now, lines)
}

// ReadAgain takes back the lines in flight, which are in neither channel: they will be read once
// more.
func (s *Stats) ReadAgain(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.undelivered.add(now, -s.books.InFlight)
	s.books.Read -= s.books.InFlight
	s.books.InFlight = 0
}

// Looked records that the reader has looked at its paths, with the zero time that it
// does so no more.
func (s *Stats) Looked(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = now
}

// Offset records how far the newest file of a source has been read, in bytes.
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

// Parsed counts a batch that is about to be sent. bytes is the length of its line
// protocol; last is the timestamp of its last line, or zero if there is none;
// omitted is the number of field values left out so far.
func (s *Stats) Parsed(source int, last time.Time, lines, filtered, bytes, omitted int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources[source].Omitted = omitted
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

// Rejected counts lines of a source that were written to the reject file for one
// reason. It keeps a copy of last, the last of them.
func (s *Stats) Rejected(source int, lines int64, reason string, last []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books.Rejected += lines
	s.books.InFlight -= lines
	s.reasons[reason] += lines
	s.sources[source].LastRejected, s.sources[source].LastReason = string(last), reason
}

// RejectsTrouble records why the reject file cannot be written; "": it can.
func (s *Stats) RejectsTrouble(err string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejectsErr = err
}

// RejectsExpired counts entries that the limit removed from the reject file.
func (s *Stats) RejectsExpired(entries int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejectsOld += entries
}

// CheckpointTrouble records why the checkpoint cannot be saved; "": it can.
func (s *Stats) CheckpointTrouble(err string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saveErr = err
}

// CheckpointSaved records that the checkpoint is on the disk.
func (s *Stats) CheckpointSaved(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = now
}

// Checkpoint says whether the checkpoint can be saved.
type Checkpoint struct {
	Saves   bool          // it has been saved at least once
	Age     time.Duration // time since the last save
	Trouble string
}

// Motion is by what it shows whether the stages work.
type Motion struct {
	Books  Books
	Read   int64     // lines of the reader that parse has not received
	Looked time.Time // when the reader last looked at its paths; zero: it does not read
}

// Motion returns these figures at one instant.
func (s *Stats) Motion() Motion {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Motion{Books: s.books, Read: s.read.Lines, Looked: s.looked}
}

// Snapshot is the state at one instant.
type Snapshot struct {
	Uptime          time.Duration
	Books           Books
	BytesRead       int64
	LinesPerSecond  Rates
	BytesPerSecond  Rates
	Undelivered     time.Duration // how long the oldest line waits that was read and is not settled; 0 without one
	Read, Write     Load
	RejectedReasons map[string]int64
	RejectsTrouble  string
	RejectsExpired  int64
	Checkpoint      Checkpoint
	Sources         []Source
	Globs           []Glob
	Rollups         []Rollup
	Tags            []TagValues
	InfluxDB        InfluxDB
	Reload          Reload
}

// Snapshot returns all figures at one instant, so that the books balance.
func (s *Stats) Snapshot(now time.Time) Snapshot {
	snap, took := s.copy(now)
	snap.InfluxDB.RequestSeconds = quantiles(took) // sorts, so it is done without the lock
	return snap
}

func (s *Stats) copy(now time.Time) (snap Snapshot, took []float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap = Snapshot{
		Uptime:          now.Sub(s.started),
		Books:           s.books,
		BytesRead:       s.bytes,
		Undelivered:     s.undelivered.age(now),
		Read:            s.read,
		Write:           s.write,
		RejectedReasons: maps.Clone(s.reasons),
		RejectsTrouble:  s.rejectsErr,
		RejectsExpired:  s.rejectsOld,
		Checkpoint:      Checkpoint{Saves: !s.saved.IsZero(), Trouble: s.saveErr},
		Sources:         slices.DeleteFunc(slices.Clone(s.sources), func(s Source) bool { return s.Dropped }),
		Globs:           slices.DeleteFunc(slices.Clone(s.globs), func(g Glob) bool { return g.Dropped }),
		Rollups:         slices.Clone(s.rollups),
		Tags:            tagValues(s.tags),
		InfluxDB:        s.influx.snapshot(now),
		Reload:          s.reload,
	}
	if snap.Checkpoint.Saves {
		snap.Checkpoint.Age = now.Sub(s.saved)
	}
	snap.LinesPerSecond, snap.BytesPerSecond = s.rate.over(now, s.started)
	return snap, s.influx.took(now)
}
