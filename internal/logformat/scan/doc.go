// Package scan cuts lines by a regular expression much faster than package regexp
// does, as long as the expression is a chain of literals and repeated characters
// with an occasional alternative, and the line is as expected.
//
//	regexp/syntax tree ──► nodes ──► steps ──► Scan(line): Matched, with captures
//	                       (node)   (step)                 Refused
//	                                                       Unknown: ask package regexp
//
// It promises that Matched and Refused are what package regexp would say, to the
// byte; Scan has the proof. It does not promise to know: for expressions it
// cannot compile, and lines that need backtracking, there is package regexp.
package scan
