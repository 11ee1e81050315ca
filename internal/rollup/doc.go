// Package rollup adds lines up, so that months of traffic can be kept and read: instead
// of a point for each line, or beside it, a few points for each window of time.
//
//	line ──► cell ──cut──► deltas ──► InfluxDB
//
// A [Definition] is a measurement with an interval of the log's own clock and a set of
// tags. A cell is what the lines of one generation add up to for one series and one
// window. A cut empties all cells of a rollup and a generation into deltas, points that
// whoever reads them adds up. Deltas may come late, in any order, and several for one
// window.
//
// Each line is counted exactly once, whatever happens between. That rests on these
// rules, which docs/adr/0014-rollups.md argues one by one:
//
//   - The same lines between the same two positions give the same deltas, with the same
//     stamps: InfluxDB stores the second over the first.
//   - Where a cut ends is durable, as an [Intent], before the first of its deltas is sent.
//     After a crash the same lines are cut in the same places.
//   - A cut begins where the one before it ended. Lines before that are not counted again.
//
// The package knows lines and places, and no files, sockets or clocks; [Book] alone keeps
// a file, that of the intents.
//
//	rollup.go   what is configured, and how it is known
//	plain.go    sums without buckets, for who compares them
//	percentile.go  percentiles from buckets
//	scale.go    the buckets of times
//	cells.go    the cells, how they are found, and the memory they take
//	share.go    what is open of one rollup and one generation
//	sums.go     all of it: adding lines
//	due.go      what is to be cut, and when
//	delta.go    cells as line protocol; alone.go a line that is added up alone
//	intent.go   which cuts were begun; file.go keeps them
//	millis.go   stamps for a store that keeps milliseconds
package rollup
