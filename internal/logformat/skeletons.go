package logformat

import "bytes"

const (
	maxSkeletons = 4       // a log may have lines of several programs, or without some keys
	maxLearned   = 8 << 10 // bytes of a line
	maxDepth     = 8       // of objects in objects
	firstWait    = 8       // most matchers see only a few lines
	maxWait      = 1023
)

// skeletons are those of the last lines that were parsed.
type skeletons struct {
	known []*skeleton // the last one that fitted comes first
	last  *skeleton   // which the captures are of; nil: the parser has filled them

	// To learn one takes time, and lines that have nothing in common are not worth it:
	// each skeleton that fits no line doubles the wait for the next.
	wait, left int // lines
	useful     bool
}

func newSkeletons() *skeletons { return &skeletons{left: firstWait, useful: true} }

// matchKnown is match for a line that has one of the skeletons.
func (o *object) matchKnown(line []byte) bool {
	s := o.skeletons
	if len(s.known) == 0 || bytes.IndexByte(line, '\\') >= 0 {
		return false
	}
	for i, k := range s.known {
		if s.last != k {
			o.clear()
			s.last = k
		}
		if o.cut(k, line) {
			s.useful = true
			if i > 0 {
				s.first(i)
			}
			return true
		}
	}
	return false
}

// first makes that one of the known skeletons the first.
func (s *skeletons) first(i int) {
	k := s.known[i]
	copy(s.known[1:], s.known[:i])
	s.known[0] = k
}

// clear makes all captures absent.
func (o *object) clear() {
	if o.skeletons != nil && o.skeletons.last != nil {
		for i := range o.skeletons.last.places {
			if at := o.skeletons.last.places[i].index; at >= 0 {
				o.captures[at], o.number[at] = nil, false
			}
		}
		o.skeletons.last = nil
	}
	for _, i := range o.filled {
		o.captures[i], o.number[i] = nil, false
	}
	o.filled, o.numbers, o.wraps = o.filled[:0], o.numbers[:0], false
}

// learn remembers the skeleton of a line that the parser has read.
func (o *object) learn(line []byte) {
	s := o.skeletons
	if s.left > 0 {
		s.left--
		return
	}
	if s.wait = min(2*s.wait+1, maxWait); s.useful {
		s.wait = 0
	} else if len(s.known) > 1 {
		s.known = s.known[:1]
	}
	s.left, s.useful = s.wait, false
	if o.wraps || len(line) > maxLearned || bytes.IndexByte(line, '\\') >= 0 {
		return
	}
	if len(s.known) < maxSkeletons {
		s.known = append(s.known, &skeleton{})
	}
	last := len(s.known) - 1
	if l := (learner{object: o, skeleton: s.known[last]}); !l.learn(line) {
		s.known = s.known[:last]
		return
	}
	s.first(last)
}

// learner takes a line apart that the parser has read.
type learner struct {
	*object
	*skeleton
	at   int // where it is in the line
	from int // where the last value ended
}

func (l *learner) learn(line []byte) bool {
	l.line, l.places = append(l.line[:0], line...), l.places[:0]
	l.skipBlanks()
	if !l.skip('{') || !l.members(l.keys, 1) {
		return false
	}
	l.skipBlanks()
	l.end = l.line[l.from:]
	return l.at == len(l.line)
}

// members goes through an object of these keys, up to its end.
func (l *learner) members(keys map[string]*key, depth int) bool {
	if l.skipBlanks(); l.skip('}') {
		return true
	}
	for more := true; more; more = l.skip(',') {
		l.skipBlanks()
		begin := l.at
		if !l.skipString() {
			return false
		}
		k := l.keyOf(keys, l.line[begin+1:l.at-1])
		l.skipBlanks()
		if !l.skip(':') {
			return false
		}
		l.skipBlanks()
		if !l.member(k, depth) {
			return false
		}
		l.skipBlanks()
	}
	return l.skip('}')
}

// member goes over the value of a key, which may be nil.
func (l *learner) member(k *key, depth int) bool {
	if !l.skip('{') {
		return l.at < len(l.line) && l.place(k)
	}
	var keys map[string]*key
	if k != nil {
		keys = k.keys
	}
	return depth < maxDepth && l.members(keys, depth+1)
}

// place adds the place of a value. It has one capture, and not two.
func (l *learner) place(k *key) bool {
	if k != nil && k.own != nil {
		return false
	}
	p := place{before: l.line[l.from:l.at], key: k, of: -1}
	begin := l.at
	var text []byte
	if l.skipString() {
		text = l.line[begin+1 : l.at-1]
	} else if text, _, l.at = l.valueOf(l.line, begin); l.at < 0 {
		return false
	}
	switch {
	case k == nil || k.rank == 0:
	case !k.when:
		p.of = k.index
	default:
		p.when = true
		if p.time = timeOf(text); p.time >= 0 {
			p.of = l.times[p.time]
		}
	}
	p.index = p.of
	l.resolve(&p)
	l.places = append(l.places, p)
	l.from = l.at
	return true
}

// resolve decides which of several keys for a variable counts. That depends on which of
// them have a value, so all must be strings.
func (l *learner) resolve(p *place) {
	for i := range l.places {
		other := &l.places[i]
		if p.of < 0 || other.of != p.of {
			continue
		}
		p.several, other.several = true, true
		switch {
		case other.index < 0:
		case p.key.yields(other.key.rank, other.key.id):
			p.index = -1
		default:
			other.index = -1
		}
	}
}

// skipString skips a string, if one is here.
func (l *learner) skipString() bool {
	if l.at == len(l.line) || l.line[l.at] != '"' {
		return false
	}
	n := bytes.IndexByte(l.line[l.at+1:], '"')
	if n >= 0 {
		l.at += n + 2
	}
	return n >= 0
}

func (l *learner) skip(c byte) bool {
	if l.at < len(l.line) && l.line[l.at] == c {
		l.at++
		return true
	}
	return false
}

// skipBlanks skips no tab: quoteLists does not know it.
func (l *learner) skipBlanks() {
	for l.skip(' ') {
	}
}
