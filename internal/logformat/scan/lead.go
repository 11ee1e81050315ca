package scan

// A lead finds where a match can begin at all. It is for expressions that are
// not anchored and begin with a run, such as [\d.]+ of the address in the
// patterns that tutorials hand down: in 2001:db8::17 it first matches at 17.
//
// Why it is correct: consider a longest possible piece of the line whose
// bytes are all in the run's set. A match that begins within it takes bytes of
// the set until one of next comes, which are not in the set; so it takes all of
// the rest of the piece, and the byte behind the piece is one of next. If that
// byte is not, no match begins within the piece. If it is, the first start that
// can succeed in this piece is its first byte. Where a byte is not in the set,
// no match begins: the run takes one byte at least.
//
// So no match begins before the first piece with a byte of next behind it. If a
// scan that starts there succeeds, it is the search's answer for the leftmost
// start that has one (see Program.Scan). If there is no such piece, nothing
// matches. All bytes of the set are ASCII, so a piece begins where a rune does.
type lead struct {
	set, next byteSet
}

// newLead is the lead of an expression that is not anchored, or nil.
func newLead(root *node) *lead {
	n := root
	for n.kind == nodeSequence && len(n.subs) > 0 || n.kind == nodeCapture {
		n = n.subs[0]
	}
	if n.kind != nodeRun || n.min < 1 || n.max != unlimited || n.next.open || n.next.end || n.set.overlaps(&n.next.first) {
		return nil
	}
	for c := 0x80; c < len(n.set); c++ {
		if n.set[c] {
			return nil
		}
	}
	return &lead{set: *n.set, next: n.next.first}
}

// start is the first byte at which a match can begin, or -1.
func (l *lead) start(line []byte) int {
	for at := 0; at < len(line); at++ {
		if !l.set[line[at]] {
			continue
		}
		begin := at
		for at < len(line) && l.set[line[at]] {
			at++
		}
		if at < len(line) && l.next[line[at]] {
			return begin
		}
	}
	return -1
}
