package logformat

import (
	"fmt"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

var (
	configMap = lazyregexp.New(`^(?:log-format-[a-z-]+|logFormat|log_format_\w+):`)
	directive = lazyregexp.New(`^access_log\s`)
	apaches   = lazyregexp.New(`%[0-9,!]*>?[a-zA-Z]|%\{[^}]+\}[a-z]`)
	aName     = lazyregexp.New(`^[A-Za-z][\w-]*$`)
	nameless  = lazyregexp.New(`^[A-Za-z][\w-]*\s+(?:escape=\w+\s+)?(?:'[^']*'\s*)+;$`)
	among     = lazyregexp.New(`(?m)(?:^|[;{])\s*log_format\s`)
)

// recognise says what else was pasted in place of a log_format; "" if that is not
// known.
func recognise(text string) string {
	text = strings.TrimSpace(text)
	switch {
	case directive().MatchString(text):
		return "this is access_log, not log_format; paste the log_format that it names at its end"
	case configMap().MatchString(text):
		return fmt.Sprintf(`this is a line of a ConfigMap; paste what stands behind %q, without the quotes around it, and write escape=json before it if log-format-escape-json is "true"`,
			configMap().FindString(text))
	case among().MatchString(text):
		return "there is more than a log_format; paste it alone, from log_format to the semicolon"
	case nameless().MatchString(text):
		return "this is a log_format without its first word; write log_format before it"
	case strings.Contains(text, `{\"`):
		return `the backslashes before the quotes are of the file from which this was pasted; leave them out: {"time":"$time_iso8601", …}`
	case strings.Contains(text, "$"):
		return ""
	case apaches().MatchString(text):
		return "this is Apache's LogFormat; only nginx's log_format is understood, describe other lines with regexp"
	case strings.ContainsAny(text, "/") && !strings.ContainsAny(text, " \t"):
		return fmt.Sprintf("%q is a file; paste the log_format from nginx.conf", text)
	case aName().MatchString(text):
		return fmt.Sprintf("%q is not a preset (%s); if it is a name in your nginx.conf, paste the log_format that has this name",
			text, strings.Join(Presets(), ", "))
	}
	return ""
}
