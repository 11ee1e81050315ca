package write

import (
	"strconv"
	"strings"
)

// dropped is how many points InfluxDB has dropped, as it says, for
// planted.DroppedBelieved. (It stores none of a request that reaches
// max-values-per-tag, and miscounts when it has two reasons.)
func dropped(err error) int {
	_, count, _ := strings.Cut(err.Error(), "dropped=")
	n, _ := strconv.Atoi(count) // 0 when it does not say
	return n
}
