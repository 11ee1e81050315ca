package draft

import (
	"slices"
	"strings"
)

// Diff shows what differs between two texts, line by line: - is in the first alone, +
// in the second alone. Of equal lines it has those that stand near.
func Diff(a, b string) string {
	const near = 2
	was, is := strings.Split(a, "\n"), strings.Split(b, "\n")
	common := make([][]int, len(was)+1) // how many lines both have, from these on
	for i := range common {
		common[i] = make([]int, len(is)+1)
	}
	for i := range slices.Backward(was) {
		for j := range slices.Backward(is) {
			if was[i] == is[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var lines []string
	for i, j := 0, 0; i < len(was) || j < len(is); {
		switch {
		case i < len(was) && j < len(is) && was[i] == is[j]:
			lines = append(lines, "  "+was[i])
			i++
			j++
		case j == len(is) || i < len(was) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, "- "+was[i])
			i++
		default:
			lines = append(lines, "+ "+is[j])
			j++
		}
	}
	var out strings.Builder
	shown := -1
	for i, line := range lines {
		changed := false
		for _, other := range lines[max(0, i-near):min(len(lines), i+near+1)] {
			changed = changed || !strings.HasPrefix(other, "  ")
		}
		if !changed {
			continue
		}
		if shown != i-1 {
			out.WriteString("  …\n")
		}
		shown = i
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}
