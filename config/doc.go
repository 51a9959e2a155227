// Package config is the configuration file: reading it with every fault named by file, line and column, merging
// fragments and device lists, defaults, cross-checks and the JSON Schema for editors. The blocks themselves are declared
// by the packages they configure; this package only gathers them. It starts nothing.
package config
