package rollup

// LimitImports makes imports be cut earlier.
func (s *Sums) LimitImports(lines int64, cells int) { s.imports = limits{lines, cells} }

// AppendRecord is how an intent stands on the disk.
func AppendRecord(dst []byte, i Intent) []byte { return appendRecord(dst, i) }

// Header is the first line of the file.
const Header = header
