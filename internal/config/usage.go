package config

// UsageError is an error that the operator made, on the command line or in the
// configuration, and must mend; the program's exit code is 2 then.
type UsageError struct{ Err error }

// Error is the text of the error within.
func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the error within.
func (e UsageError) Unwrap() error { return e.Err }
