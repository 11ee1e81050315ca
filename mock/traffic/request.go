package traffic

// Request is one request as nginx knows it when it writes the line. Texts are
// raw, and "" is a variable without a value.
type Request struct {
	Outage bool // it came while the upstreams failed

	RemoteAddr string
	RemoteUser string
	Scheme     string
	Host       string // "_" when no configured server was asked for
	Agent      string // or Blank
	Referer    string

	// A broken request is only what arrived instead of a request line, which
	// may be nothing (""), or an empty line (Blank).
	Broken     bool
	BrokenLine string

	Method   string
	URI      []byte
	Protocol string

	Status        int
	BodyBytes     int64
	BytesSent     int64
	RequestLength int64
	RequestTime   int64 // milliseconds, like all times here
	GzipPercent   int64 // ratio × 100; 0: not compressed

	Connection         int64
	ConnectionRequests int64
	ID                 [2]uint64

	pathLen  int
	tries    [3]Try
	tryCount int
}

// Blank is a text that was sent without a value: nginx logs it as "", and an
// absent one as "-".
const Blank = "\x00blank"

// Try is one attempt to be served by an upstream. Times are -1 and the status 0
// where nginx has none.
type Try struct {
	Server                    int
	Status                    int
	Connect, Header, Response int64
	Redirected                bool // by the one before: nginx lists it after " : "
}

// Path returns the URI up to the query, Query what follows the question mark.
func (r *Request) Path() []byte { return r.URI[:r.pathLen] }

// Query returns nothing for an empty query too.
func (r *Request) Query() []byte {
	if r.pathLen == len(r.URI) {
		return nil
	}
	return r.URI[r.pathLen+1:]
}

// Tries are empty when nginx answered alone.
func (r *Request) Tries() []Try { return r.tries[:r.tryCount] }
