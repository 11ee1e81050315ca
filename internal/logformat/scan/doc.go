// Package scan cuts lines by a regular expression much faster than package regexp
// does, as long as the expression is a chain of literals and repeated characters
// with an occasional alternative, and the line is as expected.
//
//	regexp/syntax tree ──► nodes ──► steps ──► Scan(line): Matched, with captures
//	                       (node)   (step)                 NoMatch
//	                                                       Unknown: ask package regexp
//
// Where steps follow each other without a choice there is a short cut for the
// lines that are as nearly all are (chain), and where it goes on to the end of the line
// one that looks at all of the line at once (layout).
//
// It promises that Matched and NoMatch are what package regexp would say, to the
// byte; Scan has the proof. It does not promise to know: for expressions it
// cannot compile, and lines that need backtracking, there is package regexp.
package scan
