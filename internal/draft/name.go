package draft

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// name gives each source a name of its own: the name of its file; where several files
// are called alike, the server that alone logs to it, or the directory too.
func name(all []Source) {
	alike := map[string]int{}
	for _, s := range all {
		alike[base(s)]++
	}
	taken := map[string]bool{}
	for i := range all {
		s := &all[i]
		candidates := []string{base(*s)}
		if alike[base(*s)] > 1 {
			candidates = []string{filepath.Base(filepath.Dir(s.Path)) + "/" + base(*s)}
			if len(s.Servers) == 1 && plain().MatchString(s.Servers[0]) {
				candidates = append(s.Servers[:1:1], candidates...)
			}
		}
		s.Name = candidates[0]
		for n := 1; taken[s.Name] || s.Name != base(*s) && alike[s.Name] > 0; n++ {
			if n < len(candidates) {
				s.Name = candidates[n]
			} else {
				s.Name = fmt.Sprintf("%s %d", base(*s), n)
			}
		}
		taken[s.Name] = true
	}
}

var (
	plain    = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)
	wildcard = lazyregexp.New(`[-_.]*\*[-_]*`)
)

// base is the name of the file of a source, without its wildcards.
func base(s Source) string {
	name := filepath.Base(s.Path)
	if !strings.Contains(name, "*") {
		return strings.ReplaceAll(name, ":", "_") // a : is for the files of a glob
	}
	name = strings.Trim(wildcard().ReplaceAllString(name, ""), "-_.")
	if name == "" || name == strings.TrimPrefix(filepath.Ext(s.Path), ".") {
		name = filepath.Base(strings.TrimRight(wildcard().ReplaceAllString(filepath.Dir(s.Path), ""), "/"))
	}
	return strings.ReplaceAll(name, ":", "_")
}
