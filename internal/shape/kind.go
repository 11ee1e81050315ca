package shape

import "sync"

// kinds are what [Shaper.Kind] says of formats and regexps.
type kinds struct {
	mu sync.Mutex
	of map[string]string
}

// Kind is how the lines of a source are cut: "scanner", "regexp" or "json"; "" while its
// format is not known. name and path are of the log. Any goroutine may call it.
func (s *Shaper) Kind(name, path string) string {
	source, ok := s.Source(name, path)
	if !ok {
		return ""
	}
	key := keyOf(source)
	s.kinds.mu.Lock()
	defer s.kinds.mu.Unlock()
	kind, known := s.kinds.of[key]
	if !known {
		if format, err := compile(s.o.Config, source); err == nil { // it was compiled before
			kind = format.Kind()
		}
		s.kinds.of[key] = kind
	}
	return kind
}
