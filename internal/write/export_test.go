package write

// For the fuzz test that holds them against each other.
var (
	Stamp     = stamp
	OlderThan = olderThan
)
