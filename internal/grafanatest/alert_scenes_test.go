package grafanatest

import (
	"errors"
	"time"
)

// alertScene is what has happened, and which alerts fire then, with the labels of their
// instances. No others do.
type alertScene struct {
	name     string
	machines []machine
	fires    map[string][]string
	away     error // no answer
}

// long enough for what alerts look back, except the silent one's day.
var always = []stretch{{180, -1}}

// quiet is a log of a night: a request about each minute and a half.
func quiet(source string, more ...hit) watched {
	return watched{source: source, requests: append(every(91*time.Second, stretch{170, 0}, "200", 40), more...)}
}

// busy is a log of a day: ten requests a second are not needed, one in two seconds does.
func busy(source string, more ...hit) watched {
	return watched{source: source, requests: append(every(2*time.Second, stretch{170, 0}, "200", 120), more...)}
}

func during(from, to float64, then func(time.Time) float64) func(time.Time) float64 {
	return func(at time.Time) float64 {
		if (stretch{from, to}).has(at) {
			return then(at)
		}
		return 0
	}
}

func constant(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }

// well is what a machine without any trouble has beside it.
func well(host string, logs ...watched) machine {
	return machine{host: host, runs: always, logs: logs, tags: map[string]func(time.Time) float64{"path": constant(40), "host": constant(0)}}
}

// minutesOf are times that far apart.
func minutesOf(from, step float64, n int) (all []float64) {
	for i := range n {
		all = append(all, from-float64(i)*step)
	}
	return all
}

func alertScenes() []alertScene {
	pause := watched{source: "shop", requests: every(91*time.Second, stretch{170, 12}, "200", 40)}
	paused := watched{source: "shop", requests: append(every(91*time.Second, stretch{170, 40}, "200", 40), every(91*time.Second, stretch{15, 0}, "200", 40)...)}
	stopped := watched{source: "shop", requests: every(2*time.Second, stretch{170, 12}, "200", 120)}
	slowed := watched{source: "api", requests: append(every(2*time.Second, stretch{170, 11}, "200", 120), every(2*time.Second, stretch{11, 0}, "200", 2500)...)}
	partly := watched{source: "api", requests: append(every(2*time.Second, stretch{170, 0}, "200", 120), every(15*time.Second, stretch{11, 0}, "200", 4000)...)}
	night := quiet("shop", single("500", 20000, 3)...)
	night.rejected = []float64{2, 7, 9}
	night.lag = during(3, 2.9, constant(700)) // a line after a long pause, at the moment of the look
	odd := well("web-1", night)
	odd.runs = []stretch{{180, 6}, {5.7, -1}}
	odd.outages = []float64{10}
	odd.undelivered = during(2, 1.9, constant(70))
	unreadable := busy("shop")
	unreadable.unread = []stretch{{16, -1}}
	never := watched{source: "shop", unread: []stretch{{180, -1}}}
	behind := busy("shop")
	behind.lag = during(15, -1, constant(400))
	hoursBehind := busy("shop")
	hoursBehind.lag = during(60, -1, constant(3600))
	growing := func(at time.Time) float64 { return max(0, at.Sub(ago(8)).Seconds()) }
	stuck := well("web-2", busy("shop"))
	stuck.undelivered = growing
	broken := busy("shop")
	broken.rejected = minutesOf(14, 0.1, 130)
	brokenNight := quiet("shop")
	brokenNight.rejected = minutesOf(14, 0.5, 26)
	deleted := quiet("shop")
	deleted.lost = []float64{30}
	full := well("web-1", quiet("shop"))
	full.tags = map[string]func(time.Time) float64{"host": constant(20), "path": func(at time.Time) float64 { return 60 + during(6, -1, constant(25))(at) }}
	full.runs = []stretch{{180, 3}} // not long enough to be silent
	flapping := well("web-1", busy("shop"))
	flapping.outages = []float64{25, 20, 11, 3}
	crashing := well("web-1", busy("shop"))
	crashing.runs = []stretch{{180, 12}, {11, 9}, {8.5, 6}, {5.5, 3}, {2.5, -1}}
	upgraded := well("web-1", busy("shop"))
	upgraded.runs = []stretch{{180, 12}, {11.8, 9}, {8.8, -1}}
	removed := quiet("pod-7")
	removed.known = []stretch{{180, 30}}
	// Since yesterday evening it is off.
	off := well("web-2", quiet("shop"))
	off.runs = []stretch{{1430, 700}}
	// A minute of trouble that is over, and less than one that is not.
	hiccup := well("web-1", busy("shop"))
	hiccup.logs[0].lag = during(3.5, 2.3, constant(900))
	hiccup.undelivered = hiccup.logs[0].lag
	fresh := well("web-2", busy("shop"))
	fresh.logs[0].lag = during(0.7, -1, constant(300))
	fresh.undelivered = fresh.logs[0].lag
	loaded := well("web-2", busy("shop"))
	loaded.logs[0].lag, loaded.undelivered = constant(30), constant(20)
	lately := busy("shop")
	lately.unread = []stretch{{9.4, -1}}
	one := "host=web-1 source=shop"

	return []alertScene{
		{name: "quiet night", machines: []machine{odd, well("web-2", paused)}},
		{name: "quiet night, pause now", machines: []machine{well("web-1", pause), well("web-2", watched{source: "shop"})}},
		{name: "busy day", machines: []machine{
			well("web-1", busy("shop", every(40*time.Second, stretch{170, 0}, "503", 9000)...), quiet("api")), loaded,
		}},
		{name: "hiccups", machines: []machine{hiccup, fresh}},
		{
			name: "one in five fails", machines: []machine{
				well("web-1", busy("shop", every(8*time.Second, stretch{7, 0}, "502", 30)...), busy("api")), well("web-2", busy("shop")),
			},
			fires: map[string][]string{"tailflux-5xx": {one}},
		},
		{
			name: "all of a night's requests fail", machines: []machine{
				well("web-1", watched{source: "shop", requests: append(every(91*time.Second, stretch{170, 7}, "200", 40), every(20*time.Second, stretch{7, 0}, "500", 2)...)}),
			},
			fires: map[string][]string{"tailflux-5xx": {one}},
		},
		{name: "a night's few requests fail", machines: []machine{
			well("web-1", watched{source: "shop", requests: append(every(91*time.Second, stretch{170, 7}, "200", 40), every(91*time.Second, stretch{7, 0}, "500", 2)...)}),
		}},
		{name: "4xx are not 5xx", machines: []machine{well("web-1", busy("shop", every(2*time.Second, stretch{9, 0}, "404", 1)...))}},
		{
			name: "slow", machines: []machine{well("web-1", busy("shop")), well("web-2", slowed, busy("shop"))},
			fires: map[string][]string{"tailflux-p95": {"host=web-2 source=api"}},
		},
		{
			name: "one in nine is slow", machines: []machine{well("web-1", busy("api")), well("web-2", partly)},
			fires: map[string][]string{"tailflux-p95": {"host=web-2 source=api"}},
		},
		{name: "a slow night", machines: []machine{well("web-1", quiet("shop", every(30*time.Second, stretch{9, 0}, "200", 4000)...))}},
		{
			name: "traffic ends", machines: []machine{well("web-1", stopped, busy("api")), well("web-2", busy("shop"))},
			fires: map[string][]string{"tailflux-no-traffic": {one}},
		},
		{name: "a job is over", machines: []machine{
			well("web-1", watched{source: "shop", requests: every(time.Second, stretch{30, 12}, "200", 10)}), well("web-2", busy("shop")),
		}},
		{
			name: "tailflux has died", machines: []machine{well("web-1", busy("shop")), {host: "web-2", runs: []stretch{{180, 12}}, logs: []watched{busy("shop")}}},
			fires: map[string][]string{"tailflux-silent": {"host=web-2"}},
		},
		{
			name: "tailflux has just died", machines: []machine{well("web-1", busy("shop")), {host: "web-2", runs: []stretch{{180, 4.06}}, logs: []watched{busy("shop")}}},
			fires: map[string][]string{"tailflux-silent": {"host=web-2"}},
		},
		{
			name: "tailflux has been dead for hours", machines: []machine{well("web-1", busy("shop")), off},
			fires: map[string][]string{"tailflux-silent": {"host=web-2"}},
		},
		{name: "an import is over", machines: []machine{well("web-1", busy("shop")), {host: "archive", runs: []stretch{{100, 99.9}}}}},
		{name: "an import has just ended", machines: []machine{
			well("web-1", busy("shop")), {host: "archive", runs: []stretch{{7, 6.9}}, logs: []watched{{source: "old", unread: []stretch{{180, -1}}}}},
		}},
		{
			name: "a log is unreadable", machines: []machine{well("web-1", unreadable, busy("api")), well("web-2", busy("shop"))},
			fires: map[string][]string{"tailflux-not-observed": {one}},
		},
		{
			name: "a log has become unreadable", machines: []machine{well("web-1", lately, busy("api")), well("web-2", busy("shop"))},
			fires: map[string][]string{"tailflux-not-observed": {one}},
		},
		{
			name: "a log was never there", machines: []machine{well("web-1", never, quiet("api"))},
			fires: map[string][]string{"tailflux-not-observed": {one}},
		},
		{name: "a log is no more followed", machines: []machine{well("web-1", removed, quiet("api"))}},
		{
			name: "minutes behind", machines: []machine{well("web-1", behind, busy("api")), well("web-2", busy("shop"))},
			fires: map[string][]string{"tailflux-lag": {one}},
		},
		{
			name: "an hour behind", machines: []machine{well("web-1", hoursBehind), well("web-2", busy("shop"))},
			fires: map[string][]string{"tailflux-lag": {one}, "tailflux-not-observed": {one}},
		},
		{
			name: "InfluxDB takes no lines", machines: []machine{well("web-1", busy("shop")), stuck},
			fires: map[string][]string{"tailflux-undelivered": {"host=web-2"}},
		},
		{
			name: "a tenth does not match", machines: []machine{well("web-1", broken, busy("api")), well("web-2", busy("shop"))},
			fires: map[string][]string{"tailflux-rejects": {one}},
		},
		{
			name: "nothing of a night matches", machines: []machine{well("web-1", brokenNight)},
			fires: map[string][]string{"tailflux-rejects": {one}},
		},
		{
			name: "a log is gone", machines: []machine{well("web-1", deleted, quiet("api")), well("web-2", quiet("shop"))},
			fires: map[string][]string{"tailflux-lost": {one}},
		},
		{
			name: "a tag is nearly full", machines: []machine{full, well("web-2", quiet("shop"))},
			fires: map[string][]string{"tailflux-tag-cap": {"host=web-1 tag=path"}},
		},
		{
			name: "InfluxDB comes and goes", machines: []machine{flapping, well("web-2", busy("shop"))},
			fires: map[string][]string{"tailflux-outage": {"host=web-1"}},
		},
		{
			name: "tailflux crashes", machines: []machine{crashing, well("web-2", busy("shop"))},
			fires: map[string][]string{"tailflux-restarts": {"host=web-1"}},
		},
		{name: "tailflux is upgraded twice", machines: []machine{upgraded}},
		{name: "nothing was ever observed", fires: map[string][]string{"tailflux-silent": {""}}},
		{name: "InfluxDB does not answer", away: errors.New("connection refused"), fires: map[string][]string{"tailflux-outage": {""}}},
	}
}
