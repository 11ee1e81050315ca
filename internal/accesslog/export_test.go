package accesslog

// Number and CountList, and what they are without haste.
var (
	Number     = number
	ManyDigits = manyDigits

	CountList  = countList
	NextOfList = nextOfList
)
