package rejects_test

import (
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

// A log whose format was configured wrongly: every line is rejected.
func BenchmarkAppend(b *testing.B) {
	g, err := nginxlog.New(nginxlog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	const at = 4096 // entries at once, as the write stage does
	var all []rejects.Entry
	total := 0
	for i := range at {
		line := g.Append(nil, time.Unix(1_795_168_800, 0))
		line = line[:len(line)-1]
		total += len(line)
		all = append(all, rejects.Entry{
			Time: time.Unix(1_795_168_800, 0), Source: "web", Generation: 1, LineNumber: int64(i),
			Reason: "no match", Line: line, LineBytes: int64(len(line)),
		})
	}
	f, err := openFile(b.TempDir(), 100<<20)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.SetBytes(int64(total))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Append(all); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/at, "ns/line")
}

// What an entry costs without the disk, and by reflection.
func BenchmarkEncode(b *testing.B) {
	e := entry(4711, `172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /foo?query=t HTTP/1.0" 200 2133 "-" "KeepAliveClient`)
	b.Run("entry", func(b *testing.B) {
		encode, dst := rejects.NewEncoder(), []byte(nil)
		b.ReportAllocs()
		for b.Loop() {
			dst, _ = encode(dst[:0], &e)
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := slowly(&e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
