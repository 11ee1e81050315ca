package monitor

import (
	"slices"
)

// metrics are all metrics but requestSeconds. docs/monitor.md says which key of
// /monitor each is.
func metrics() []metric {
	return slices.Concat(ofProcess(), ofSources(), ofRollups(), ofStore())
}

func ofProcess() []metric {
	return []metric{
		{desc("build_info", "1; the labels are the versions of tailflux and of Go.", "version", "goversion"), gauge, func(r monitorReport, add add) {
			add(1, r.Version, r.Go)
		}},
		single(gauge, "uptime_seconds", "Since the process started.", func(r monitorReport) float64 { return r.UptimeSeconds }),
		single(gauge, "resident_memory_bytes", "Resident memory of the process.", func(r monitorReport) int64 { return r.MemoryBytes }),
		single(counter, "lines_read_total", "Lines read from the files; one that is read again counts again.", func(r monitorReport) int64 { return r.Lines.Read }),
		single(counter, "lines_written_total", "Lines acknowledged by InfluxDB.", func(r monitorReport) int64 { return r.Lines.Written }),
		single(counter, "lines_filtered_total", "Lines left out on purpose.", func(r monitorReport) int64 { return r.Lines.Filtered }),
		{desc("lines_rejected_total", "Lines in the reject file, by reason.", "reason"), counter, rejected},
		single(gauge, "lines_in_flight", "Lines read, and not yet written, rejected or filtered.", func(r monitorReport) int64 { return r.Lines.InFlight }),
		single(counter, "read_bytes_total", "Bytes of the lines read.", func(r monitorReport) int64 { return r.BytesRead }),
		single(gauge, "undelivered_seconds", "How long the oldest line waits that InfluxDB has not acknowledged; 0 without one.", func(r monitorReport) float64 { return r.Undelivered }),
		perChannel("channel_items", "What waits in a channel: read is from read to parse, write from parse to write.", func(c channelReport) int { return c.Length }),
		perChannel("channel_capacity_items", "What a channel has room for.", func(c channelReport) int { return c.Capacity }),
		perChannel("channel_lines", "Lines that wait in a channel.", func(c channelReport) int64 { return c.Lines }),
		perChannel("channel_bytes", "Bytes that wait in a channel.", func(c channelReport) int64 { return c.Bytes }),
		{desc("reload_state", "1 for what became of the newest SIGHUP; no series before the first.", "state"), gauge, reloads},
		{desc("reload_timestamp_seconds", "Since when that is so."), gauge, func(r monitorReport, add add) {
			if r.Reload != nil {
				add(float64(r.Reload.At.UnixMilli()) / 1000)
			}
		}},
	}
}

func ofSources() []metric {
	return []metric{
		perSource(gauge, "source_open", "1 while the source can be read.", func(s sourceReport) float64 { return truth(s.Open) }),
		perSource(gauge, "source_trouble", "1 while the source cannot be read, or its lines are not in its format; /monitor says why.", func(s sourceReport) float64 { return truth(s.Trouble != "") }),
		perSource(gauge, "source_offset_bytes", "Read of the newest file.", func(s sourceReport) int64 { return s.Offset }),
		perSource(gauge, "source_size_bytes", "Size of the newest file.", func(s sourceReport) int64 { return s.Size }),
		perSource(gauge, "source_lag_bytes", "What of the newest file is not read yet.", func(s sourceReport) int64 { return s.LagBytes }),
		perSource(gauge, "source_lag_seconds", "Age of the last line that was parsed; 0 at the end of the file.", func(s sourceReport) float64 { return s.LagSeconds }),
		perSource(counter, "source_rotations_total", "How often another file was at the path.", func(s sourceReport) int64 { return s.Rotations }),
		perSource(counter, "source_truncations_total", "How often the file no longer had what was read of it.", func(s sourceReport) int64 { return s.Truncations }),
		perSource(counter, "source_recovered_total", "How often the unread rest of a truncated file was found in a copy.", func(s sourceReport) int64 { return s.Recovered }),
		perSource(counter, "source_generations_lost_total", "Files that were gone before they were read to their end.", func(s sourceReport) int64 { return s.Lost }),
		perSource(counter, "source_lost_bytes_total", "Bytes of these known to be unread.", func(s sourceReport) int64 { return s.LostBytes }),
		perSource(counter, "source_nul_skipped_bytes_total", "NUL bytes that belong to no line.", func(s sourceReport) int64 { return s.NULs }),
		perSource(counter, "source_values_omitted_total", "Field values left out because they are not numbers.", func(s sourceReport) int64 { return s.Omitted }),
		perSource(counter, "source_still_written_after_rotation_total", "Rotated files that were written to for too long.", func(s sourceReport) int64 { return s.WrittenLate }),
		perSource(counter, "source_line_numbers_used_twice_total", "Lines of rotated files whose numbers are those of lines in the file after it.", func(s sourceReport) int64 { return s.Beyond }),
		single(gauge, "generations_unreadable", "Files found beside the logs at the start that could not be unpacked or placed.", func(r monitorReport) int64 { return r.Unreadable }),
		perGlob("glob_files", "Files that the glob of a source has matched.", func(g globReport) int { return g.Files }),
		perGlob("glob_trouble", "1 while the glob matches no file.", func(g globReport) float64 { return truth(g.Trouble != "") }),
		perTag(gauge, "tag_values", "Distinct values of a tag so far.", func(t tagReport) int64 { return t.Values }),
		perTag(gauge, "tag_values_limit", "tag_limit.", func(t tagReport) int { return t.Limit }),
		perTag(counter, "tag_other_total", "Points written with other instead of a value over the limit.", func(t tagReport) int64 { return t.Other }),
	}
}

func ofRollups() []metric {
	return []metric{
		perRollup(gauge, "rollup_cells", "Cells that are open.", func(r rollupReport) int64 { return r.Cells }),
		perRollup(gauge, "rollup_memory_bytes", "Memory of these.", func(r rollupReport) int64 { return r.Bytes }),
		perRollup(counter, "rollup_cuts_total", "Cuts made.", func(r rollupReport) int64 { return r.Cuts }),
		perRollup(gauge, "rollup_intents", "Cuts that were begun and are not known to be stored.", func(r rollupReport) int64 { return r.Intents }),
		perRollup(gauge, "rollup_open_seconds", "How long the oldest line has waited in an open cell; 0 without one.", func(r rollupReport) float64 { return r.OpenSeconds }),
		perRollup(counter, "rollup_refused_requests_total", "Lines in points that InfluxDB refused.", func(r rollupReport) int64 { return r.RefusedRequests }),
		perRollup(counter, "rollup_expired_requests_total", "Those of them that were too old.", func(r rollupReport) int64 { return r.ExpiredRequests }),
	}
}

func ofStore() []metric {
	return []metric{
		single(gauge, "influxdb_up", "1 while InfluxDB takes points.", func(r monitorReport) float64 { return truth(r.InfluxDB.Up) }),
		single(gauge, "influxdb_outage_seconds", "Since requests began to fail; 0 when up.", func(r monitorReport) float64 { return r.InfluxDB.OutageSeconds }),
		single(counter, "influxdb_retries_total", "Requests sent again.", func(r monitorReport) int64 { return r.InfluxDB.Retries }),
		single(counter, "rejects_expired_total", "Entries deleted from the reject file by its cap.", func(r monitorReport) int64 { return r.OldRejects }),
		single(gauge, "rejects_trouble", "1 while the reject file cannot be written.", func(r monitorReport) float64 { return truth(r.Rejects.Trouble != "") }),
		single(gauge, "checkpoint_trouble", "1 while the checkpoint cannot be saved.", func(r monitorReport) float64 { return truth(r.Checkpoint.Trouble != "") }),
		{desc("checkpoint_age_seconds", "Since the checkpoint was last saved; no series before that."), gauge, func(r monitorReport, add add) {
			if r.Checkpoint.SavedSeconds != nil {
				add(*r.Checkpoint.SavedSeconds)
			}
		}},
	}
}
