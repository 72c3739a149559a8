// Package web is what the daemon shows to those who watch it over HTTP: a page for
// people, which follows what happens, /metrics for Prometheus, and /healthz and /readyz
// for whoever starts and restarts it. All of it can be read, and nothing can be done there.
//
// [Metrics] gathers: what there is to say of lineages is read when it is asked
// for, and what happens is counted as it happens. A [Server] shows that, to
// everyone on this host or to those who know the password or token. Package page has the
// page's words and looks.
package web
