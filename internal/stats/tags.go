package stats

import "sync/atomic"

// Tag counts the values of one tag. The encoder updates its counters; they may be
// read at any time.
type Tag struct {
	Name   string
	Limit  int          // of distinct values
	Values atomic.Int64 // distinct values accepted so far
	Other  atomic.Int64 // occurrences of values over the limit
}

// TagValues is a Tag at one instant.
type TagValues struct {
	Name          string
	Limit         int
	Values, Other int64
}

// AddTag adds a tag and returns its counters.
func (s *Stats) AddTag(name string, limit int) *Tag {
	t := &Tag{Name: name, Limit: limit}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tags = append(s.tags, t)
	return t
}

func tagValues(tags []*Tag) []TagValues {
	all := make([]TagValues, len(tags))
	for i, t := range tags {
		all[i] = TagValues{Name: t.Name, Limit: t.Limit, Values: t.Values.Load(), Other: t.Other.Load()}
	}
	return all
}
