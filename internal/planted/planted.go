// Package planted holds the list of bugs that can be planted into tailflux, one
// at a time, with the build tag planted, to prove that its tests find them. In
// every other build there are none, and the compiler leaves them out.
package planted

// A Bug is a mistake that somebody could make.
type Bug string

// Bugs of following files, which the model of package tail finds.
const (
	InodeAlone           Bug = "identity by inode alone"
	NoFinalRead          Bug = "no final read before leaving"
	NoRotateWait         Bug = "leaving without rotate_wait"
	SavedBeforeAck       Bug = "offset saved before acknowledgement"
	LineNumberNotSaved   Bug = "line number not saved"
	TruncationBySizeOnly Bug = "truncation seen by size only"
	TailNotRecovered     Bug = "tail of a copy not recovered"
	HalfLineDelivered    Bug = "half line delivered"
	FingerprintNotGrown  Bug = "fingerprint not grown"
	PackedOffsetIgnored  Bug = ".gz offset ignored"
	FinishedForgotten    Bug = "a finished generation forgotten"
	StartNotSaved        Bug = "start position not saved"
)

// Bugs of delivery, which the crash run of package e2e finds.
const (
	StampsFromClock     Bug = "stamps from the clock"
	CheckpointBeforeAck Bug = "checkpoint before acknowledgement"
	PageIsSuccess       Bug = "200 taken for success"
	DroppedBelieved     Bug = "bisect that trusts dropped="
	RejectsAppended     Bug = "rejects appended on replay"
)

// Delivery returns the bugs of delivery.
func Delivery() []Bug {
	return []Bug{StampsFromClock, CheckpointBeforeAck, PageIsSuccess, DroppedBelieved, RejectsAppended}
}

// Following returns the bugs of following files.
func Following() []Bug {
	return []Bug{
		InodeAlone, NoFinalRead, NoRotateWait, SavedBeforeAck, LineNumberNotSaved, TruncationBySizeOnly,
		TailNotRecovered, HalfLineDelivered, FingerprintNotGrown, PackedOffsetIgnored, FinishedForgotten, StartNotSaved,
	}
}
