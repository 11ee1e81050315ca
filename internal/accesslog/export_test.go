package accesslog

// Number and CountList, and what they are without haste.
var (
	Number     = number
	ManyDigits = manyDigits

	CountList  = countList
	NextOfList = nextOfList

	IsSame = isSame
)

// WithoutReady makes an encoder look for each tag of each line.
func WithoutReady(e *Encoder) {
	for i := range e.runs {
		e.runs[i].memo = nil
	}
}

// WithoutWords makes an encoder look at each byte of the numbers of fields.
func WithoutWords(e *Encoder) {
	for i := range e.fields {
		e.fields[i].number = noNumber8
	}
}
