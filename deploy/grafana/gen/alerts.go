package main

import (
	"fmt"
	"time"
)

// Queries of alerts have no variables, so they name the policy of rollups themselves.
const (
	alertSite = `"tailflux_rollups"."nginx_site"`
	alertOwn  = `"tailflux_rollups"."tailflux"`
)

// What an alert is worth without a row, or without an answer.
const (
	isFine   = "OK"
	isAlarm  = "Alerting"
	asBefore = "KeepLast"
)

type alertGroup struct {
	name   string
	alerts []*alert
}

// alerts are all there are. Each has a heading in docs/alerts.md, by its uid.
func alerts() []alertGroup {
	return []alertGroup{
		{"traffic", []*alert{serverErrors(), slow(), noTraffic()}},
		{"tailflux", []*alert{silent(), notObservedAlert(), lag(), undelivered(), rejected(), lost(), tagCap(), outage(), restarts()}},
	}
}

// atLeast is a number, or what it is to be at least. InfluxDB 1.6 has an abs of integers that
// leaves them negative, so it gets no integer.
func atLeast(name string, least int) string {
	return fmt.Sprintf("((%s + %d + abs(%s - %d.0)) / 2)", name, least, name, least)
}

// A share is one of at least so many: few failures of few requests are none, and many are
// seen all the same.
func serverErrors() *alert {
	return &alert{
		uid: "tailflux-5xx", title: "Too many 5xx", severity: "critical", panel: panelRef{overview(), "Errors by status"},
		over: 5 * time.Minute, lasts: 3 * time.Minute, reduce: "last", is: "gt", than: 5, noData: isFine, noAnswer: asBefore,
		query: `SELECT 100 * "errors" / ` + atLeast(`"all"`, 100) + ` AS "percent" FROM (
  SELECT sum("errors") AS "errors", sum("all") AS "all" FROM
    (SELECT "requests" AS "all", "requests" * 0 AS "errors" FROM ` + alertSite + `),
    (SELECT "requests" AS "errors" FROM ` + alertSite + ` WHERE "status" =~ /^5/)
  WHERE $timeFilter GROUP BY "host", "source"
) WHERE $timeFilter GROUP BY "host", "source"`,
		summary:     `{{ .Labels.source }} on {{ .Labels.host }}: {{ printf "%.1f" .Values.B.Value }} % of the requests fail with 5xx`,
		description: "Of the requests of the last 5 minutes, and of at least 100, so many had a status of 5xx. More than 5 % are too many.",
	}
}

func slow() *alert {
	return &alert{
		uid: "tailflux-p95", title: "Slow", severity: "warning", panel: panelRef{overview(), "Request time"},
		over: 10 * time.Minute, lasts: 5 * time.Minute, reduce: "last", is: "gt", than: 1, noData: isFine, noAnswer: asBefore,
		query:       p95Query(),
		summary:     `{{ .Labels.source }} on {{ .Labels.host }}: 5 % of the requests take longer than {{ printf "%.2f" .Values.B.Value }} s`,
		description: "The p95 of request_time over the last 10 minutes, if there were 100 requests. More than 1 s is slow.",
	}
}

// Lines are counted when they are written, which is the same time where nothing lags, and
// observed where it says so. 0.001 keeps from dividing by 0.
//
// The first window begins before the range, and last would have no row because of it
// (findings/influxql-outer-range-within-a-window-finds-nothing.sh): moving_average has none
// for that window.
func noTraffic() *alert {
	return &alert{
		uid: "tailflux-no-traffic", title: "No traffic", severity: "critical", panel: panelRef{overview(), "Requests by class of status"},
		over: 70 * time.Minute, lasts: 2 * time.Minute, reduce: "last", is: "gt", than: 40, noData: isFine, noAnswer: asBefore,
		query: `SELECT 60 * "busy" AS "minutes" FROM (
  SELECT last("now") AS "now", last("observed") AS "observed", last("busy") AS "busy" FROM (
    SELECT moving_average("n", 10) AS "now", moving_average("o", 10) AS "observed", moving_average("b", 60) AS "busy" FROM (
      SELECT "n", "o", "n" / ("n" + 0.001) AS "b" FROM (
        SELECT sum("lines_written") AS "n", sum("observed_seconds") AS "o" FROM ` + alertOwn + `
        WHERE $timeFilter AND "source" != '' GROUP BY time(1m), "host", "source" fill(0)
      ) GROUP BY "host", "source"
    ) GROUP BY "host", "source"
  ) WHERE $timeFilter GROUP BY "host", "source"
) WHERE $timeFilter AND "now" = 0 AND "observed" > 40 GROUP BY "host", "source"`,
		summary:     `{{ .Labels.source }} on {{ .Labels.host }}: not one request for 10 minutes`,
		description: "There was none in 10 minutes, though the log was observed, and in {{ printf \"%.0f\" .Values.B.Value }} of the 50 minutes before there were some. More than 40 are traffic that does not end by itself.",
	}
}

// silent knows hosts for a day. One that has written two points in a minute for five minutes
// is no import.
func silent() *alert {
	return &alert{
		uid: "tailflux-silent", title: "tailflux is silent", severity: "critical", panel: panelRef{overview(), "Observed"},
		over: 24 * time.Hour, lasts: 5 * time.Minute, reduce: "last", is: "lt", than: 0.5, noData: isAlarm, noAnswer: asBefore,
		query: `SELECT "now" FROM (
  SELECT last("n") AS "now", max("n") AS "most" FROM (
    SELECT moving_average(count("uptime_seconds"), 5) AS "n" FROM ` + alertOwn + `
    WHERE $timeFilter GROUP BY time(1m), "host" fill(0)
  ) WHERE $timeFilter GROUP BY "host"
) WHERE $timeFilter AND "most" > 2 GROUP BY "host"`,
		summary:     `tailflux{{ with .Labels.host }} on {{ . }}{{ end }} has not been heard of for 5 minutes`,
		description: "It writes points about itself every 10 s, and there are none: nobody knows what happens there, and no other alert of that host can fire.",
	}
}

// notObservedAlert leaves out what wrote a few points alone: that was an import.
func notObservedAlert() *alert {
	return &alert{
		uid: "tailflux-not-observed", title: "Log is not observed", severity: "critical", panel: panelRef{overview(), "Observed"},
		over: 10 * time.Minute, lasts: 5 * time.Minute, reduce: "last", is: "lt", than: 60, noData: isFine, noAnswer: asBefore,
		query: `SELECT "seconds" FROM (
  SELECT sum("seconds") AS "seconds", count("lag") AS "points" FROM
    (SELECT "lag_seconds" AS "lag", "lag_seconds" * 0 AS "seconds" FROM ` + alertOwn + `),
    (SELECT "observed_seconds" AS "seconds" FROM ` + alertOwn + `)
  WHERE $timeFilter AND "source" != '' GROUP BY "host", "source"
) WHERE $timeFilter AND "points" > 12 GROUP BY "host", "source"`,
		summary:     `{{ .Labels.source }} on {{ .Labels.host }} was observed for {{ printf "%.0f" .Values.B.Value }} s of the last 10 minutes`,
		description: "tailflux runs, but of the last 10 minutes of this log it knows less than one: it cannot read it, or is not that far.",
	}
}

// A log that was quiet lags for a moment when it has a line again, so the least of each
// minute counts.
func lag() *alert {
	return &alert{
		uid: "tailflux-lag", title: "tailflux lags", severity: "warning", panel: panelRef{pipeline(), "Lag"},
		over: 5 * time.Minute, lasts: 2 * time.Minute, reduce: "min", is: "gt", than: 120, noData: isFine, noAnswer: asBefore,
		query: `SELECT min("lag_seconds") AS "seconds" FROM ` + alertOwn + `
WHERE $timeFilter AND "source" != '' GROUP BY time(1m), "host", "source" fill(none)`,
		summary:     `{{ .Labels.source }} on {{ .Labels.host }} is read {{ printf "%.0f" .Values.B.Value }} s late`,
		description: "Lines wait in the log for more than 120 s: dashboards and the other alerts are that much behind.",
	}
}

func undelivered() *alert {
	return &alert{
		uid: "tailflux-undelivered", title: "Lines are not delivered", severity: "warning", panel: panelRef{pipeline(), "Undelivered"},
		over: 5 * time.Minute, lasts: 2 * time.Minute, reduce: "min", is: "gt", than: 60, noData: isFine, noAnswer: asBefore,
		query: `SELECT min("undelivered_seconds") AS "seconds" FROM ` + alertOwn + `
WHERE $timeFilter GROUP BY time(1m), "host" fill(none)`,
		summary:     `tailflux on {{ .Labels.host }} has had lines for {{ printf "%.0f" .Values.B.Value }} s that InfluxDB has not taken`,
		description: "Lines that were read wait for more than 60 s. Nothing is lost: the log is kept in its place until they are delivered.",
	}
}

func rejected() *alert {
	return &alert{
		uid: "tailflux-rejects", title: "Lines are rejected", severity: "warning", panel: panelRef{pipeline(), "Rejected lines by reason"},
		over: 15 * time.Minute, lasts: 5 * time.Minute, reduce: "last", is: "gt", than: 1, noData: isFine, noAnswer: asBefore,
		query: `SELECT 100 * "rejected" / ` + atLeast(`"read"`, 1000) + ` AS "percent" FROM (
  SELECT sum("lines_rejected") AS "rejected", sum("lines_read") AS "read" FROM ` + alertOwn + `
  WHERE $timeFilter AND "source" != '' GROUP BY "host", "source"
) WHERE $timeFilter GROUP BY "host", "source"`,
		summary:     `{{ .Labels.source }} on {{ .Labels.host }}: {{ printf "%.1f" .Values.B.Value }} % of the lines are rejected`,
		description: "Of the lines of the last 15 minutes, and of at least 1000, so many are in the reject file. More than 1 % are not single odd requests.",
	}
}

func lost() *alert {
	return &alert{
		uid: "tailflux-lost", title: "Lines are lost", severity: "warning", panel: panelRef{pipeline(), "Files"},
		over: time.Hour, lasts: time.Minute, reduce: "last", is: "gt", than: 0, noData: isFine, noAnswer: asBefore,
		query: `SELECT sum("generations_lost") AS "files" FROM ` + alertOwn + `
WHERE $timeFilter AND "source" != '' GROUP BY "host", "source"`,
		summary:     `{{ .Labels.source }} on {{ .Labels.host }}: {{ printf "%.0f" .Values.B.Value }} log files are gone that may have had unread lines`,
		description: "In the last hour a rotated log was deleted or truncated, and nobody knows that all of it was read.",
	}
}

func tagCap() *alert {
	return &alert{
		uid: "tailflux-tag-cap", title: "Tag is nearly full", severity: "warning", panel: panelRef{pipeline(), "Tags"},
		over: 10 * time.Minute, lasts: 5 * time.Minute, reduce: "last", is: "gt", than: 80, noData: isFine, noAnswer: asBefore,
		query: `SELECT 100 * last("values") / last("limit") AS "percent" FROM ` + alertOwn + `
WHERE $timeFilter AND "tag" != '' GROUP BY time(1m), "host", "tag" fill(none)`,
		summary:     `Tag {{ .Labels.tag }} on {{ .Labels.host }} has {{ printf "%.0f" .Values.B.Value }} % of the values that tag_limit allows`,
		description: "At 100 % every new value becomes \"other\". More than 80 % is the time to look why there are so many.",
	}
}

// While InfluxDB is away nothing can be asked: that is what the alert is for. Points tell
// afterwards how often it was.
func outage() *alert {
	return &alert{
		uid: "tailflux-outage", title: "InfluxDB is away", severity: "critical", panel: panelRef{pipeline(), "Undelivered"},
		over: 30 * time.Minute, lasts: 2 * time.Minute, reduce: "last", is: "gt", than: 2, noData: isFine, noAnswer: isAlarm,
		query: `SELECT sum("outages") AS "outages" FROM ` + alertOwn + `
WHERE $timeFilter GROUP BY "host"`,
		summary:     `InfluxDB does not answer{{ with .Labels.host }}, or was away for tailflux on {{ . }} again and again{{ end }}`,
		description: "Either Grafana gets no answer from InfluxDB, then the annotation Error says why; or there were more than 2 outages in the last 30 minutes. Lines wait in the logs meanwhile.",
	}
}

func restarts() *alert {
	return &alert{
		uid: "tailflux-restarts", title: "tailflux starts again and again", severity: "warning", panel: panelRef{pipeline(), "Cuts and starts"},
		over: 15 * time.Minute, lasts: time.Minute, reduce: "last", is: "gt", than: 2, noData: isFine, noAnswer: asBefore,
		query: `SELECT sum("started") AS "starts" FROM ` + alertOwn + `
WHERE $timeFilter GROUP BY "host"`,
		summary:     `tailflux on {{ .Labels.host }} has started {{ printf "%.0f" .Values.B.Value }} times in 15 minutes`,
		description: "It does not stay up: more than 2 starts in 15 minutes are no upgrade.",
	}
}
