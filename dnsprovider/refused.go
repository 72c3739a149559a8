package dnsprovider

// RefusedTypes are hosts that somebody may look for, and that there is no provider for.
func RefusedTypes() []Capability { return nil }
