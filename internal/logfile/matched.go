package logfile

import (
	"path/filepath"
	"slices"
	"strings"
)

// matched is a path that matches a pattern.
type matched struct {
	path  string
	wild  []span   // what stands for the wildcards
	dates []dateIn // those in it, whole or in part
	parts []span   // directories that are a part of such a date
}

type span struct{ begin, end int }

func (s span) overlaps(other span) bool { return s.begin < other.end && other.begin < s.end }

// match is nil if the path does not match.
func (p Pattern) match(path string) *matched {
	at := p.expr.FindStringSubmatchIndex(path)
	if at == nil {
		return nil
	}
	m := &matched{path: path}
	for i := 2; i < len(at); i += 2 {
		m.wild = append(m.wild, span{at[i], at[i+1]})
	}
	for _, d := range datesIn(path) {
		if slices.ContainsFunc(m.wild, d.overlaps) {
			m.dates = append(m.dates, d)
		}
	}
	if len(m.dates) > 0 {
		m.findParts(m.dates[len(m.dates)-1].digits)
	}
	return m
}

// findParts finds the directories that are the year, the month or both of a date.
func (m *matched) findParts(date string) {
	at, year := 0, false
	for dir := range strings.SplitSeq(filepath.Dir(m.path), "/") {
		s := span{at, at + len(dir)}
		digits := strings.NewReplacer("-", "", "_", "", ".", "").Replace(dir)
		isYear := digits == date[:4]
		if isYear || digits == date[:6] || year && digits == date[4:6] {
			if m.dateAt(s) == nil {
				m.parts = append(m.parts, s)
			}
		}
		at, year = s.end+1, isYear
	}
}

// dateAt is the date that a part of the path overlaps, or nil.
func (m *matched) dateAt(s span) *dateIn {
	for i := range m.dates {
		if m.dates[i].overlaps(s) {
			return &m.dates[i]
		}
	}
	return nil
}

// digits are those of all dates; "" without one.
func (m *matched) digits() string {
	var all []string
	for _, d := range m.dates {
		all = append(all, d.digits)
	}
	return strings.Join(all, ",")
}

// labels are the texts that stand for the wildcards, but for the dates, of which each
// leaves a star where it begins, or nothing if it ends the file's name.
func (m *matched) labels() (all []string) {
	var last *dateIn // of which a star is there
	for _, w := range m.wild {
		var text []byte
		whole := true
		for at := w.begin; at < w.end; {
			here := span{at, at + 1}
			if i := slices.IndexFunc(m.parts, here.overlaps); i >= 0 {
				at, whole = min(w.end, m.parts[i].end), false
				continue
			}
			d := m.dateAt(here)
			if d == nil {
				text = append(text, m.path[at])
				at++
				continue
			}
			switch {
			case m.endsName(d):
				text = []byte(strings.TrimRight(string(text), "-._"))
			case d != last:
				text = append(text, '*')
			}
			at, last, whole = min(w.end, d.end), d, false
		}
		if whole || len(text) > 0 {
			all = append(all, string(text))
		}
	}
	return all
}

// endsName reports whether nothing but an extension stands behind a date.
func (m *matched) endsName(d *dateIn) bool {
	rest := m.path[d.end:]
	return !strings.Contains(rest, "/") && (rest == "" || rest[0] == '.' && strings.Count(rest, ".") == 1)
}

// log is the path with a star for each date, and for each part of one.
func (m *matched) log() string {
	all := slices.Clone(m.parts)
	for _, d := range m.dates {
		all = append(all, d.span)
	}
	slices.SortFunc(all, func(a, b span) int { return a.begin - b.begin })
	var b strings.Builder
	at := 0
	for _, s := range all {
		b.WriteString(m.path[at:s.begin] + "*")
		at = s.end
	}
	return b.String() + m.path[at:]
}
