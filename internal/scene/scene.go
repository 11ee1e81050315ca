// Package scene decides what has become of a log. It looks at nothing itself: a Scene is
// what one look at a log has seen, Evidence compares contents when that is asked, and
// Decide says what follows. There is no I/O, no clock and no log here, so that each fate
// of a file is a row of a table, and a scene that was kept can be decided again.
//
//	scene.go        what is seen, and what can be done
//	decide.go       what follows, step by step
//	restart.go      where to continue after a start
//	truncations.go  files that hold something else than what was read of them
//	arrivals.go     files that came to the path, or have grown after they were left
//	awaited.go      the file that nobody could open yet
//	since.go        from when on files may hold something that nobody has seen
//	leaves.go       files that are closed
//
// docs/following.md says the same in an operator's words.
package scene

import (
	"fmt"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// A Scene is what one look at a log has seen: facts, and nothing that was concluded from
// them.
type Scene struct {
	Now        time.Time
	Ledger     checkpoint.Source `json:"-"` // a copy
	RotateWait time.Duration
	Once       bool
	Dated      bool // the file of another day has another name

	Started     bool      // the source knows where to continue
	Restarted   bool      // files that were rotated before the start are still to be looked for
	Path        There     // what is at the path
	Open        []Held    // the open files, in the order of their generations
	Beside      []Beside  // the file at the path and those beside it, the oldest first; nil if they were not listed
	AtPath      time.Time // when the newest file was last seen at the path; zero: not since the start
	Missed      time.Time // when files were last looked for because nothing is at the path; zero when something was
	SearchSince time.Time `json:"Unsettled"` // what is not older is still to be looked for; zero: nothing is
	Unlisted    error     `json:"-"`         // why the directory of the log cannot be listed; at a start
	Bare        bool      // it has nothing in it, or is not there: perhaps a volume is still to be mounted; at a start
	Agreed      int       // how often this look saw the same already
	Regrown     []int64   // generations whose files have grown since they were left
	Emptied     []int64   // of these, those whose files were emptied before that

	Evidence `json:"-"`
}

// There is what is at the path.
type There struct {
	Missing bool
	Trouble error `json:"-"` // why it cannot be read, also if it is missing
	Held    int64 // the generation as which it is open; 0: none
	File    int   // its place in Beside; -1: none
	Awaited bool  // it is the file that the ledger awaits, and was not shortened
}

// Held is an open file.
type Held struct {
	checkpoint.Generation       // as if all that was read of it had been acknowledged
	Holds                 bool  // all that was read of it is still there
	Kept                  int64 // if not: how much of it, up to a newline
	Known                 int64 // the largest size that it is known to have had
	Empty                 bool  // it never had a byte
	Superseded            bool  // another file is, or was, at the path after it
	Unsure                bool  // it was empty when it was found beside the log
	Unsearched            bool  // it may have been copied and truncated after AsOf
	Packed                bool
	Compressed            bool          // although it was opened as a plain file, when it was empty
	Deleted               bool          // it has no name any more
	Noted                 bool          // its copies were looked for since then
	Told                  bool          // that it is still written to
	Idle                  bool          // there is nothing more to read of it
	Grown                 time.Time     // when it was last seen to be longer, or superseded
	Late                  time.Duration // how long after it was superseded it was seen to be longer
	AsOf                  time.Time     // its time at the end of the last look
}

// Beside is a file at the path or beside it.
type Beside struct {
	Path     string
	Modified time.Time
	Inode    logfile.Inode // without its birth
	Rotated  bool          // it is called as rotated files of this log are
	Maybe    bool          // it is not, but perhaps it is one
	Renamed  bool          // it is called as logrotate's renamecopy calls one for a while
	AtPath   bool          // it is what is at the path, under whatever name
	Nameless bool          // it is one that was left, or is open, and nobody has a name for it
	Held     int64         // the generation as which it is open; 0: none
}

// Evidence compares contents. Files are named by their place in Beside. An answer may
// take time: the file is opened, and read.
type Evidence interface { //nolint:interfacebloat // each is a question of its own
	// Trouble is why a file cannot be opened, nil if it can.
	Trouble(file int) error
	// Born is the inode of a file, with its birth, which a listing does not tell.
	Born(file int) logfile.Inode
	// Size is that of the uncompressed bytes; -1: nobody knows.
	Size(file int) int64
	// Is reports how sure it is that a file is what was read as a generation, up to
	// where that was read.
	Is(file int, g *checkpoint.Generation) logfile.Identity
	// HoldsAll reports whether a file is, or is a copy of, a generation that is read,
	// and has nothing more in it.
	HoldsAll(file int, g *checkpoint.Generation) bool
	// Copies reports whether a file is a copy of an open one, with nothing else in it.
	Copies(file int, open int64) bool
	// CopyOf reports the same of one that is about to be opened.
	CopyOf(file, other int) bool
	// IsPart reports whether a file holds less than the first bytes that were read of an
	// open one, and begins like it.
	IsPart(file int, open int64) bool
	// Within reports whether all of a file is in another one, too.
	Within(file, other int) bool
	// Agrees reports whether a file has all that was read of an open one, and both are alike
	// byte for byte as far as they go; and from where on it has lines that the open one has
	// not.
	Agrees(file int, open int64) (from int64, ok bool)
	// Anonymised is the generation that a file is but for addresses, which somebody has taken out
	// of it: one that is open, or was left not long ago. 0: it is none.
	Anonymised(file int) int64
	// Imported reports whether all of a file was imported.
	Imported(file int) bool
}

// An Action is what is to be done, and why.
type Action struct {
	Do     Deed
	ID     int64                 // of the generation; of Lose 0: the file that the ledger awaits
	File   int                   // of the file, by its place in Beside
	Offset int64                 // of Begin: where the file is read from
	Since  time.Time             // of Search, Searched, Truncated and CannotOpen
	Bytes  int64                 // of Lose, and of Truncated if something is lost
	Why    string                // of Lose; "": nobody misses it
	Err    error                 `json:"-"` // of Wait, CannotOpen and Unreadable
	Behind bool                  // of Begin, Resume: another file is at the path
	First  bool                  // of Begin, Resume: nothing was read at the path before
	Prior  checkpoint.Generation // of Resume, NoteCopy and Anonymised
}

// Deed is a kind of action.
type Deed int

// Deeds.
const (
	Wait       Deed = iota // nothing can be said yet
	LookAgain              // look once more, at once
	Start                  // the source knows where to continue
	Begin                  // read a file from its beginning, as a new generation
	Resume                 // continue with a generation in a file
	Supersede              // another file is at the path than the newest one
	Back                   // an older file is at the path again
	Truncated              // something else is in an open file; the rest may be in a copy
	NoteCopy               // a file holds nothing that was not read
	Anonymised             // the same; addresses were taken out of it
	Lose                   // a generation's file cannot be found any more
	Forget                 // a generation has turned out to be none
	Sure                   // a file is not a copy
	Leave                  // close a file if one more read finds nothing
	Missing                // nothing is at the path
	IsBack                 // something is at the path again
	Search                 // files not older than since are still to be looked for
	Searched               // they were
	CannotOpen             // a file that may have to be read cannot be opened
	Late                   // a file is still written to, long after another one came to the path
	Unreadable             // a file that may be one of this log's is not read
	Unwatch                // a file that was left is not to be looked at any more
)

var deeds = [...]string{
	"wait", "again", "start", "begin", "resume", "supersede", "back", "truncated", "note copy", "anonymised", "lose", "forget", "sure",
	"leave", "missing", "is back", "search", "searched", "refused", "late", "unreadable", "unwatch",
}

func (d Deed) String() string { return deeds[d] }

// MarshalText writes a deed as it is called.
func (d Deed) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText has written.
func (d *Deed) UnmarshalText(text []byte) error {
	i := slices.Index(deeds[:], string(text))
	if i < 0 {
		return fmt.Errorf("there is no deed %q", text)
	}
	*d = Deed(i)
	return nil
}
