package nginxlog_test

import (
	"testing"
	"time"

	"github.com/tailflux/tailflux/mock/nginxlog"
)

func BenchmarkAppend(b *testing.B) {
	for _, format := range nginxlog.Names() {
		b.Run(format, func(b *testing.B) {
			g, err := nginxlog.New(nginxlog.Options{Format: format, Garbage: 0.01, Torn: 0.001})
			if err != nil {
				b.Fatal(err)
			}
			var buf []byte
			var total int
			at := start
			for range 1000 { // buffers grow to their size
				buf = g.Append(buf[:0], at)
				total += len(buf)
			}
			b.SetBytes(int64(total / 1000))
			b.ReportAllocs()
			for b.Loop() {
				buf = g.Append(buf[:0], at)
				at = at.Add(50 * time.Microsecond)
			}
		})
	}
}
