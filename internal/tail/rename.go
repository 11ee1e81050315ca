package tail

import (
	"maps"
	"slices"
)

// name gives logs that are known and not followed yet the names that they are to have, all
// at once and before the first look at one of them: what is known of a log goes with its
// path, as in [Reader.Reconfigure]. Only a log of which nothing is known at its path is what
// had its name.
func (r *Reader) name() {
	if r.named {
		return
	}
	r.named, r.was = true, map[string]string{}
	used, configured := map[string]bool{}, map[string]string{}
	for _, s := range r.sources {
		if s.opened {
			used[s.Name] = true
		} else if s.dated == nil {
			configured[s.Path] = s.Name
		}
	}
	known := r.checkpoint.Paths()
	for _, was := range slices.Sorted(maps.Keys(known)) {
		path := known[was]
		name := configured[path]
		if name == "" && was != ofGlob(path) {
			name = r.nameInGlob(path)
		}
		if name != "" && name != was && known[name] != path && !used[was] && !used[name] && r.was[name] == "" {
			r.was[name] = was
		}
	}
	names := map[string]string{}
	for name, was := range r.was {
		names[was] = name
	}
	r.checkpoint.RenameAll(names)
}

// nameInGlob is the name of a file's source if a glob matches it; "" if it is a day of a
// log, of which [Reader.unite] makes one source.
func (r *Reader) nameInGlob(path string) string {
	for _, g := range r.globs {
		if g.pattern.Matches(path) {
			if name, date := g.name(path); date == "" {
				return name
			}
			return ""
		}
	}
	return ""
}

// ofGlob is the name in the checkpoint of a glob itself.
func ofGlob(pattern string) string { return "glob " + pattern }
