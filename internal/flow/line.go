package flow

import "bytes"

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

// AfterNewline is the place behind the last newline of a text, 0 if there is none. What
// ends with a long line is looked through faster than by bytes.LastIndexByte, which compares
// byte by byte.
func AfterNewline(text []byte) int {
	const step = 256
	for end := len(text); end > 0; {
		begin := max(0, end-step)
		if bytes.IndexByte(text[begin:end], '\n') >= 0 {
			return begin + bytes.LastIndexByte(text[begin:end], '\n') + 1
		}
		end = begin
	}
	return 0
}
