package report

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

var (
	styles  = []string{"uplot.css", "style.css"}             // of the live page
	modules = []string{"uplot.js", "charts.js", "format.js"} // likewise, each behind those that it imports
)

// together returns the style and the script of the page: those of the live page that it
// shares, and its own.
func together(assets fs.FS) (css, js string, err error) {
	var styling, scripting strings.Builder
	for _, name := range styles {
		text, err := fs.ReadFile(assets, name)
		if err != nil {
			return "", "", err
		}
		styling.Write(text)
	}
	styling.WriteString(style)
	for _, name := range modules {
		text, err := fs.ReadFile(assets, name)
		if err != nil {
			return "", "", err
		}
		scripting.WriteString(scoped(name, string(text)))
	}
	scripting.WriteString(scoped("report.js", script))
	return styling.String(), scripting.String(), nil
}

var (
	imports = lazyregexp.New(`(?m)^import (.+) from '\./(\w+)\.js';$`)
	exports = lazyregexp.New(`(?m)^export (?:(default) (\w+);$|((?:async )?function|const|let|class) (\w+))`)
)

// scoped makes of a module what can stand with others in one script: a file that is opened
// from a disk can import nothing. Imports and exports stand at the beginnings of lines.
func scoped(name, module string) string {
	module = imports().ReplaceAllStringFunc(module, func(line string) string {
		m := imports().FindStringSubmatch(line)
		if strings.HasPrefix(m[1], "{") {
			return fmt.Sprintf("const %s = module_%s;", strings.ReplaceAll(m[1], " as ", ": "), m[2])
		}
		return fmt.Sprintf("const %s = module_%s.default;", m[1], m[2])
	})
	var names []string
	module = exports().ReplaceAllStringFunc(module, func(line string) string {
		m := exports().FindStringSubmatch(line)
		if m[1] == "default" {
			names = append(names, "default: "+m[2])
			return ""
		}
		names = append(names, m[4])
		return m[3] + " " + m[4]
	})
	return fmt.Sprintf("const module_%s = (() => {\n%s\nreturn { %s };\n})();\n", strings.TrimSuffix(name, ".js"), module, strings.Join(names, ", "))
}
