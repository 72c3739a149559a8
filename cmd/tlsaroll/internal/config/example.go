package config

import _ "embed"

//go:embed example.yaml
var example string

// Example is a configuration in which every key stands, with what it means. It
// loads as it is, apart from the files that it names.
func Example() string { return example }
