package libdnsbridge

// Hosts are those whose modules are linked in, sorted by type.
func Hosts() []Host {
	return []Host{
		deSEC(),
		gandi(),
		hetzner(),
		infomaniak(),
		inwx(),
		ovh(),
		powerDNS(),
		awsRoute53(),
		transip(),
	}
}
