package scene_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
)

// fates are the fates of a log, under the headings of docs/following.md, and what is
// decided. Nothing is decided where want is "". It is one table, however long.
var fates = []struct {
	name  string
	scene *look
	want  string
}{
	// A log is rotated
	{
		"A log is rotated", seen(open(1), beside("access.log.1", 10, openAs(1)), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{
		"A log is rotated: the old file was deleted", seen(open(1), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{"A log is rotated: the very first file", seen(), "begin what is there first"},
	{"A log is rotated: not at all", seen(open(1), beside("access.log", 20, openAs(1))), ""},
	{
		"A log is rotated: a new file that begins like the old one", seen(open(1), finished(9),
			beside("access.log.1", 10, openAs(1)), beside("access.log", 20, is(9, logfile.Copy))),
		"supersede 1; searched; begin access.log",
	},

	{"A rotated file is quiet", seen(open(1, superseded, idle), open(2), beside("access.log", 20, openAs(2))), "leave 1"},
	{"A rotated file is quiet: not long enough", seen(open(1, superseded, idle, grown(100)), open(2), beside("access.log", 20, openAs(2))), ""},
	{"A rotated file is quiet: not read to its end", seen(open(1, superseded), open(2), beside("access.log", 20, openAs(2))), ""},
	{"A rotated file is quiet: with nothing at the path", seen(missing(100), open(1, superseded, idle), open(2)), ""},
	{"A rotated file is quiet: it is compressed, with nothing at the path", seen(missing(100), open(1, superseded, idle, packed), open(2)), "leave 1"},
	{"A rotated file is quiet: not with --once", seen(once, open(1, superseded, idle), open(2), beside("access.log", 20, openAs(2))), ""},
	{"A rotated file is quiet: while the new one is empty", seen(open(1, superseded, idle), open(2, neverFilled), beside("access.log", 20, openAs(2))), ""},
	{
		"A rotated file is quiet: while the new one is empty, for a day", seen(aDayLater,
			open(1, superseded, idle), open(2, neverFilled), beside("access.log", 20, openAs(2))),
		"leave 1",
	},
	{
		"A rotated file is quiet: it was deleted, while the new one is empty", seen(open(1, superseded, idle, deleted), open(2, neverFilled), beside("access.log", 20, openAs(2))),
		"leave 1",
	},
	{
		"A rotated file is quiet: it was compressed, and nginx went on", seen(open(1, superseded, idle, deleted, asOf(20)), open(2),
			beside("access.log.1.gz", 15, copyOf(1)), beside("access.log", 20, openAs(2))),
		"note copy 1 at 10, access.log.1.gz; leave 1",
	},
	{
		"A rotated file is quiet: it was compressed, and that was looked for", seen(open(1, superseded, idle, deleted, noted, asOf(20)), open(2),
			beside("access.log.1.gz", 15, copyOf(1)), beside("access.log", 20, openAs(2))),
		"leave 1",
	},
	{
		"A rotated file is quiet: it was compressed, nginx went on, and that is noted", seen(open(1, superseded, idle, deleted, asOf(20)), open(2), finished(1, isBeside(0), writtenAt(15)),
			beside("access.log.1.gz", 15, copyOf(1)), beside("access.log", 20, openAs(2))),
		"leave 1",
	},
	{
		"A rotated file is quiet: it was compressed, and has nothing more", seen(open(1, superseded, idle, deleted, asOf(15)), open(2),
			beside("access.log.1.gz", 15, copyOf(1)), beside("access.log", 20, openAs(2))),
		"leave 1",
	},
	{
		"A rotated file is quiet: it was deleted, and its copy is older than it", seen(open(1, superseded, idle, deleted, asOf(20), madeAt(16)), open(2),
			beside("access.log.1.gz", 15, copyOf(1)), beside("access.log", 20, openAs(2))),
		"leave 1",
	},
	{"A rotated file is quiet: it was deleted, with nothing at the path", seen(missing(100), open(1, superseded, idle, deleted), open(2)), ""},
	{"A rotated file is quiet: with nothing at the path, for a day", seen(aDayLater, missing(10+24*60), open(1, superseded, idle), open(2)), "leave 1"},
	{"A rotated file is quiet: the log was deleted, and nothing came, for a day", seen(aDayLater, missing(10+24*60), open(1, idle, deleted)), ""},
	{"A rotated file is quiet: the log was moved away, and nothing came, for a day", seen(aDayLater, missing(10+24*60), open(1, idle)), ""},
	{"A rotated file is quiet: the file of the last day was deleted", seen(dated, missing(100), open(1, idle, deleted)), "leave 1"},
	{"A rotated file is quiet: the file of the last day has another name", seen(dated, missing(100), open(1, idle)), ""},

	{
		"A rotated file is still written to", seen(open(1, superseded, grown(100), late(2)), open(2), beside("access.log", 20, openAs(2))),
		"late 1",
	},
	{"A rotated file is still written to: not for long", seen(open(1, superseded, grown(100), late(1)), open(2), beside("access.log", 20, openAs(2))), ""},
	{"A rotated file is still written to: and that was said", seen(open(1, superseded, grown(100), late(2), told), open(2), beside("access.log", 20, openAs(2))), ""},
	{"A rotated file is still written to: with --once", seen(once, open(1, superseded, grown(100), late(2)), open(2), beside("access.log", 20, openAs(2))), ""},
	{
		"A rotated file is still written to: and now it is quiet", seen(open(1, superseded, idle, late(2)), open(2), beside("access.log", 20, openAs(2))),
		"late 1; leave 1",
	},
	{
		"A rotated file is still written to: after it was left", seen(regrown(1), open(2), finished(1),
			beside("access.log.1", 15, ofSize(30), is(1, logfile.Same)), beside("access.log", 20, openAs(2))),
		"resume 1 at 10, access.log.1 behind",
	},
	{
		"A rotated file is still written to: after it was left, and not acknowledged", seen(regrown(1), open(2), remembered(1, left),
			beside("access.log.1", 15, ofSize(30), is(1, logfile.Same)), beside("access.log", 20, openAs(2))),
		"resume 1 at 20, access.log.1 behind",
	},
	{
		"A rotated file is still written to: after it was left, and nothing is at the path", seen(missing(98), regrown(1), open(2), finished(1),
			beside("access.log.2", 15, ofSize(30), is(1, logfile.Same)), beside("access.log.1", 20, openAs(2))),
		"resume 1 at 10, access.log.2 behind",
	},
	{
		"A rotated file is still written to: after it was left, and it is at the path", seen(regrown(1), open(2), finished(1),
			beside("access.log.1", 15, openAs(2)), beside("access.log", 20, is(1, logfile.Same))),
		"supersede 2; searched; resume 1 at 10, access.log",
	},
	{
		"A rotated file is still written to: after it was left, and was truncated; its copy has not grown", seen(regrown(1), open(2), finished(1),
			beside("access.log.1", 15, is(1, logfile.Same)), beside("access.log", 20, openAs(2))),
		"unwatch 1",
	},
	{
		"A rotated file is still written to: after it was left, by something else", seen(regrown(1), open(2), finished(1),
			beside("access.log.1", 15, hasInodeOf(1)), beside("access.log", 20, openAs(2))),
		"unwatch 1",
	},
	{
		"A rotated file is still written to: after it was left, and was emptied", seen(regrown(1), emptied(1), open(2), finished(1),
			beside("access.log.1", 15, hasInodeOf(1)), beside("access.log", 20, openAs(2))),
		"begin access.log.1 behind",
	},
	{
		"A rotated file is still written to: after it was left, and was deleted and emptied", seen(regrown(1), emptied(1), open(2), finished(1),
			beside("/proc/self/fd/7", 15, nameless, hasInodeOf(1)), beside("access.log", 20, openAs(2))),
		"begin /proc/self/fd/7 behind",
	},
	{
		"A rotated file is still written to: after it was left, and was emptied for a second time",
		seen(regrown(1), emptied(1), regrown(2), emptied(2), open(3), finished(1), finished(2, func(g *checkpoint.Generation) { g.Inode.Number = 1 }),
			beside("access.log.1", 15, hasInodeOf(1)), beside("access.log", 20, openAs(3))),
		"begin access.log.1 behind; unwatch 2",
	},
	{
		"A rotated file is still written to: after it was left, and was shortened", seen(regrown(1), emptied(1), open(2), finished(1),
			beside("access.log.1", 15, hasInodeOf(1), holdsAll(1)), beside("access.log", 20, openAs(2))),
		"unwatch 1",
	},
	{
		"A rotated file is still written to: after it was left, and was emptied under another name", seen(regrown(1), emptied(1), open(2), finished(1),
			beside("access.log.bak", 15, anothers, hasInodeOf(1)), beside("access.log", 20, openAs(2))),
		"unwatch 1",
	},
	{
		"A rotated file is still written to: after it was left, and a copy has grown", seen(regrown(1), open(2), finished(1),
			beside("access.log.1", 15, is(1, logfile.Copy)), beside("access.log", 20, openAs(2))),
		"unwatch 1",
	},
	{
		"A rotated file is still written to: after it was left, and it had no line", seen(regrown(1), open(2), finished(1, neverRead),
			beside("access.log.1", 15, ofSize(30), is(1, logfile.Same)), beside("access.log", 20, openAs(2))),
		"resume 1 at 0, access.log.1 behind",
	},
	{
		"A rotated file is still written to: after it was left without a line, by another name", seen(regrown(1), open(2), finished(1, neverRead),
			beside("access.log.bak", 15, anothers, is(1, logfile.Same)), beside("access.log", 20, openAs(2))),
		"unwatch 1",
	},
	{
		"A rotated file is still written to: after it was left, and it was deleted", seen(regrown(1), open(2), finished(1),
			beside("/proc/self/fd/7", 15, nameless, ofSize(30), is(1, logfile.Same)), beside("access.log", 20, openAs(2))),
		"resume 1 at 10, /proc/self/fd/7 behind",
	},
	{
		"A rotated file is still written to: after it was left, and it may not be read", seen(regrown(1), open(2, superseded, idle), open(3), finished(1),
			beside("access.log.1", 15, refused, is(1, logfile.Same)), beside("access.log", 20, openAs(3))),
		"wait; leave 2",
	},
	{
		"A rotated file is still written to: after it was left, it may not be read, and nothing is at the path", seen(missing(98), regrown(1), open(2, superseded, idle), open(3), finished(1),
			beside("access.log.1", 15, refused, is(1, logfile.Same))),
		"refused since 10; missing",
	},
	{
		"A rotated file is still written to: after it was left, and it was compressed under its name", seen(regrown(1), open(2), finished(1),
			beside("access.log.1", 15, xz, is(1, logfile.Same)), beside("access.log", 20, openAs(2))),
		"unwatch 1",
	},
	{
		"A rotated file is still written to: after it was left without a line, and it was deleted", seen(regrown(1), open(2), finished(1, neverRead),
			beside("/proc/self/fd/7", 15, nameless, ofSize(30), is(1, logfile.Same)), beside("access.log", 20, openAs(2))),
		"resume 1 at 0, /proc/self/fd/7 behind",
	},
	{
		"A rotated file is still written to: after it was left, and it was compressed", seen(searchSince(5), open(2), finished(1, upTo(2000)),
			beside("access.log.1.gz", 15, is(1, logfile.Copy)), beside("access.log", 20, openAs(2))),
		"resume 1 at 2000, access.log.1.gz behind; searched",
	},
	{
		"A rotated file is still written to: after it was left, and another one begins alike", seen(searchSince(5), open(2), finished(1, upTo(20)),
			beside("access.log.1.gz", 15, is(1, logfile.Copy)), beside("access.log", 20, openAs(2))),
		"begin access.log.1.gz behind; searched",
	},
	{
		"A rotated file is still written to: after it was left, and it is open again", seen(regrown(1), open(1, superseded), open(2), finished(1),
			beside("access.log.1", 15, is(1, logfile.Same), openAs(1)), beside("access.log", 20, openAs(2))),
		"unwatch 1",
	},

	{
		"A copy is in the place of the log", seen(open(1, deleted), beside("access.log", 10, agrees(1, 10))),
		"supersede 1; searched; begin access.log from 10",
	},
	{
		"A copy is in the place of the log: it has more", seen(open(1, deleted), beside("access.log", 20, agrees(1, 15))),
		"supersede 1; searched; begin access.log from 15",
	},
	{
		"A copy is in the place of the log: another file is", seen(open(1, deleted), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{
		"A copy is in the place of the log: and the log has a name", seen(open(1), beside("access.log.1", 10, openAs(1)), beside("access.log", 20, agrees(1, 10))),
		"supersede 1; searched; begin access.log",
	},
	{
		"A copy is in the place of the log: and what was the log is packed", seen(open(1, deleted, packed), beside("access.log", 20, agrees(1, 10))),
		"supersede 1; searched; begin access.log",
	},

	{
		"A log is rotated unnoticed", seen(open(1),
			beside("access.log.3", 10, openAs(1)), beside("access.log.2", 12), beside("access.log.1", 14), beside("access.log", 20)),
		"supersede 1; begin access.log.2 behind; begin access.log.1 behind; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: as old as what was read", seen(open(1),
			beside("access.log.1", 10), beside("access.log.2", 10, openAs(1)), beside("access.log", 20)),
		"supersede 1; begin access.log.1 behind; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: older than what was read", seen(open(1),
			beside("access.log.2", 9), beside("access.log.1", 10, openAs(1)), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: not called so", seen(open(1),
			beside("access.log.1", 10, openAs(1)), beside("access.json", 15, anothers), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: of an odd name, before the log was made", seen(restarted, searchSince(10), open(1, asOf(50)),
			beside("access.log-2026-48", 15, oddlyNamed), beside("access.log", 20, openAs(1), bornAt(15))),
		"begin access.log-2026-48 behind; searched",
	},
	{
		"A log is rotated unnoticed: of an odd name, and still written to", seen(restarted, searchSince(10), open(1, asOf(50)),
			beside("access.log-2026-48", 18, oddlyNamed), beside("access.log", 20, openAs(1), bornAt(15))),
		"searched",
	},
	{
		"A log is rotated unnoticed: of an odd name, not after a start", seen(searchSince(10), open(1, asOf(50)),
			beside("access.log-2026-48", 15, oddlyNamed), beside("access.log", 20, openAs(1), bornAt(15))),
		"searched",
	},
	{
		"A log is rotated unnoticed: renamed for a while", seen(open(1), lastSeen(12),
			beside("access.log.1", 10, openAs(1)), beside("access.log.tmp", 15, forAWhile, bornAt(13)), beside("access.log", 20)),
		"supersede 1; begin access.log.tmp behind; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: called like one that is renamed for a while, and made before", seen(open(1), lastSeen(12),
			beside("access.log.1", 10, openAs(1)), beside("access.log.tmp", 15, forAWhile, bornAt(11)), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: called like one that is renamed for a while, at a start", seen(restarted, searchSince(10), open(1, asOf(50)),
			beside("access.log.tmp", 15, forAWhile, bornAt(13)), beside("access.log", 20, openAs(1))),
		"searched",
	},
	{
		"A log is rotated unnoticed: of an odd name, and no text, and still written to", seen(restarted, searchSince(10), open(1, asOf(50)),
			beside("access.log-12h.gpg", 18, oddlyNamed, noText), beside("access.log", 20, openAs(1), bornAt(15))),
		"searched",
	},
	{
		"A log is rotated unnoticed: and all of it is in a file that is not", seen(restarted, searchSince(10), open(1, asOf(50)),
			beside("access.log.1", 15, within("access.log-2days")), beside("access.log-2days", 70, oddlyNamed), beside("access.log", 80, openAs(1), bornAt(15))),
		"begin access.log.1 behind; searched",
	},
	{
		"A log is rotated unnoticed: it was read already", seen(open(1), finished(9),
			beside("access.log.1", 10, openAs(1)), beside("access.log.old", 12, holdsAll(9)), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: it is left, and not acknowledged", seen(open(1), remembered(9, left),
			beside("access.log.1", 10, openAs(1)), beside("access.log.old", 12, holdsAll(9)), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: a copy of an open one", seen(open(1),
			beside("access.log.1", 10, openAs(1)), beside("access.log.2.gz", 12, copyOf(1)), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: a copy of another one", seen(open(1),
			beside("access.log.1", 10, openAs(1)), beside("access.log.2", 12), beside("access.log.2.old", 14, within("access.log.2")), beside("access.log", 20)),
		"supersede 1; begin access.log.2 behind; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: it was copied before, and grew", seen(open(1),
			beside("access.log.1", 10, openAs(1)), beside("access.log.3", 12, within("access.log.2")), beside("access.log.2", 14), beside("access.log", 20)),
		"supersede 1; begin access.log.2 behind; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: its compressed copy has the same time", seen(open(1),
			beside("access.log.1", 10, openAs(1)), beside("access.log.3.gz", 12, ofSize(-1), within("access.log.2")), beside("access.log.2", 12, within("access.log.3.gz")), beside("access.log", 20)),
		"supersede 1; begin access.log.2 behind; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: a copy of what is at the path", seen(open(1),
			beside("access.log.1", 10, openAs(1)), beside("access.log.2", 12, within("access.log")), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: imported", seen(open(1),
			beside("access.log.1", 10, openAs(1)), beside("access.log.2", 12, imported), beside("access.log", 20)),
		"supersede 1; searched; begin access.log",
	},
	{
		"A log is rotated unnoticed: copied and truncated before its first line was seen", seen(open(1, unsearched),
			beside("access.log.1", 11), beside("access.log", 20, openAs(1))),
		"begin access.log.1 behind; searched",
	},

	{
		"A rotated file cannot be read", seen(restarted, searchSince(10), open(1, asOf(50)),
			beside("access.log.1.xz", 15, xz), beside("access.log", 20, openAs(1))),
		"unreadable access.log.1.xz; searched",
	},
	{
		"A rotated file cannot be read: not after a start", seen(searchSince(10), open(1, asOf(50)),
			beside("access.log.1.xz", 15, xz), beside("access.log", 20, openAs(1))),
		"searched",
	},
	{
		"A rotated file cannot be read: it has the time of one that was", seen(restarted, searchSince(10), open(1, asOf(50)), finished(9, writtenAt(15)),
			beside("access.log.1.xz", 15, xz), beside("access.log", 20, openAs(1))),
		"searched",
	},
	{
		"A rotated file cannot be read: it is older than what was read", seen(restarted, searchSince(10), open(1, asOf(50)),
			beside("access.log.1.xz", 9, xz), beside("access.log", 20, openAs(1))),
		"searched",
	},
	{
		"A rotated file cannot be read: nothing tells whether it was this log", seen(restarted, searchSince(10), open(1, asOf(50)),
			beside("access.log-2026-48", 15, oddlyNamed), beside("access.log", 20, openAs(1))),
		"unreadable access.log-2026-48; searched",
	},

	{"A log is truncated", seen(open(1, changed(0)), beside("access.log", 20, openAs(1))), "truncated 1"},
	{"A log is truncated: with unread bytes", seen(open(1, changed(0), known(25)), beside("access.log", 20, openAs(1))), "truncated 1 15 bytes"},
	{"A log is truncated: shortened", seen(open(1, changed(4), known(25)), beside("access.log", 20, openAs(1))), "truncated 1"},

	{
		"A log is truncated: and all of it is in a copy that is read", seen(open(2, superseded), open(1, changed(0), known(25)),
			beside("access.log.1", 15, openAs(2), is(1, logfile.Copy), ofSize(25)), beside("access.log", 20, openAs(1))),
		"truncated 1",
	},
	{
		"A log is truncated: and not all of it is in a copy that is read", seen(open(2, superseded), open(1, changed(0), known(25)),
			beside("access.log.1", 15, openAs(2), is(1, logfile.Copy), ofSize(20)), beside("access.log", 20, openAs(1))),
		"truncated 1 15 bytes",
	},

	{
		"A truncated log has a copy", seen(open(1, changed(0), known(25)),
			beside("access.log.1", 15, is(1, logfile.Copy), ofSize(25)), beside("access.log", 20, openAs(1))),
		"truncated 1 goes on in access.log.1",
	},
	{
		"A truncated log has a copy: what is older than the log is none", seen(open(1, changed(0), known(25), madeAt(16)),
			beside("access.log.1", 15, is(1, logfile.Copy), ofSize(25)), beside("access.log", 20, openAs(1))),
		"truncated 1 15 bytes",
	},
	{
		"A truncated log has a copy: compressed", seen(open(1, changed(0), known(25)),
			beside("access.log.1.gz", 15, is(1, logfile.Copy), ofSize(-1)), beside("access.log", 20, openAs(1))),
		"truncated 1 goes on in access.log.1.gz",
	},
	{
		"A truncated log has a copy: the later one has more", seen(open(1, changed(0), known(25)),
			beside("access.log.2", 14, is(1, logfile.Copy), ofSize(20)), beside("access.log.1", 15, is(1, logfile.Copy), ofSize(25)), beside("access.log", 20, openAs(1))),
		"truncated 1 goes on in access.log.1",
	},
	{
		"A truncated log has a copy: it was empty when it was found", seen(open(1, changed(0), known(25)), open(2, superseded, unsure),
			beside("access.log.1", 15, openAs(2), is(1, logfile.Copy), ofSize(25)), beside("access.log", 20, openAs(1))),
		"truncated 1 goes on in access.log.1",
	},
	{
		"A truncated log has a copy: not itself", seen(open(1, changed(0), unsure),
			beside("access.log", 20, openAs(1), is(1, logfile.Copy), ofSize(25))),
		"truncated 1",
	},

	{
		"A copy holds nothing new", seen(open(1, changed(0)),
			beside("access.log.1", 15, is(1, logfile.Copy), ofSize(10)), beside("access.log", 20, openAs(1))),
		"note copy 1 at 10, access.log.1; truncated 1",
	},
	{
		"A copy holds nothing new: it has only the first bytes", seen(open(1, changed(0)),
			beside("access.log.1", 15, partOf(1), ofSize(4)), beside("access.log", 20, openAs(1))),
		"note copy 1 at 10, access.log.1; truncated 1",
	},
	{
		"A copy holds nothing new: after a start", seen(atStart(0), remembered(1),
			beside("access.log.1", 15, is(1, logfile.Prefix), ofSize(6)), beside("access.log", 20)),
		"note copy 1 at 10, access.log.1; search since 10; start",
	},

	{
		"An empty file becomes a copy", seen(open(1), open(2, superseded, unsure),
			beside("access.log.1", 15, openAs(2), copyOf(1)), beside("access.log", 20, openAs(1))),
		"forget 2",
	},
	{
		"An empty file becomes a copy: it is still empty", seen(open(1), open(2, superseded, unsure, neverFilled),
			beside("access.log.1", 15, openAs(2)), beside("access.log", 20, openAs(1))),
		"",
	},
	{
		"An empty file becomes a copy: it does not", seen(open(1), open(2, superseded, unsure),
			beside("access.log.1", 15, openAs(2)), beside("access.log", 20, openAs(1))),
		"sure 2",
	},
	{
		"An empty file becomes a copy: while tailflux was stopped", seen(atStart(0), remembered(1), remembered(2, neverRead),
			beside("access.log.1", 15, is(1, logfile.Copy), is(2, logfile.Same)), beside("access.log", 20)),
		"resume 1 at 10, access.log.1 behind; forget 2; search since 10; start",
	},

	{
		"An empty file becomes a copy: of a younger one, while tailflux was stopped", seen(atStart(0), remembered(1, neverRead), remembered(2),
			beside("access.log.1", 15, is(2, logfile.Copy), is(1, logfile.Same)), beside("access.log", 20)),
		"resume 2 at 10, access.log.1 behind; forget 1; search since 10; start",
	},

	{
		"An empty file becomes a copy: a compressed one", seen(open(1), open(2, superseded, unsure, compressed),
			beside("access.log.1", 15, openAs(2)), beside("access.log", 20, openAs(1))),
		"forget 2; search since 10",
	},

	{
		"A rotated log is anonymised: by another file", seen(searchSince(10), open(1, superseded), open(2),
			beside("access.log.1", 15, anonymised(1)), beside("access.log", 20, openAs(2))),
		"anonymised 1 at 10, access.log.1; searched",
	},
	{
		"A rotated log is anonymised: after it was left", seen(searchSince(10), finished(1), open(2),
			beside("access.log.1", 15, anonymised(1), hasInodeOf(1)), beside("access.log", 20, openAs(2))),
		"anonymised 1 at 10, access.log.1; searched",
	},
	{
		"A rotated log is anonymised: a copy of the one at the path, of which not all is read", seen(searchSince(10), open(1),
			beside("access.log.1", 15, anonymised(1)), beside("access.log", 20, openAs(1))),
		"begin access.log.1 behind; searched",
	},
	{
		"A rotated log is anonymised: in its place, after it was left", seen(regrown(1), finished(1), open(2),
			beside("access.log.1", 15, anonymised(1), hasInodeOf(1)), beside("access.log", 20, openAs(2))),
		"anonymised 1 at 10, access.log.1; unwatch 1",
	},
	{
		"A rotated log is anonymised: that is known", seen(searchSince(10), finished(1), open(2),
			beside("access.log.1", 15, anonymised(1), holdsAll(1)), beside("access.log", 20, openAs(2))),
		"searched",
	},
	{
		"A rotated log is anonymised: and was empty when it was found", seen(finished(1), open(2), open(3, superseded, unsure),
			beside("access.log.1", 15, anonymised(1), openAs(3)), beside("access.log", 20, openAs(2))),
		"forget 3",
	},
	{
		"tailflux is started again", seen(atStart(0), remembered(1), beside("access.log", 10, is(1, logfile.Same))),
		"resume 1 at 10, access.log; search since 10; start",
	},
	{
		"tailflux is started again: not all destinations got the same", seen(atStart(0), remembered(1, ahead("raw", 30), ahead("site", 15)),
			beside("access.log", 10, is(1, logfile.Same))),
		"resume 1 at 10, raw at 30, site at 15, access.log; search since 10; start",
	},
	{
		"tailflux is started again: the log was shortened", seen(atStart(0), remembered(1, ahead("raw", 30), ahead("site", 15)),
			beside("access.log", 10, is(1, logfile.Same), shortened(20))),
		"resume 1 at 10, site at 15, access.log; search since 10; start",
	},
	{
		"tailflux is started again: the log was shortened, and one before it is not delivered", seen(atStart(0), remembered(1), remembered(2, ahead("raw", 30)),
			beside("access.log.1", 10, is(1, logfile.Same)), beside("access.log", 20, is(2, logfile.Same), shortened(20))),
		"resume 1 at 10, access.log.1 behind; resume 2 at 10, access.log; search since 10; start",
	},
	{"tailflux is started again: for the first time", seen(atStart(0)), "start"},
	{
		"tailflux is started again: after a rotation", seen(atStart(0), remembered(1), beside("access.log.1.gz", 10, is(1, logfile.Copy)), beside("access.log", 20)),
		"resume 1 at 10, access.log.1.gz behind; search since 10; start",
	},
	{
		"tailflux is started again: after a rotation, and what is older than the log is no copy of it", seen(atStart(2), remembered(1, bornAtMinute(11)),
			beside("access.log.1.gz", 10, is(1, logfile.Copy)), beside("access.log", 20)),
		"lose 1; search since 10; start",
	},
	{
		"tailflux is started again: with two files", seen(atStart(0), remembered(1), remembered(2),
			beside("access.log.1", 10, is(1, logfile.Same)), beside("access.log", 20, is(2, logfile.Same))),
		"resume 1 at 10, access.log.1 behind; resume 2 at 10, access.log; search since 10; start",
	},
	{
		"tailflux is started again: the log was restored", seen(atStart(0), func(l *look) {
			remembered(1)(l)
			l.Ledger.Open[0].Before = logfile.Sum{Length: 4}
		}, beside("access.log", 20, is(1, logfile.Copy))),
		"resume 1 at 10, access.log; search since 10; start",
	},
	{
		"tailflux is started again: two files begin like the one that is looked for", seen(atStart(0), remembered(1),
			beside("access.log.2", 12, is(1, logfile.Copy)), beside("access.log.1", 14, is(1, logfile.Copy)), beside("access.log", 20)),
		"resume 1 at 10, access.log.2 behind; search since 10; start",
	},
	{
		"tailflux is started again: a copy and its copy", seen(atStart(0), remembered(1),
			beside("access.log.2", 12, is(1, logfile.Copy), within("access.log.1")), beside("access.log.1", 14, is(1, logfile.Copy)), beside("access.log", 20)),
		"resume 1 at 10, access.log.1 behind; search since 10; start",
	},
	{
		"tailflux is started again: what is left of a file without a head is a copy of another one", seen(atStart(2), remembered(1), remembered(2, size(0), headless),
			beside("access.log.2", 12, is(1, logfile.Same)), beside("access.log.1", 14, is(2, logfile.Same), copyOfFile("access.log.2")), beside("access.log", 20)),
		"resume 1 at 10, access.log.2 behind; lose 2; search since 10; start",
	},
	{
		"tailflux is started again: one file begins like two", seen(atStart(0), remembered(1), remembered(2),
			beside("access.log.2", 12, is(1, logfile.Same)), beside("access.log.1", 14, is(1, logfile.Copy), is(2, logfile.Same)), beside("access.log", 20)),
		"resume 1 at 10, access.log.2 behind; resume 2 at 10, access.log.1 behind; search since 10; start",
	},
	{
		"tailflux is started again: the log begins like an older one that goes on", seen(atStart(0), remembered(1), remembered(2),
			beside("access.log.1", 10, is(1, logfile.Same)), beside("access.log", 20, is(2, logfile.Same), within("access.log.1"))),
		"resume 1 at 10, access.log.1 behind; resume 2 at 10, access.log; search since 10; start",
	},
	{
		"tailflux is started again: an older file is back at the path", seen(atStart(0), remembered(1), remembered(2),
			beside("access.log", 10, is(1, logfile.Same)), beside("access.log.1", 20, is(2, logfile.Same))),
		"resume 1 at 10, access.log; resume 2 at 10, access.log.1 behind; search since 10; start",
	},
	{
		"tailflux is started again: with nothing at the path", seen(atStart(0), missing(-1), remembered(1), beside("access.log.1", 10, is(1, logfile.Same))),
		"resume 1 at 10, access.log.1; search since 10; start",
	},

	{
		"Part of a log is lost", seen(atStart(2), remembered(1, size(25)), beside("access.log", 20)),
		"lose 1 15 bytes; search since 10; start",
	},
	{
		"Part of a log is lost: its copy may not be there yet", seen(atStart(1), remembered(1, size(25)), beside("access.log", 20)),
		"again",
	},
	{
		"Part of a log is lost: truncated", seen(open(1, changed(0), known(25)), beside("access.log.1", 15), beside("access.log", 20, openAs(1))),
		"truncated 1 15 bytes",
	},

	{"A log was deleted", seen(atStart(2), remembered(1), beside("access.log", 20)), "lose 1; search since 10; start"},
	{
		"A log was deleted: and another one begins like it", seen(atStart(2), remembered(1), beside("access.log", 20, is(1, logfile.Copy))),
		"lose 1; search since 10; start",
	},
	{
		"A log was deleted: and another one that was read begins like it", seen(atStart(2), remembered(1), finished(9),
			beside("access.log.1", 12, is(1, logfile.Copy), holdsAll(9)), beside("access.log", 20)),
		"lose 1; search since 10; start",
	},
	{"A log was deleted: that was always empty", seen(atStart(2), remembered(1, neverRead), beside("access.log", 20)), "lose 1; search since 10; start"},
	{
		"A log was deleted: that was always empty, and is perhaps a compressed one now", seen(atStart(2), remembered(1, neverRead),
			beside("access.log.1.gz", 12, ofSize(-1)), beside("access.log", 20)),
		"lose 1 silently; search since 10; start",
	},
	{
		"A log was deleted: that was always empty, and another one is plain", seen(atStart(2), remembered(1, neverRead),
			beside("access.log.1", 12), beside("access.log", 20)),
		"lose 1; search since 10; start",
	},
	{
		"A log was deleted: that was always empty, and another one that was compressed was read", seen(atStart(2), remembered(1, neverRead), finished(9),
			beside("access.log.1.gz", 12, ofSize(-1), holdsAll(9)), beside("access.log", 20)),
		"lose 1; search since 10; start",
	},

	{"Nothing is at the path", seen(missing(-1), open(1), beside("access.log.1", 10, openAs(1))), "searched; missing"},
	{"Nothing is at the path: and it has just been looked for", seen(missing(100), open(1)), ""},
	{
		"Nothing is at the path: a file came, and was rotated", seen(missing(98), open(1), beside("access.log.2", 10, openAs(1)), beside("access.log.1", 20)),
		"begin access.log.1 behind; searched; missing",
	},
	{"Nothing is at the path: and never was", seen(missing(-1)), ""},
	{"Nothing is at the path: nor in its directory, after a start", seen(atStart(2), missing(-1), bare, remembered(1)), "wait"},
	{"Nothing is at the path: nor in its directory, and nothing is expected", seen(atStart(2), missing(-1), bare, finished(1)), "search since 10; start"},
	{"Nothing is at the path: nor in its directory, and reading ends at once", seen(atStart(2), missing(-1), bare, remembered(1), once), "lose 1; search since 10; start"},
	{"Nothing is at the path: but other files are there, after a start", seen(atStart(2), missing(-1), remembered(1)), "lose 1; search since 10; start"},
	{
		"Nothing is at the path: it is back", seen(wasMissing, open(1), beside("access.log.1", 10, openAs(1)), beside("access.log", 20)),
		"supersede 1; searched; begin access.log; is back",
	},

	{
		"A file cannot be read", seen(open(1), beside("access.log.1", 10, openAs(1)), beside("access.log", 20, refused)),
		"refused since 10",
	},
	{
		"A file cannot be read: a rotated one that nobody has read", seen(open(1),
			beside("access.log.2", 10, openAs(1)), beside("access.log.1", 15, refused), beside("access.log", 20)),
		"supersede 1; refused since 10; begin access.log",
	},
	{
		"A file cannot be read: and later it can", seen(searchSince(10), open(1, superseded), open(2, asOf(50)),
			beside("access.log.2", 10, openAs(1)), beside("access.log.1", 15), beside("access.log", 20, openAs(2))),
		"begin access.log.1 behind; searched",
	},
	{
		"A file cannot be read: and tailflux was started again meanwhile", seen(atStart(0), ledgerSearchSince(5), remembered(1), beside("access.log", 20, is(1, logfile.Same))),
		"resume 1 at 10, access.log; search since 5; start",
	},
	{
		"A file cannot be read: and never will, after a start", seen(atStart(2), remembered(1), beside("access.log.1", 15, noText, is(1, logfile.Same)), beside("access.log", 20)),
		"lose 1; search since 10; start",
	},
	{"A file cannot be read: the log, after a start", seen(atStart(0), remembered(1), beside("access.log", 20, refused)), "wait"},
	{"A file cannot be read: what is left of the log, after a start", seen(atStart(0), remembered(1),
		beside("access.log.1", 10, hasInodeOf(1), refused), beside("access.log", 20)), "wait"},
	{"A file cannot be read: perhaps what is left of the log, compressed", seen(atStart(2), remembered(1),
		beside("access.log.1.gz", 10, refused), beside("access.log", 20)), "wait"},
	{
		"A file cannot be read: compressed, and another one is what is left of the log", seen(atStart(0), remembered(1),
			beside("access.log.2.gz", 10, is(1, logfile.Copy)), beside("access.log.1.gz", 12, refused), beside("access.log", 20)),
		"resume 1 at 10, access.log.2.gz behind; search since 10; start",
	},

	{"A file cannot be read: never yet, and it is where it was", seen(awaits(0), isAwaited), "begin what is there first"},
	{
		"A file cannot be read: never yet, and was rotated", seen(awaits(0), beside("access.log.1", 20), beside("access.log", 30)),
		"begin access.log.1 behind; searched; lose 0 silently 20 bytes; begin access.log first",
	},
	{
		"A file cannot be read: never yet, nor can it where it is now", seen(awaits(0), beside("access.log.1", 20, refused), beside("access.log", 30)),
		"refused since 10; begin access.log first",
	},
	{
		"A file cannot be read: never yet, nor can the next one", seen(awaits(0), beside("access.log.1", 20), beside("access.log", 30, refused)),
		"begin access.log.1 behind; refused since 10",
	},
	{
		"A file cannot be read: never yet, and the next one is read", seen(awaits(0), searchSince(10), open(1), beside("access.log.1", 20), beside("access.log", 30, openAs(1))),
		"begin access.log.1 behind; searched; lose 0 silently 20 bytes",
	},
	{
		"A file cannot be read: never yet, and it is called otherwise", seen(awaits(0), beside("access.old-log", 20, anothers), beside("access.log", 30)),
		"begin access.old-log behind; searched; lose 0 silently 20 bytes; begin access.log first",
	},
	{
		"A file cannot be read: never yet, and others came after it", seen(awaits(1), beside("access.log.3", 9), beside("access.log.2", 20), beside("access.log.1", 30), beside("access.log", 40)),
		"begin access.log.2 behind; begin access.log.1 behind; searched; lose 0 silently 20 bytes; begin access.log first",
	},
	{
		"A file cannot be read: never yet, and what was there before it is still written to", seen(awaits(1), beside("access.log.2", 20, bornAt(4)), beside("access.log.1", 30), beside("access.log", 40)),
		"begin access.log.1 behind; searched; lose 0 silently 20 bytes; begin access.log first",
	},
	{
		"A file cannot be read: never yet, and was compressed", seen(awaits(9), beside("access.log.1.gz", 20, bornAt(20)), beside("access.log", 30)),
		"begin access.log.1.gz behind; searched; lose 0 silently 20 bytes; begin access.log first",
	},
	{
		"A file cannot be read: never yet, and was compressed, and the next one cannot be opened", seen(awaits(9), beside("access.log.1.gz", 20, bornAt(20)), beside("access.log", 30, refused)),
		"begin access.log.1.gz behind; refused since 10; lose 0 silently 20 bytes",
	},
	{
		"A file cannot be read: never yet, and was truncated", seen(awaits(1, isShortened), beside("access.log.1", 20), beside("access.log", 30)),
		"begin access.log.1 behind; searched; lose 0 silently 20 bytes; begin access.log first",
	},
	{
		"A file cannot be read: never yet, and was truncated when nothing was seen in it", seen(awaits(1, isShortened, isEmpty), beside("access.log", 30)),
		"searched; lose 0 silently; begin access.log first",
	},
	{"A file cannot be read: never yet, and is gone", seen(awaits(9), beside("access.log", 30)), "again"},
	{
		"A file cannot be read: never yet, and is still gone", seen(awaits(9), sawTheSame(2), beside("access.log", 30)),
		"searched; lose 0 20 bytes; begin access.log first",
	},
	{
		"A file cannot be read: never yet, and it was imported", seen(awaits(0), beside("access.log.1", 20, imported), beside("access.log", 30)),
		"searched; lose 0 silently 20 bytes; begin access.log first",
	},
	{
		"A file cannot be read: never yet, and nobody knows whether there was one", seen(awaits(9, isUnknown), beside("access.log.1", 20), beside("access.log", 30)),
		"begin access.log.1 behind; searched; lose 0 silently; begin access.log first",
	},
	{
		"A file cannot be read: never yet, and nobody knows whether there was one, and nothing came after it", seen(awaits(9, isUnknown), beside("access.log.1", 9), beside("access.log", 30)),
		"searched; lose 0 silently; begin access.log first",
	},
	{"A file cannot be read: never yet, and nothing is at the path now", seen(awaits(9), missing(-1)), "searched; missing"},
	{
		"A file cannot be read: never yet, and nothing is at the path now, and it is beside it", seen(awaits(0), missing(-1), beside("access.log.1", 20)),
		"begin access.log.1 behind; searched; missing",
	},
	{"A file cannot be read: never yet, and after a start", seen(atStart(0), awaits(0), beside("access.log.1", 20), beside("access.log", 30)), "start"},
	{"A file cannot be read: never yet, nor could a day, before the start", seen(atStart(0), ledgerSearchSince(5)), "search since 5; start"},

	{
		"A file comes back", seen(open(1, superseded), open(2), beside("access.log.1", 20, openAs(2)), beside("access.log", 10, openAs(1))),
		"supersede 2; back 1",
	},
	{
		"A file comes back: it was read to its end", seen(open(2), finished(1),
			beside("access.log.1", 10, openAs(2)), beside("access.log", 20, is(1, logfile.Same))),
		"supersede 2; searched; resume 1 at 10, access.log",
	},
	{
		"A file comes back: it is left, and not acknowledged", seen(open(2), remembered(1, left),
			beside("access.log.1", 10, openAs(2)), beside("access.log", 20, is(1, logfile.Same))),
		"supersede 2; searched; resume 1 at 20, access.log",
	},
	{
		"A file comes back: as a copy", seen(open(2), finished(1),
			beside("access.log.1", 10, openAs(2)), beside("access.log", 20, is(1, logfile.Copy))),
		"supersede 2; searched; begin access.log",
	},
	{
		"A file comes back: it was lost", seen(wasMissing, finished(1, lost), beside("access.log", 10, is(1, logfile.Same))),
		"searched; resume 1 at 10, access.log first; is back",
	},
	{
		"A file comes back: a copy of one that was lost", seen(open(2), finished(1, lost),
			beside("access.log.1", 10, openAs(2)), beside("access.log", 20, is(1, logfile.Copy))),
		"supersede 2; searched; resume 1 at 10, access.log",
	},
	{
		"A file comes back: less of one that was lost", seen(open(2), finished(1, lost),
			beside("access.log.1", 10, openAs(2)), beside("access.log", 20, is(1, logfile.Prefix))),
		"supersede 2; searched; begin access.log",
	},
	{
		"A file comes back: it was lost, and is beside the log", seen(restarted, searchSince(10), open(2), finished(1, lost),
			beside("access.log.1", 15, is(1, logfile.Same), holdsAll(1)), beside("access.log", 20, openAs(2))),
		"resume 1 at 10, access.log.1 behind; searched",
	},
	{
		"A file comes back: a copy of one that was lost is beside the log", seen(restarted, searchSince(10), open(2), finished(1, lost),
			beside("access.log.1", 15, is(1, logfile.Copy)), beside("access.log", 20, openAs(2))),
		"resume 1 at 10, access.log.1 behind; searched",
	},
	{
		"A file comes back: copies of one that was lost are beside the log, and the later has more", seen(restarted, searchSince(10), open(2), finished(1, lost),
			beside("access.log.2", 12, is(1, logfile.Copy), within("access.log.1")), beside("access.log.1", 15, is(1, logfile.Copy)), beside("access.log", 20, openAs(2))),
		"resume 1 at 10, access.log.1 behind; searched",
	},
	{
		"A file comes back: a copy of another one that begins like one that was lost", seen(restarted, searchSince(10), open(2), finished(1, lost), finished(9),
			beside("access.log.1", 15, is(1, logfile.Copy), holdsAll(9)), beside("access.log", 20, openAs(2))),
		"searched",
	},

	{
		"The clock was wrong", seen(open(1, asOf(10)), finished(9, writtenAt(200)),
			beside("access.log.2", 10, openAs(1)), beside("access.log.1", 15), beside("access.log", 20)),
		"supersede 1; begin access.log.1 behind; searched; begin access.log",
	},
	{
		"The clock was wrong: for all files", seen(open(1, asOf(200)),
			beside("access.log.1", 15), beside("access.log.2", 200, openAs(1)), beside("access.log", 210)),
		"supersede 1; searched; begin access.log",
	},
	{
		"The clock was wrong: by a little", seen(open(1, func(f *scene.Held) { f.AsOf = minute(100).Add(40 * time.Second) }), finished(9),
			beside("access.log.1", 15), beside("access.log.2", 100, openAs(1)), beside("access.log", 20)),
		"supersede 1; begin access.log.1 behind; searched; begin access.log",
	},
	{
		"The clock was wrong: for all files, and it is known when the last of them was made", seen(open(1, asOf(200), madeAt(12)),
			beside("access.log.3", 11), beside("access.log.1", 15), beside("access.log.2", 200, openAs(1)), beside("access.log", 210)),
		"supersede 1; begin access.log.1 behind; searched; begin access.log",
	},
	{
		"The clock was wrong: when all files were made, too", seen(open(1, asOf(200), madeAt(190)),
			beside("access.log.1", 15), beside("access.log.2", 200, openAs(1)), beside("access.log", 210)),
		"supersede 1; searched; begin access.log",
	},
	{
		"The clock was wrong: and the log was copied and truncated", seen(open(1, asOf(200), unsearched), finished(9),
			beside("access.log.1", 15), beside("access.log", 200, openAs(1))),
		"begin access.log.1 behind; searched",
	},
}

func TestFates(t *testing.T) {
	for _, tt := range fates {
		t.Run(tt.name, func(t *testing.T) {
			if quiet := tt.scene.IsQuiet(); quiet && tt.want != "" {
				t.Errorf("IsQuiet = true, want %s to be decided", tt.want)
			}
			if got := tt.scene.written(scene.Decide(&tt.scene.Scene)); got != tt.want {
				t.Errorf("Decide = %q, want %q", got, tt.want)
			}
		})
	}
}

// The names of the table are the headings of what operators read.
func TestFatesAreHeadings(t *testing.T) {
	text, err := os.ReadFile("../../docs/following.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begun := strings.Cut(string(text), "\n## What can happen")
	chapter, _, ended := strings.Cut(rest, "\n## ")
	if !begun || !ended {
		t.Fatal("docs/following.md has no chapter of what can happen, or nothing behind it")
	}
	var headings []string
	for _, m := range regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(chapter, -1) {
		headings = append(headings, m[1])
	}
	var rows []string
	for _, tt := range fates {
		heading, _, _ := strings.Cut(tt.name, ":")
		rows = append(rows, heading)
	}
	if rows = slices.Compact(rows); !slices.Equal(rows, headings) {
		t.Errorf("rows %q\nwant the headings of docs/following.md in their order: %q", rows, headings)
	}
}

// Nobody may take what was read for long, and a file that is to be closed stays open.
func TestCopiesAreLookedForOnce(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{false, true} {
		l := seen(open(1, superseded, idle, deleted), open(2), beside(logPath, 20, openAs(2)))
		l.Open[0].Noted = again
		if l.NeedsList() == again {
			t.Errorf("looked for before: %v, listed: %v", again, !again)
		}
	}
}
