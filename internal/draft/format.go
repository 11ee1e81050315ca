package draft

import (
	"fmt"
	"strings"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/nginxconf"
	"github.com/tailflux/tailflux/internal/shape"
)

// choose takes the format that most access_logs of the file have; where several have as
// many, the first.
func (s *Source) choose(logs []nginxconf.Log, o Options) (why string) {
	type use struct {
		format nginxconf.Format
		count  int
	}
	var uses []use
	for _, log := range logs {
		known := false
		for i := range uses {
			if of := uses[i].format; of.Text == log.Format.Text && escape(of) == escape(log.Format) && of.Known == log.Format.Known {
				uses[i].count++
				known = true
			}
		}
		if !known {
			uses = append(uses, use{log.Format, 1})
		}
	}
	best := -1
	for i, u := range uses {
		text := configured(u.format)
		if err := shape.Check(o.Config, config.Source{Name: "x", Path: s.Path, Format: text}); err != nil {
			why = fmt.Sprintf("its log_format %s cannot be used: %v", u.format.Name, err)
			if strings.Contains(u.format.Text, "\n") {
				why = fmt.Sprintf("its log_format %s has a line break in its quotes, which nginx writes too, so that each request is several lines: take it out in nginx.conf", u.format.Name)
			}
			continue
		}
		if best < 0 || u.count > uses[best].count {
			best, s.Format, s.Shown = i, text, u.format.Name
		}
	}
	if best < 0 {
		return why
	}
	if !uses[best].format.Known {
		s.Notes = append(s.Notes, fmt.Sprintf("there is no log_format %s, so the format is detected from the lines", s.Shown))
		s.Shown = shape.Auto
	}
	if preset := logformat.PresetOf(uses[best].format.Text); s.Format == preset {
		s.Shown = preset
	}
	var others []string
	for i, u := range uses {
		if i != best {
			others = append(others, u.format.Name)
		}
	}
	if len(others) > 0 {
		into := "this one file"
		if s.glob {
			into = "files that this path matches"
		}
		s.Notes = append(s.Notes, fmt.Sprintf("nginx writes several formats into "+into+", %s and %s: lines that are not in %[1]s will be rejected; "+
			"give each format a file of its own in nginx.conf", uses[best].format.Name, strings.Join(others, ", ")))
	}
	return ""
}

func escape(f nginxconf.Format) string {
	if f.Escape == "default" {
		return ""
	}
	return f.Escape
}

// configured is a format as the key format has it: a preset by its name, any other as
// it stands in nginx.conf.
func configured(f nginxconf.Format) string {
	switch {
	case !f.Known:
		return shape.Auto
	case escape(f) == "" && logformat.PresetOf(f.Text) != "":
		return logformat.PresetOf(f.Text)
	case f.Pasted == "":
		return f.Text
	}
	return f.Pasted
}
