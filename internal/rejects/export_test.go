package rejects

// NewEncoder returns what appends entries one after the other as a File does.
func NewEncoder() func(dst []byte, e *Entry) ([]byte, error) { return new(head).encode }
