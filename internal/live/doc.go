// Package live keeps what happened lately in memory: the last 15 minutes of requests, for
// the live page and for tailflux top, and the whole of some logs for tailflux report. It
// needs no InfluxDB, so it goes on while that is away.
//
//	parse ──Add──► Board ──Snapshot──► page, top, report
//
// Slots of 5 s count each line; top lists, of the last minutes, and the live tail look at a
// sample where there are very many. docs/adr/0018-what-happened-lately.md says why.
//
//	board.go     Add, Publish, Snapshot: who may call what
//	slot.go      what is counted in a slot, and percentiles of it
//	slots.go     which lines are in which slot: the window
//	frame.go     what was published, made into a snapshot
//	sample.go    which lines are looked at
//	lists.go     the top lists, by minutes
//	table.go     the values of one of them, in bounded memory
//	top.go       the first rows of each
//	bots.go      agents that say they are no browsers
//	tail.go      requests as they come, for those who watch
//	snapshot.go  what is shown
package live
