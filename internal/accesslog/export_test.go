package accesslog

// Number and CountList, and what they are without haste.
var (
	Number     = number
	ManyDigits = manyDigits

	CountList  = countList
	NextOfList = nextOfList
)

// WithoutReady makes an encoder look for each tag of each line.
func WithoutReady(e *Encoder) {
	for i := range e.runs {
		e.runs[i].memo = nil
	}
}
