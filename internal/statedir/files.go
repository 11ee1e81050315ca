package statedir

// Names of the files.
const (
	Lock           = "lock"
	Checkpoint     = "checkpoint"
	CheckpointPrev = Checkpoint + ".1"
	TagValues      = "tag_values"
	Formats        = "formats.json"
	Intents        = "intents"
	Shaping        = "shaping.json"
	Host           = "host"
	Rejects        = "rejects.jsonl"
	RejectsPrev    = Rejects + ".1"

	// Input is what tailflux import - reads, while it runs. Nothing depends on it.
	Input = "standard-input"

	// Bad is the suffix of a file that could not be used and was renamed.
	Bad = ".bad"
)

// A File is a file of the directory, for docs/state-directory.md and for the log.
type File struct {
	Name  string
	Holds string
	Cost  string // of losing it
}

// Files are all files of the directory, the most important one first.
var Files = []File{
	{
		Checkpoint, "how far each log was delivered: the latest save",
		"none if checkpoint.1 is good, because lines that are read again become the same points; " +
			"otherwise each log begins where start says: run tailflux verify to find gaps, " +
			"and do not run tailflux import on logs that were already followed, it would store them twice",
	},
	{
		CheckpointPrev, "the save before that, used when the latest one is damaged",
		"none while checkpoint is good",
	},
	{
		TagValues, "the values that each tag may have, up to tag_limit",
		"values are admitted anew: if a tag had reached its limit, different values may be admitted now, " +
			"and lines that are read again may become second points",
	},
	{
		Intents, "where rollups were cut whose points may be on the way to InfluxDB",
		"none after a clean stop; after a crash, what was on the way may be counted twice in rollups",
	},
	{
		Formats, "the log format that was detected for each source with format: auto",
		"formats are detected anew; set format for each source to be independent of this file",
	},
	{
		Shaping, "the configuration in force, without how InfluxDB is reached, and whether the last stop was clean",
		"if the configuration changed after a crash, lines that are read again may become second points",
	},
	{
		Host, "the value of the tag host, chosen at the first start",
		"the tag host is the machine's name from now on; if it was different, lines that are read again become second points: set host in the configuration",
	},
	{
		Rejects, "rejected lines, with the reason",
		"the new file does not have the earlier rejected lines; lines that are read again may get a second entry",
	},
	{
		RejectsPrev, "older rejected lines: rejects.jsonl as it was when it reached its limit",
		"the older rejected lines are no longer available; lines that are read again may get a second entry",
	},
	{
		Lock, "nothing; the running tailflux holds a lock on it",
		"none",
	},
}

// costOf returns what it costs to lose a file.
func costOf(name string) string {
	for _, f := range Files {
		if f.Name == name {
			return f.Cost
		}
	}
	return "none"
}
