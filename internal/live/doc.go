// Package live keeps what happened lately in memory: the last 15 minutes of requests, for
// the live page and for tailflux top, and the whole of some logs for tailflux report. It
// needs no InfluxDB, so it goes on while that is away.
//
//	parse ──Add──► Board ──Snapshot──► page, top, report
//
//	snapshot.go  what is shown
package live
