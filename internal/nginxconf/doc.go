// Package nginxconf reads from nginx's configuration which access logs nginx writes,
// and in which formats.
//
//	nginx.conf and its includes ─┐
//	                             ├──► statements ──► Found: access logs, error logs
//	a dump of nginx -T ──────────┘
//
// It reads files and nothing else: it runs no program and looks at no log. It takes
// what nginx takes, as nginx takes it: quotes and escapes, the includes with their
// wildcards, and which access_log counts where. An access_log of a block replaces
// those of the blocks around it; without any, nginx has one of its own.
//
// The words of a file come from nginx's own parser, crossplane. It leaves the
// backslashes in them, which are taken out here.
package nginxconf
