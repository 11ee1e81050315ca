package influxdtest

import "testing"

// New runs an influxd for the length of a test, with its data in tb.TempDir
// unless opts says otherwise. When the test has failed, the last lines of what
// influxd printed are in its log. An influxd that ended by itself fails the
// test.
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
