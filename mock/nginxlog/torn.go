package nginxlog

// appendTorn appends what a full disk, a lost power supply or a killed copy
// leaves in a log, without the newline.
func (g *Generator) appendTorn(buf []byte) []byte {
	x := g.dice.Share()
	if !g.template.tearing {
		x = 0.8 + x/5
	}
	start := len(buf)
	switch {
	case x < 0.4: // glued to the next
		g.req = g.traffic.Next()
		buf = g.appendLine(buf)
		// In the first quoted value: what follows it is known by even the most
		// generous pattern not to be there.
		buf = buf[:start+g.tear(buf[start:], 1)]
		g.req = g.traffic.Next()
		return g.appendLine(buf)
	case x < 0.8: // cut short
		g.req = g.traffic.Next()
		buf = g.appendLine(buf)
		return buf[:start+g.tear(buf[start:], len(buf))]
	case x < 0.9: // empty
		return buf
	}
	return g.appendBinary(buf)
}

// tear returns where to cut the line: inside one of its first quoted values, at
// most the given number of them.
func (g *Generator) tear(line []byte, values int) int {
	g.quotes = g.quotes[:0]
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\': // the byte after it is escaped, or the x of \x22
			i++
		case '"':
			g.quotes = append(g.quotes, i)
		}
	}
	k := 2 * g.dice.Roll(min(values, len(g.quotes)/2))
	first, last := g.quotes[k]+1, g.quotes[k+1]
	return first + g.dice.Roll(last-first+1)
}

// appendBinary appends bytes of which none is printable: no literal of a format
// can be among them.
func (g *Generator) appendBinary(buf []byte) []byte {
	n := 8 + g.dice.Roll(200)
	if g.dice.Chance(0.3) { // a block that was allocated and never written
		for range n {
			buf = append(buf, 0)
		}
		return buf
	}
	for range n {
		c := byte(g.dice.Roll(128)) + 128
		if c < 160 {
			c -= 128 // a control character
		}
		if c == 0 || c == '\n' || c == '\t' { // NULs within a line end it for whoever skips holes
			c = 1
		}
		buf = append(buf, c)
	}
	return buf
}
