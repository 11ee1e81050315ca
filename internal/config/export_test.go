package config

// For tests in config_test.
var (
	Read = read
)

// LoadBytes is Load of a file with these bytes and nothing else.
func LoadBytes(name string, data []byte) (*Config, error) {
	l := loader{config: Default(), name: name, at: map[string]position{}}
	l.file(data)
	l.finish(nil, nil)
	return &l.config, l.err()
}

// Word reads "key: " and this text as YAML and returns the text of the value.
func Word(yaml string) (string, bool) {
	root, err := parseYAML("", []byte("key: "+yaml+"\n"))
	if err != nil || len(root.entries) != 1 || root.entries[0].val.shape != yamlString {
		return "", false
	}
	return root.entries[0].val.text, true
}
