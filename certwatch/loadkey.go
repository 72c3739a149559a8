package certwatch

// LoadKey reads a file with one private key, as [Reader.Load] reads a pair: one that
// is still being written, or that everybody can read, is refused.
func (r Reader) LoadKey(path string) (Key, []Finding, error) {
	sources, modes, findings, err := r.sources([]string{path})
	if err != nil {
		return Key{}, nil, err
	}
	k, err := sources[0].key()
	if err != nil {
		return Key{}, nil, err
	}
	exposed, err := permissions(sources, modes)
	if err != nil {
		return Key{}, nil, err
	}
	return k, append(findings, exposed...), nil
}
