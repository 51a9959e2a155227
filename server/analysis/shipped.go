package analysis

import (
	"embed"
	"path"
	"slices"
	"sync"
)

//go:embed packs/*.yaml
var packFiles embed.FS

// Shipped gives the packs that come with the program, in order of their names. They need no signature: they are part of
// the binary. They must not be changed.
var Shipped = sync.OnceValue(func() []*Pack {
	entries, err := packFiles.ReadDir("packs")
	if err != nil {
		panic(err) // the binary is damaged
	}
	var out []*Pack
	for _, e := range entries {
		name := path.Join("packs", e.Name())
		text, err := packFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		p, err := ParsePack(name, text)
		if err != nil {
			panic(err) // a test parses every shipped pack
		}
		out = append(out, p)
	}
	return out
})

// WithShipped is packs of one's own and the shipped ones, without those whose name one's own have.
func WithShipped(own ...*Pack) []*Pack {
	out := slices.Clone(own)
	for _, p := range Shipped() {
		if !slices.ContainsFunc(own, func(o *Pack) bool { return o.Name == p.Name }) {
			out = append(out, p)
		}
	}
	return out
}
