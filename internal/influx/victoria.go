package influx

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

const victoriaMetrics = "VictoriaMetrics"

// IsVictoria reports whether it is VictoriaMetrics: it keeps milliseconds, overwrites
// nothing, and acknowledges what is in its memory only.
func (s Server) IsVictoria() bool { return s.Name == victoriaMetrics }

// Flags are what a single node of VictoriaMetrics says at /metrics that it runs with.
type Flags struct {
	Known   bool          // it says so; a cluster, or what stands before it, does not
	Dedup   time.Duration // -dedup.minScrapeInterval; 0: what is sent again counts twice
	Window  Window        // by -retentionPeriod, -maxBackfillAge and -futureRetention
	Started int64         // when the process was started, in Unix seconds; 0: it is not known
}

// exactDedup is the flag with which only what has one and the same millisecond counts once.
const exactDedup = time.Millisecond

// caveat is what does not hold at VictoriaMetrics, and whether it is set up for what is sent:
// raw if lines have points of their own.
func (f Flags) caveat(raw bool) (text string, fits bool) {
	dedup := fmt.Sprintf("-dedup.minScrapeInterval=%s", f.Dedup)
	switch {
	case raw && f.Dedup > 0:
		text = "VictoriaMetrics overwrites nothing and keeps milliseconds, and its " + dedup + " throws away most points of lines: " +
			"those of one second differ in nanoseconds only; set raw: false, and rollups"
	case raw:
		text = "VictoriaMetrics overwrites nothing and keeps milliseconds, so lines that are sent again count twice; raw: false is recommended there, with rollups: " +
			"its flag -dedup.minScrapeInterval=1ms makes them exact, and would throw away most points of lines"
	case !f.Known:
		text = "VictoriaMetrics overwrites nothing, so what is sent again counts twice unless it has the flag -dedup.minScrapeInterval=1ms, which cannot be asked"
	case f.Dedup == 0:
		text = "VictoriaMetrics overwrites nothing, so what is sent again counts twice: start it with -dedup.minScrapeInterval=1ms"
	case f.Dedup > exactDedup:
		text = "VictoriaMetrics overwrites nothing, and its " + dedup + " throws away parts of rollups: it must be 1ms"
	default:
		text, fits = "VictoriaMetrics overwrites nothing, and its "+dedup+" makes what is sent again count once", true
	}
	switch {
	case f.Window.Past > 0:
		text += fmt.Sprintf("; what is older than its retention of %s is rejected", days(f.Window.Past))
	default:
		text += "; it drops what is outside its retention without a word"
	}
	return text + "; a crash of it may lose seconds that it acknowledged: they are sent again; see docs/scaling.md", fits
}

func days(d time.Duration) string { return fmt.Sprintf("%g days", math.Round(d.Hours()/24*10)/10) }

// flags asks a single node for its flags. Whatever it is that does not tell: nothing is known.
func (c *Client) flags(ctx context.Context) (f Flags) {
	// The address may be that of its other way in, /influx/write.
	text, err := c.metrics(ctx, strings.TrimSuffix(c.base, "/influx")+"/metrics")
	if err != nil {
		return f
	}
	defer text.Close()
	values := map[string]string{}
	const most = 16 << 20
	for lines := bufio.NewScanner(io.LimitReader(text, most)); lines.Scan(); {
		if m := flagOrStart().FindSubmatch(lines.Bytes()); m != nil {
			values[string(m[1])+string(m[3])] = string(m[2]) + string(m[4])
		}
	}
	// Of the daemons of a cluster, and of others that look like it, none that is written to has this.
	past, ok := retentionPeriod(values["retentionPeriod"])
	if !ok {
		return f
	}
	f.Known, f.Window = true, Window{Past: past}
	if age, ok := retentionPeriod(values["maxBackfillAge"]); ok && age > 0 {
		f.Window.Past = min(past, age)
	}
	f.Window.Future, _ = retentionPeriod(values["futureRetention"])
	f.Dedup, _ = time.ParseDuration(values["dedup.minScrapeInterval"])
	started, _ := strconv.ParseFloat(values["vm_app_start_timestamp"], 64)
	f.Started = int64(started)
	return f
}

var flagOrStart = lazyregexp.New(`^(?:flag\{name="([^"]*)", value="([^"]*)"|(vm_app_start_timestamp) (\S+))`)

func (c *Client) metrics(ctx context.Context, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, withoutURL(err)
	}
	c.authorize(req)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, fmt.Errorf("%s: %s", url, resp.Status)
	}
	return resp.Body, nil
}

// retentionPeriod reads a flag that is a number with a unit; without one it is of months.
func retentionPeriod(text string) (time.Duration, bool) {
	const day = 24 * time.Hour
	units := map[string]time.Duration{
		"": 31 * day, "M": 31 * day, "s": time.Second, "h": time.Hour, "d": day, "w": 7 * day, "y": 365 * day,
	}
	number := strings.TrimRight(text, "Mshdwy")
	n, err := strconv.ParseFloat(number, 64)
	unit, ok := units[text[len(number):]]
	if err != nil || !ok || n < 0 {
		return 0, false
	}
	return time.Duration(min(n*float64(unit), math.MaxInt64/2)), true
}
