package main

import (
	"fmt"
	"strings"
)

// Rollups that tailflux has by itself.
const (
	site   = "nginx_site"    // 10 s; host, source, method, status
	site5m = "nginx_site_5m" // 5 min; host, source, status_class
	paths  = "nginx_paths"   // 1 min; host, source, path, status_class
	own    = "tailflux"      // about tailflux itself
)

// in is a measurement in the policy of rollups.
func in(measurement string) string { return fmt.Sprintf(`"$policy".%q`, measurement) }

// ofHosts are the conditions of nearly all panels.
const ofHosts = `"host" =~ /^$host$/ AND "source" =~ /^$source$/`

// Conditions of a chosen class and method. A class is its digit.
const (
	ofStatuses = `"status" =~ /^$status_class/`
	ofClasses  = `"status_class" =~ /^$status_class/`
	ofMethods  = `"method" =~ /^$method$/`
)

// where has the time range and further conditions.
func where(conditions ...string) string {
	return strings.Join(append([]string{"$timeFilter"}, conditions...), " AND ")
}

// is is the condition that a tag has a value that matches.
func is(tag, pattern string) string { return fmt.Sprintf(`%q =~ /%s/`, tag, pattern) }
