package main

// Colours have one meaning over all dashboards.
const (
	red    = "#e02f44" // 5xx, what fails
	orange = "#ff9830" // 4xx, what may
	green  = "#56a64b" // 2xx, what is well
	blue   = "#5794f2" // 3xx, and what is neither good nor bad
	purple = "#8f6ed5" // 1xx, and the slowest
	grey   = "#8e8e8e" // what is not observed, and what was before
)

// Units. Sizes are of powers of two everywhere.
const (
	perSecond      = "reqps"
	linesPerSecond = "cps" // counts/s
	bytesUnit      = "bytes"
	bytesPerSecond = "binBps"
	seconds        = "s"
	percent        = "percentunit" // of 0 to 1
	count          = "short"
	dateTime       = "dateTimeAsIso"
	fromNow        = "dateTimeFromNow"
)

// class is a class of statuses. The first is drawn at the bottom, where it begins at 0.
type class struct {
	name, pattern, color string
}

var classes = []class{
	{"5xx", "^5", red},
	{"4xx", "^4", orange},
	{"3xx", "^3", blue},
	{"2xx", "^2", green},
	{"1xx", "^1", purple},
}

// notObserved is what is shown where nothing is known. It is no value, and has no colour of one.
const notObserved = "not observed"

// steps are thresholds: a colour from each value on. What is not known has the first one, grey.
func steps(more ...step) *thresholds {
	return &thresholds{Mode: "absolute", Steps: append([]step{{Color: grey}}, more...)}
}

func from(value float64, color string) step { return step{color, &value} }

func fixed(name string) *color { return &color{Mode: "fixed", FixedColor: name} }

// byName is an override of the field or series with this name.
func byName(name string, properties ...property) override {
	return override{matcher{"byName", name}, properties}
}

// byRegexp is one of those whose name matches.
func byRegexp(pattern string, properties ...property) override {
	return override{matcher{"byRegexp", "/" + pattern + "/"}, properties}
}

func colored(name string) property { return property{"color", fixed(name)} }

// called is the name that is shown.
func called(name string) property { return property{"displayName", name} }

func inUnit(unit string) property { return property{"unit", unit} }

// wide is the width of a table's column, in pixels.
func wide(pixels int) property { return property{"custom.width", pixels} }
