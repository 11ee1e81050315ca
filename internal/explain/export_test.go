package explain

import "bytes"

// EncodeFieldValue writes a field's value as JSON has it.
func EncodeFieldValue(b *bytes.Buffer, text string) error { return encodeJSON(b, fieldValue(text)) }
