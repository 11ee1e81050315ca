package logformat

import (
	"bytes"
	"net/netip"
	"slices"
	"sync"

	"github.com/tailflux/tailflux/internal/logtime"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// shapes are log_formats that have no name here and that many use. Their
// literals, or what checkers say of their values, distinguish them.
var shapes = []string{
	main, // of the nginx.conf that comes with nginx, commented out, and with most distributions
	main + ` $request_time`,
	main + ` $request_time $upstream_response_time`,
	main + ` $upstream_response_time $request_time`,
	main + ` ` + labelled,
	combined + ` $request_time`,
	combined + ` $request_time $upstream_response_time`,
	combined + ` $upstream_response_time $request_time`,
	combined + ` $request_time $upstream_response_time $pipe`, // known as timed_combined
	combined + labelled,                                       // https://docs.nginx.com/nginx/admin-guide/monitoring/logging/
	combined + ` ` + labelled,
	timed + ` $request_time $upstream_response_time`,
	"$host:$server_port " + combined + ` $request_time`,
	apm,
}

const (
	main     = combined + ` "$http_x_forwarded_for"`
	labelled = `rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time"`

	// From "Using NGINX Logging for Application Performance Monitoring".
	apm = `"$time_local" client=$remote_addr method=$request_method request="$request" request_length=$request_length ` +
		`status=$status bytes_sent=$bytes_sent body_bytes_sent=$body_bytes_sent referer=$http_referer ` +
		`user_agent="$http_user_agent" upstream_addr=$upstream_addr upstream_status=$upstream_status ` +
		`request_time=$request_time upstream_response_time=$upstream_response_time ` +
		`upstream_connect_time=$upstream_connect_time upstream_header_time=$upstream_header_time`
)

// A known format is one that is recognised.
type known struct {
	name     string // what CompileFormat accepts: a preset, or the log_format itself
	format   *Format
	checkers []checker // by capture; nil: whatever matches
	whole    int       // capture of $request_time, -1 if it proves nothing
	part     int       // of $upstream_response_time
}

// A checker says what it wants and whether a value is that. It knows more than
// the format does, which must let every value pass that nginx could write.
type checker struct {
	want  string
	check func(value []byte) bool
}

// allKnown are the presets, sorted, and the shapes.
var allKnown = sync.OnceValue(func() []*known {
	var all []*known
	for _, name := range slices.Concat(Presets(), shapes) {
		f, err := CompileFormat(name)
		if err != nil {
			panic(err) // a test would have found it
		}
		k := &known{name: name, format: f, whole: -1, part: -1}
		if f.json == nil {
			for _, variable := range f.names {
				c := checkerOf(variable)
				if _, mayLack := f.units[variable]; mayLack {
					c = c.orAbsent()
				}
				k.checkers = append(k.checkers, c)
			}
			k.whole = slices.Index(f.names, "request_time")
			k.part = slices.Index(f.names, "upstream_response_time")
		}
		all = append(all, k)
	}
	return all
})

func checkerOf(variable string) checker {
	v := nginxvar.Lookup(variable)
	switch {
	case v.Name == "request_time":
		return checker{"seconds such as 0.120", isSeconds}
	case v.Name == "gzip_ratio":
		return checker{"a ratio such as 2.31", func(b []byte) bool { return isAbsent(b) || isDecimal(b, 2) }}
	case v.Name == "scheme":
		return checker{"http or https", func(b []byte) bool { return string(b) == "http" || string(b) == "https" }}
	case v.Name == "pipe":
		return checker{`"p" or "."`, func(b []byte) bool { return string(b) == "p" || string(b) == "." }}
	case v.Name == "http_x_forwarded_for":
		return checker{"addresses", isForwarded}
	case v.Kind.Time():
		return checker{"an existing date and time", logtime.IsTime}
	case v.List && v.Kind == nginxvar.Float:
		return checker{"seconds such as 0.120, or a list of them", isSecondsList}
	case v.List:
		return checker{}
	case v.Kind == nginxvar.Status:
		return checker{"three digits", func(b []byte) bool { return len(b) == 3 && isDigits(b) }}
	case v.Kind == nginxvar.Int:
		return checker{"digits", func(b []byte) bool { return isAbsent(b) || isInteger(b) }}
	}
	return checker{}
}

// fits reports whether line is of the format. The captures are those of m.
func (k *known) fits(m *Matcher, line []byte) (captures [][]byte, ok bool) {
	captures, ok = m.Match(line)
	if !ok {
		return nil, false
	}
	if k.format.json != nil {
		return captures, isRecord(m.object)
	}
	for i := range k.checkers {
		if !k.checkers[i].ok(captures[i]) {
			return nil, false
		}
	}
	return captures, true
}

func (c *checker) ok(value []byte) bool { return c.check == nil || c.check(value) }

// orAbsent is c for what other programs say that they do not have.
func (c checker) orAbsent() checker {
	if check := c.check; check != nil {
		c.check = func(value []byte) bool { return isAbsent(value) || check(value) }
	}
	return c
}

// diagnose says where a line that does not fit stops being of the format.
func (k *known) diagnose(line []byte) Diagnosis {
	if d := k.format.diagnoseBare(line); d.Column > 0 {
		return d
	}
	if k.format.json != nil {
		return Diagnosis{Column: len(bytes.TrimRight(line, "} \t\r")) + 1, Expected: "a time and another variable among the keys: time_iso8601, status, …"}
	}
	at := k.format.re.FindSubmatchIndex(line)
	for i := range k.checkers {
		c, group, name := &k.checkers[i], k.format.groups[i], k.format.names[i]
		from, to := at[2*group], at[2*group+1]
		value := line[from:to]
		if decimals, ok := k.format.units[name]; ok {
			value = appendSeconds(nil, value, decimals)
		}
		if !c.ok(value) {
			return Diagnosis{Column: from + 1, Expected: c.want + " for $" + name, Variable: name}
		}
	}
	return Diagnosis{}
}

// isRecord reports whether an object is a line of a log and not just any object.
func isRecord(o *object) bool {
	for _, i := range o.times {
		if logtime.IsTime(o.captures[i]) {
			return len(o.filled) > 1
		}
	}
	return false
}

func isAbsent(b []byte) bool { return string(b) == "-" }

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// isInteger reports whether b is digits, perhaps with a sign: HAProxy's -1 is of what did
// not happen, and its + of what goes on; and nginx has had negative lengths.
func isInteger(b []byte) bool {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	return isDigits(b)
}

// isDecimal reports whether b is digits, a point and that many more digits.
func isDecimal(b []byte, places int) bool {
	whole, fraction, _ := bytes.Cut(b, []byte{'.'})
	return isDigits(whole) && isDigits(fraction) && len(fraction) == places
}

// isSeconds reports whether b is how nginx writes a single time.
func isSeconds(b []byte) bool { return isDecimal(b, 3) }

// isSecondsList reports whether b is how nginx writes the times of all upstreams.
func isSecondsList(b []byte) bool {
	for !isAbsent(b) && !isSeconds(b) { // as most are
		end := bytes.IndexAny(b, " ,")
		if end < 0 || !isAbsent(b[:end]) && !isSeconds(b[:end]) {
			return false
		}
		b = bytes.TrimLeft(b[end:], " ,:")
	}
	return true
}

// isForwarded reports whether b could be an X-Forwarded-For, by its first address.
func isForwarded(b []byte) bool {
	first, _, _ := bytes.Cut(b, []byte{','})
	text := string(bytes.TrimSpace(first))
	if text == "-" || text == "unknown" {
		return true
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	_, err := netip.ParseAddrPort(text)
	return err == nil
}
