// Package draft makes a configuration of what nginx.conf says of access logs: a source
// for each log that can be followed, with comments that say where it comes from, and
// for each other one why it was left out.
//
// It writes no file and asks nobody. The same nginx.conf makes the same configuration.
package draft
