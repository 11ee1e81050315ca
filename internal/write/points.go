package write

import "bytes"

// points are some of the points of a request, in order.
type points []piece

// piece is a run of points that follow one another in the request.
type piece struct {
	text  []byte // line protocol
	first int    // number in the request of its first point, from 0
	n     int    // points in it, at least 1
}

func (p points) count() (n int) {
	for i := range p {
		n += p[i].n
	}
	return n
}

func (p points) bytes() (n int) {
	for i := range p {
		n += len(p[i].text)
	}
	return n
}

// body is what is sent.
func (p points) body() [][]byte {
	body := make([][]byte, len(p))
	for i := range p {
		body[i] = p[i].text
	}
	return body
}

// cut cuts the first n points off.
func (p points) cut(n int) (head, rest points) {
	for i := range p {
		if n < p[i].n {
			head = append(head, p[:i]...)
			if n > 0 {
				text, after := cutLines(p[i].text, n)
				head = append(head, piece{text, p[i].first, n})
				rest = append(rest, piece{after, p[i].first + n, p[i].n - n})
			} else {
				rest = append(rest, p[i])
			}
			return head, append(rest, p[i+1:]...)
		}
		n -= p[i].n
	}
	return p, nil
}

// within cuts off at most so many bytes, but at least one point.
func (p points) within(bytesAtMost int) (head, rest points) {
	left := bytesAtMost
	n := 0
	for i := range p {
		if len(p[i].text) <= left {
			n += p[i].n
			left -= len(p[i].text)
			continue
		}
		end := bytes.LastIndexByte(p[i].text[:max(0, left)], '\n') + 1
		n += bytes.Count(p[i].text[:end], []byte{'\n'})
		return p.cut(max(1, n))
	}
	return p, nil
}

// without leaves out the points for which drop is true. p itself stays as it
// is, and is returned when nothing is left out.
func (p points) without(drop func(point int, text []byte) bool) points {
	var kept points
	changed := false
	for i := range p {
		run := piece{first: p[i].first}
		rest, begin := p[i].text, 0
		for number := p[i].first; len(rest) > 0; number++ {
			end := bytes.IndexByte(rest, '\n') + 1
			line := rest[:end]
			rest = rest[end:]
			if !drop(number, line) {
				run.n++
				continue
			}
			if !changed {
				changed = true
				kept = append(kept, p[:i]...)
			}
			at := len(p[i].text) - len(rest)
			if run.n > 0 {
				run.text = p[i].text[begin : at-end]
				kept = append(kept, run)
			}
			run, begin = piece{first: number + 1}, at
		}
		if changed && run.n > 0 {
			run.text = p[i].text[begin:]
			kept = append(kept, run)
		}
	}
	if !changed {
		return p
	}
	return kept
}
