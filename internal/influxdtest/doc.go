// Package influxdtest runs a real influxd 1.8.10 for tests and for the demo, and a real
// VictoriaMetrics for tests ([Victoria]).
//
//	Binary ──► Start / New ──► Query, Count
//	                │
//	                ├─ Stop      TERM, then KILL
//	                ├─ Kill      KILL, as in a power cut
//	                └─ Restart   same ports, same data
//
// A [Front] stands in front of a server and answers as broken proxies and networks do.
//
// It promises that a server listens on loopback only, on ports of its own,
// that no INFLUXDB_* variable of the environment reaches it, and that it ends
// with the process that started it, however that process ends.
//
// It is not a client: Query and Count are for checking what the code under test
// has done, not for doing it. It imports the standard library only
// and needs Linux.
package influxdtest
