// Package api is what the clients of DNS hosts' APIs have in common: requests that end, a
// host's limits obeyed, replies that are none recognised, and changes that are carried
// through by looking, changing and looking again.
//
// Nothing that a host says is taken for a fact but what is read from it afterwards. A
// reply may be lost, or come from something that stands between; whether a change was made
// is seen in the zone.
package api
