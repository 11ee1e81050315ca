package config

import "slices"

// Changed lists the keys of which two configurations have different values. What is in the
// files that they name is not compared. The list is not nil.
func Changed(was, now *Config) []string {
	keys := []string{}
	if !slices.Equal(was.Sources, now.Sources) {
		keys = append(keys, "sources")
	}
	for _, row := range settings {
		if row.get(was).yaml() != row.get(now).yaml() {
			keys = append(keys, row.key)
		}
	}
	return keys
}
