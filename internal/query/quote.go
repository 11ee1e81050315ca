package query

import (
	"fmt"
	"regexp/syntax"
	"strings"
)

// inName, inText and inPattern are what has a meaning between the quotes of InfluxQL.
// A line must not end in there.
var (
	inName    = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	inText    = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`)
	inPattern = strings.NewReplacer(`/`, `\/`)
)

// quoteName writes the name of a measurement, a tag or a field.
func quoteName(name string) string { return `"` + inName.Replace(name) + `"` }

// quoteText writes a value of a tag.
func quoteText(text string) string { return `'` + inText.Replace(text) + `'` }

// quotePattern writes a regular expression. InfluxQL ends it at the first slash that no
// backslash is before, so the expression is written anew: in its plain form a backslash is
// never before a slash, and there are no ends of lines.
func quotePattern(pattern string) (string, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", fmt.Errorf("regular expression %q: %w", pattern, err)
	}
	if plain := parsed.String(); plain != "" {
		return "/" + inPattern.Replace(plain) + "/", nil
	}
	return "/(?:)/", nil
}
