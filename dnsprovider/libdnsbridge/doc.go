// Package libdnsbridge changes TLSA RRsets through modules of libdns, which speak the APIs
// of DNS hosts.
package libdnsbridge
