package lineproto

// Text is a piece of line protocol that is appended again and again. Most are
// short, and those are copied with their padding: a copy of fixed length needs
// no branch on how long the text is, which a processor would often guess wrong.
type Text struct {
	length int
	short  [shortText]byte
	long   []byte // the whole text if it does not fit in short
}

const shortText = 32

// NewText keeps a copy of text.
func NewText(text []byte) Text {
	t := Text{length: len(text)}
	if copy(t.short[:], text) < len(text) {
		t.long = append([]byte(nil), text...)
	}
	return t
}

// Append appends the text.
func (t *Text) Append(dst []byte) []byte {
	at := len(dst)
	if t.length > shortText || cap(dst)-at < shortText {
		return t.append(dst)
	}
	text := t.short // apart from dst: copied without a call
	*(*[shortText]byte)(dst[at : at+shortText]) = text
	return dst[:at+t.length]
}

func (t *Text) append(dst []byte) []byte {
	if t.long != nil {
		return append(dst, t.long...)
	}
	return append(dst, t.short[:t.length]...)
}
