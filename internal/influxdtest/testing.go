package influxdtest

import "testing"

// New runs an influxd for the length of a test, with its data in tb.TempDir
// unless opts says otherwise. If the test fails, the last lines of influxd's output
// are in its log. If influxd ended by itself, the test fails.
func New(tb testing.TB, opts Options) *Server {
	tb.Helper()
	if opts.Binary == "" {
		path, err := Binary(tb.Context(), tb.Output())
		if err != nil {
			tb.Fatal(err)
		}
		opts.Binary = path
	}
	if opts.Dir == "" {
		opts.Dir = tb.TempDir() // registered before our cleanup, so removed after it
	}
	s, err := Start(tb.Context(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Error(err) // has its last lines
		} else if tb.Failed() {
			tb.Logf("influxd:\n%s", s.last.lastWords())
		}
	})
	return s
}
