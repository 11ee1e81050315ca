package config

import (
	"math"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// Nearest returns the one of the known names that was probably meant by name, by
// the rules that messages about unknown keys follow; "" if none is near.
func Nearest(name string, known []string) string {
	name = strings.ToLower(name)
	if all, ok := strings.CutSuffix(name, "db"); ok && all != "influx" {
		name = all + "database"
	}
	best, least := "", math.MaxInt
	for _, candidate := range known {
		d, ok := distance(name, candidate)
		if !ok && name != "" && strings.HasSuffix(candidate, "-"+name) {
			d, ok = len(candidate), true // its last word
		}
		if ok && d < least {
			best, least = candidate, d
		}
	}
	return best
}

// madeByContainers matches variables that Docker and Kubernetes make for a service
// that is called tailflux, or begins so.
var madeByContainers = lazyregexp.New(`_SERVICE_(HOST|PORT)|_PORT$|_PORT_\d+_(TCP|UDP)|_ENV_`)

// A Misnomer is a variable that sets nothing, and what was probably meant.
type Misnomer struct {
	Name  string
	Meant string // a variable, or a remedy
}

// Misnomers returns the variables of environ, as [os.Environ] has it, that look as
// if they should set a key and do not.
func Misnomers(environ []string) (all []Misnomer) {
	var known, words []string
	for _, key := range flatKeys() {
		known = append(known, variable(key))
		words = append(words, strings.ToLower(strings.TrimPrefix(variable(key), prefix)))
	}
	onlyInFile := deepKeys()
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		word, ours := strings.CutPrefix(name, prefix)
		if !ours || slices.Contains(known, name) || madeByContainers().MatchString(name) {
			continue
		}
		switch {
		case word == "CONFIG":
			all = append(all, Misnomer{name, "use the flag --config"})
		case slices.Contains(onlyInFile, strings.ToLower(word)):
			all = append(all, Misnomer{name, "only the configuration file can set " + strings.ToLower(word)})
		default:
			about := strings.HasPrefix(word, "INFLUXDB_") || strings.HasPrefix(word, "INFLUX_")
			near := Nearest(word, words)
			if !about && strings.Contains(near, strings.ToLower(word)) && 4*len(word) < 3*len(near) {
				near = "" // part of a key, but TAILFLUX_TIME means none
			}
			switch {
			case near != "":
				all = append(all, Misnomer{name, "did you mean " + prefix + strings.ToUpper(near) + "?"})
			case about:
				all = append(all, Misnomer{name, "tailflux help config lists the settings"})
			}
		}
	}
	slices.SortFunc(all, func(a, b Misnomer) int { return strings.Compare(a.Name, b.Name) })
	return all
}

const prefix = "TAILFLUX_"

// flatKeys are the keys that flags and variables can set.
func flatKeys() (keys []string) {
	return append(keysOfKind(settings, false), keysOfKind(sourceSettings, false)...)
}

// deepKeys are the keys that only the file can set.
func deepKeys() (keys []string) { return append(keysOfKind(settings, true), "sources") }

func keysOfKind[T any](rows []setting[T], deep bool) (keys []string) {
	for _, row := range rows {
		if row.deep == deep {
			keys = append(keys, row.key)
		}
	}
	return keys
}
