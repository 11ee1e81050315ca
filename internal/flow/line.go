package flow

// TrimCR returns a line without the CR at its end, if there is one: where lines end
// with CR LF, as other systems write them, the CR belongs to the end and not to the
// line. text is the whole line without its newline. All that looks at lines does so
// through TrimCR, so that all see the same; positions and lengths in the file count
// the CR.
func TrimCR(text []byte) []byte {
	if n := len(text); n > 0 && text[n-1] == '\r' {
		return text[:n-1]
	}
	return text
}
